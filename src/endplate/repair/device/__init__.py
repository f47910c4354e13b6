"""Needles, balloons and cements: catalogues with sources."""
