"""Balloon kyphoplasty: placement, inflation, height gain and wall displacement."""
