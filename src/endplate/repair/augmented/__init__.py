"""The augmented vertebra: stiffness and strength, its motion segment, its load margin."""
