"""Shows how records are read: the rows they become, and what was read from where. See `docs/events.md`."""
