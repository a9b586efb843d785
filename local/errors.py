"""Errors of the local stack: each one is a sentence for the person at the terminal."""


class LocalError(Exception):
    """This machine lacks something, or a child process failed; the message says what to do about it."""
