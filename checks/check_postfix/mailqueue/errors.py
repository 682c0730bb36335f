"""The errors of this room."""


class QueueError(Exception):
    """Say in one sentence why there is no listing: the thing, the cause and the fix.

    str(error) is one line for an operator, such as
    "postqueue: mail system is down; start it with 'postfix start'".
    It may quote a program's words, so the output still has to make it harmless.
    """


class DownError(QueueError):
    """Postfix does not run: that is certain."""


class BrokenError(QueueError):
    """Postfix cannot go on: none of its programs starts, whatever still runs. That is certain."""


class IncompleteError(QueueError):
    """There was no end to the listing in time."""


class SightingsError(Exception):
    """Say likewise why the sightings of earlier polls cannot be used."""
