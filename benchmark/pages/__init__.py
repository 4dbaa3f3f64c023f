"""Pages of documentation that are made from what bench knows: protocols, for now."""
