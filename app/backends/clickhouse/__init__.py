"""clickhouse-connect behind our ports."""
