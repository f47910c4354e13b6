"""Cement injection: plan, porous bone, flow, leakage routes."""
