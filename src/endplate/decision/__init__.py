"""Findings and the patient record into advice: causes, candidacy, recovery, prevention. Never sees voxels."""
