"""Chooses and connects the concrete parts: a module for each role, which the commands use as well."""
