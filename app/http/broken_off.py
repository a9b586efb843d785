"""How a stream ends early on purpose."""


class BrokenOff(Exception):
    """Raised by a stream that must not go on: its connection breaks, so that it does not seem complete.

    The text is the reason, for the log. To another WSGI server it is an error of the application, with the same effect.
    """
