"""Types that all packages share: records, events, columns, rows, time, severity. Pure."""
