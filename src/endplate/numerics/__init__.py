"""Voxel elasticity and plasticity: arrays in, arrays out; knows no anatomy and no files."""
