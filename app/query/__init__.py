"""What a person asks, turned into statements over the table. Knows ports, never clients or HTTP."""
