"""Preventing the next fracture: who to treat and with what, falls, laboratory work, dates."""
