"""Lines about no message, as they are shown one after another: each once, with those around it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # Number of the file, and where in it a line begins
    Place = tuple[int, int]


class Alone:
    """A run of lines with a pattern that follow each other, no message between them.

    What stands around one may be another one, or stand around that as well.
    """

    def __init__(self) -> None:
        # The last line that is shown, and those behind it that are still to be shown
        self._last: Place | None = None
        self._behind: list[tuple[Place, str]] = []

    def line(self, place: Place, text: str, near: Sequence[tuple[Place, str]]) -> Iterator[str]:
        """Yield a line and those before it, and what is left of those behind the one before.

        near: places and texts of the lines around, in their order
        """
        yield from self._rest(place)
        last = self._last
        before = [
            (at, words)
            for at, words in near
            if at < place and (last is None or at[0] != last[0] or at > last)
        ]
        is_apart = last is not None and not any(at == last for at, _ in near)
        if near and is_apart:
            yield ""
        yield from (f"| {words}" for _, words in before)
        yield text
        self._last = place
        self._behind = [(at, words) for at, words in near if at > place]

    def end(self) -> Iterator[str]:
        """Yield what is left, before something else is shown."""
        yield from self._rest(None)
        self._last = None

    def _rest(self, until: Place | None) -> Iterator[str]:
        for at, words in self._behind:
            # Of another file, nothing stands in between.
            if until is None or at[0] != until[0] or at < until:
                yield f"| {words}"
                self._last = at
        self._behind = []
