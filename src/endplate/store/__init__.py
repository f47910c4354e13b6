"""The one store: cases, jobs, readings, episodes, users and the audit; volumes lie beside it as files named by hash."""
