"""What ends a check without a judgement. Each message names the thing, the cause and the fix."""


class Unknown(Exception):
    """The condition cannot be measured."""

    state = 3


class Unreadable(Unknown):
    """What is to be measured is there, or should be, and cannot be read."""


class UsageError(Unknown):
    """The check was called in a way that makes no sense."""


class Known(Unknown):
    """The condition cannot be measured, and that is the condition: the state is known.

    state: 0 to 3
    """

    def __init__(self, text: str, state: int) -> None:
        super().__init__(text)
        self.state = state
