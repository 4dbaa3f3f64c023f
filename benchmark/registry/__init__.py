"""Everything that has a name, found by it: what bench and the installed plugins register."""
