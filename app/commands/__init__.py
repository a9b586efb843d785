"""The commands: `python -m app COMMAND`."""
