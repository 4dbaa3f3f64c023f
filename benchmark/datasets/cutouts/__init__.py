"""Photographs made into cut-outs of the objects in them: segmentations chosen, framed, split."""
