"""Studies: many runs asked for at once, planned, swept through and kept track of."""
