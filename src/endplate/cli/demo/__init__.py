"""`endplate demo`: the whole path on the built-in digital spine, and what was measured beside what was built."""
