"""What ends a check without a judgement. Each message names the thing, the cause and the fix."""


class Unknown(Exception):
    """The condition cannot be measured."""


class UsageError(Unknown):
    """The check was called in a way that makes no sense."""
