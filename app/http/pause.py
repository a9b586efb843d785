"""How a stream waits without holding a thread."""


class Pause(bytes):
    """A piece of a stream without content: the server continues the stream after `secs`, or earlier if it must end.

    To another WSGI server it is an empty piece, which is allowed.
    """

    secs: float

    def __new__(cls, secs: float) -> "Pause":
        """A pause of so many seconds."""
        made = super().__new__(cls)
        made.secs = secs
        return made
