"""Bytes in, canonical events out: one file per format. Pure."""
