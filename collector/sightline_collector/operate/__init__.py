"""What operators do to a collector: look into its log, send again, find what is wrong, back up, restore."""
