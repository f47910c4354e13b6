"""`endplate pacs`: series from an archive, results to it."""
