"""Masking: secrets in rows are replaced by a mark before they are stored. Pure."""
