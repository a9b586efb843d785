"""The commands that query a running service over HTTP. They need only the standard library, to start at once."""
