"""Crush an intact vertebra of a real scan, so that a fracture with a known intact state exists."""
