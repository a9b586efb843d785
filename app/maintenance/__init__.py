"""Changes to rows that are stored, by commands: rejected ones read again, a user's deleted. Knows only ports."""
