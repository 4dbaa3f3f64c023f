"""Readers: one module for each layout in which a publisher gives a data set."""
