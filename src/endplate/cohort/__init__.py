"""Many scans as one study: rows in, a case each on Dask, one table, one page and one table of agreement out."""
