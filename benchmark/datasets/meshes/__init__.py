"""Meshes: read, looked over, drawn from all sides and turned into clouds, as ShapeNet's renders were."""
