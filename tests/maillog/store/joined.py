"""Joined: the pieces of a log as a store takes them in, in any order."""

from __future__ import annotations

from hypothesis import strategies as st

from check_postfix.maillog.counts.message_sums import Sums
from check_postfix.maillog.counts.messages import Messages
from check_postfix.maillog.store import pending
from check_postfix.maillog.store.store import Store


def told_in(data: st.DataObject, pieces: list[Messages], sums: Sums, store: Store) -> None:
    """Have the store take in the pieces of a log in any order; it joins what touches."""
    # First and last piece -> the boundaries of what lies between them
    there: dict[tuple[int, int], pending.Segment] = {}
    for number in data.draw(st.permutations(range(len(pieces)))):
        before = next((span for span in there if span[1] == number - 1), None)
        after = next((span for span in there if span[0] == number + 1), None)
        piece = pieces[number]
        with store.transaction():
            if before is not None and (after is None or data.draw(st.booleans())):
                segment = there.pop(before)
                store.pending.append(segment, piece, 8, sums)
                first, last = before[0], number
            elif after is not None:
                segment = there.pop(after)
                store.pending.prepend(segment, piece, 8, sums)
                first, last = number, after[1]
            else:
                at = (pending.Boundary(1, number, side) for side in (pending.START, pending.END))
                segment = pending.Segment(*at)
                store.pending.append(segment, piece, 8, sums)
                first = last = number
            earlier = next((span for span in there if span[1] == first - 1), None)
            if earlier is not None:
                one = there.pop(earlier)
                store.pending.unite(one, segment, 8, sums)
                segment, first = pending.Segment(one.start, segment.end), earlier[0]
            later = next((span for span in there if span[0] == last + 1), None)
            if later is not None:
                other = there.pop(later)
                store.pending.unite(segment, other, 8, sums)
                segment, last = pending.Segment(segment.start, other.end), later[1]
        there[first, last] = segment
