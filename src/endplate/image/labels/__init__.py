"""Vertebra labels from any scheme, translated to VerSe numbers."""

from endplate.image.labels.read import read_labels

__all__ = ["read_labels"]
