"""The publications that constants and rules rest on, each once, by key: the TOML files of this folder."""

from endplate.bibliography.reference import BibliographyError, Reference, bibliography, full_text, read_bibliography

__all__ = ["BibliographyError", "Reference", "bibliography", "full_text", "read_bibliography"]
