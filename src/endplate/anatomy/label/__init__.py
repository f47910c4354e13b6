"""The label check: what labels get wrong, what may be repaired, what must not be trusted."""
