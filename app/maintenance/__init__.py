"""Changes to rows that are stored, by commands: reading rejected ones again. Knows only ports."""
