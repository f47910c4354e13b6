"""The rehearsal of a repair on the page, in the document and among the volumes."""
