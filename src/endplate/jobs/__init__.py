"""Work that takes longer than a page may: jobs in processes of their own, with progress, cancel and a second try.

A job is a row of the store. `queue` writes and reads these rows; `worker` is the process that claims one and does it;
`supervise` starts that process, stops it when it was cancelled, and notices when it was killed; `executor` says where:
local processes, or the workers of a Dask scheduler. `tasks` are what can be done.
"""
