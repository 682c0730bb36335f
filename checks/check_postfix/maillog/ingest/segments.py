"""Segments: which parts of a log's generations are read, for the messages pending at their ends.

A generation is one segment, or two while there is a hole in it. Where it is read to its end,
the next one goes on, and the two are one segment as well.
"""

from __future__ import annotations

from time import monotonic

from check_postfix.maillog.store.pending import END, HOLE_END, HOLE_START, START, Boundary, Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.counts.message_sums import Sums
    from check_postfix.maillog.counts.messages import Messages
    from check_postfix.maillog.source.generation import Generation
    from check_postfix.maillog.store.logs import Log
    from check_postfix.maillog.store.pending import Pending


class Segments:
    """The segments of one log; to be changed inside a transaction only.

    now: minutes since 1970
    """

    def __init__(self, pending: Pending, log: Log, now: int) -> None:
        self._pending = pending
        self._log = log
        self._now = now

    def _boundary(self, generation: Generation, side: int) -> Boundary:
        return Boundary(self._log.id, generation.id, side)

    def _segment(self, generation: Generation, start: int, end: int) -> Segment:
        return Segment(self._boundary(generation, start), self._boundary(generation, end))

    def at_end(self, generation: Generation, piece: Messages, sums: Sums) -> None:
        """A piece was read at the end of a generation."""
        start = HOLE_END if generation.hole else START
        segment = self._segment(generation, start, END)
        self._pending.append(segment, piece, self._now, sums)

    def after_hole(self, generation: Generation, piece: Messages, sums: Sums) -> None:
        """A piece was read at the end of a generation's hole."""
        segment = self._segment(generation, HOLE_END, END)
        self._pending.prepend(segment, piece, self._now, sums)
        self._see_hole(generation, sums)

    def before_hole(self, generation: Generation, piece: Messages, sums: Sums) -> None:
        """A piece was read at the beginning of a generation's hole."""
        segment = self._segment(generation, START, HOLE_START)
        self._pending.append(segment, piece, self._now, sums)
        self._see_hole(generation, sums)

    def _see_hole(self, generation: Generation, sums: Sums) -> None:
        if not generation.hole:
            self.close_hole(generation, sums)

    def close_hole(self, generation: Generation, sums: Sums) -> None:
        """Nothing is left of a generation's hole to be read."""
        self._pending.unite(
            self._segment(generation, START, HOLE_START),
            self._segment(generation, HOLE_END, END),
            self._now,
            sums,
        )

    def leave_hole(self, generation: Generation) -> None:
        """The end of a generation is now after a hole, which begins where the end was."""
        self._pending.move(self._boundary(generation, END), self._boundary(generation, HOLE_START))

    def unite(
        self, generations: Sequence[Generation], complete: bool, sums: Sums, deadline: float
    ) -> None:
        """Unite generations that are read to their end with the next one.

        generations: the oldest first
        complete:    whether nothing older is to be read
        deadline:    time.monotonic() at which to stop; the next run goes on then
        """
        first = last = None
        for generation in generations:
            if first is not None and last is not None and last.done:
                end = HOLE_START if generation.hole else END
                self._pending.unite(
                    Segment(self._boundary(first, START), self._boundary(last, END)),
                    self._segment(generation, START, end),
                    self._now,
                    sums,
                )
            else:
                first = generation
            last = generation
            if monotonic() > deadline:
                return
        if complete and first is not None:
            self._pending.drop(self._boundary(first, START))
