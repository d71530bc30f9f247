"""Spans from their start to their end: ours, and what is added to others'."""
