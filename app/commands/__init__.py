"""One-time jobs: `python -m app COMMAND`."""
