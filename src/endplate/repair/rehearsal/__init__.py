"""A rehearsal of one level: single runs, ensemble, effects, findings."""
