"""A lower bound: what was counted before the time was up."""


class AtLeast(int):
    """A measured number that the true one may exceed: only too much of it is proven."""

    __slots__ = ()
