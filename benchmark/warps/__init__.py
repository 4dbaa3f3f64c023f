"""Warps of images and points: thin-plate splines with their inverse, and how random ones are drawn."""
