"""Checks of bench that others can run: its functions against values computed by the references."""
