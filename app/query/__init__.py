"""Turns queries into SQL statements over the table. Knows ports, never clients or HTTP."""
