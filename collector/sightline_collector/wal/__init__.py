"""The log: what was acknowledged is on disk here until the store has confirmed it."""
