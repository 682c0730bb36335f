"""The one error of this room: the queue could not be read."""


class QueueError(Exception):
    """Say in one sentence why there is no listing: the thing, the cause and the fix.

    str(error) is one line for an operator, such as
    "postqueue: mail system is down; start it with 'postfix start'".
    It may quote a program's words, so the output still has to make it harmless.
    """
