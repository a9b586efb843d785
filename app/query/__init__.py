"""What people type to find logs: from its text to a condition that ClickHouse checks. Pure. docs/query.md shows it."""
