"""What `python -m app check` looks at: facts in, findings out. Pure; the facts are gathered in `backends/`."""
