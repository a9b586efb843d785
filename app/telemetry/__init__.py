"""Reports each event to log, metrics and health at once, so that they never disagree."""
