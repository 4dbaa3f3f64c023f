"""Checks for others to run: a method against its contract, bench against the references."""
