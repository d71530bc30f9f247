"""Judges the views: budgets and rules as data, states that survive a restart, and people told once."""
