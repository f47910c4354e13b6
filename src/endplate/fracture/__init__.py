"""Spine to fracture: heights, grades, shapes, angles."""
