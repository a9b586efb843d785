"""Errors of the local stack: each one is a sentence for the person at the terminal."""


class LocalError(Exception):
    """Something this machine lacks or a child process that failed; the text says what to do about it."""
