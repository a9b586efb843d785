"""The query language and the plans that answer it over the table. Knows ports, never clients or HTTP."""
