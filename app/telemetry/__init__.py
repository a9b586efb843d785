"""Tells the log, the metrics and the health of one and the same event, so that they never disagree."""
