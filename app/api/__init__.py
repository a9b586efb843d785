"""The HTTP API. The only package that imports Flask."""
