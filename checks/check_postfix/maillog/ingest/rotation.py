"""Rotation: what becomes of a generation while files are renamed, copied, cut short and deleted.

Whoever rotates a log changes names, inodes and sizes in any order. So each run asks anew which
files hold a generation, by their content (survey.py), and goes by this table alone:

1. The live log is never finished: lines may be added to it at any time. Where it was the live
   log and no file holds all that was counted of it, lines may have been added that nobody read.
2. Whoever cuts a log short copies it first. What was written between the copy and the cut went
   with it, unless a copy is as long as what was counted, or compressed, whose length nobody knows.
3. An older generation gets no more lines, but a file that was seen before and has changed since
   may hold more of it than was read.
4. What is read to its end may go; what goes before that is lost.
5. What may be in a file that cannot be read, or that nobody has looked into yet, is not lost.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.maillog.source.generation import Generation

# The states of a generation: what it is, and whether all is read that there was when it was
# last seen.
NEW = "new"  # found in a file, not kept in the store yet
LIVE_UNREAD = "live, unread"
LIVE_READ = "live, read"
OLD_UNREAD = "old, unread"
OLD_READ = "old, read"
LOST = "lost"  # gone before it was read to its end: a gap, and nothing is left to be read

# What moves it: what the survey found ...
IS_LIVE = "the live log holds it"
IS_OLD = "a file holds it that is not the live log"
IS_SHORTER = "only files hold it that are shorter than what was counted"
IS_HIDDEN = "no file is known to hold it, but one that cannot be read may"
IS_GONE = "no file holds it"
HAS_CHANGED = "each file that holds it has changed since it was read"
# ... and how far a reading came.
READ_TO_END = "read to the end of a file that holds it"
READ_IN_PART = "read, but not to the end"

MOVES = {
    NEW: {IS_LIVE: LIVE_UNREAD, IS_OLD: OLD_UNREAD},
    LIVE_UNREAD: {
        IS_LIVE: LIVE_UNREAD,
        IS_OLD: OLD_UNREAD,
        IS_SHORTER: LOST,
        IS_HIDDEN: OLD_UNREAD,
        IS_GONE: LOST,
        READ_TO_END: LIVE_READ,
        READ_IN_PART: LIVE_UNREAD,
    },
    LIVE_READ: {
        IS_LIVE: LIVE_READ,
        IS_OLD: OLD_READ,
        IS_SHORTER: LOST,
        IS_HIDDEN: OLD_UNREAD,
        IS_GONE: LOST,
        READ_TO_END: LIVE_READ,
        READ_IN_PART: LIVE_UNREAD,
    },
    OLD_UNREAD: {
        IS_LIVE: LIVE_UNREAD,
        IS_OLD: OLD_UNREAD,
        IS_HIDDEN: OLD_UNREAD,
        IS_GONE: LOST,
        READ_TO_END: OLD_READ,
        READ_IN_PART: OLD_UNREAD,
    },
    OLD_READ: {  # whether it is still there, nobody has to know
        IS_LIVE: LIVE_READ,
        HAS_CHANGED: OLD_UNREAD,
        READ_TO_END: OLD_READ,
        READ_IN_PART: OLD_UNREAD,
    },
}

# How the store keeps a state: whether it is live, and done. LOST is not kept: whoever moves a
# generation there adds the gap at once, and then nothing is left to be read.
_KEPT = {
    LIVE_UNREAD: (True, False),
    LIVE_READ: (True, True),
    OLD_UNREAD: (False, False),
    OLD_READ: (False, True),
    LOST: (False, True),
}
_STATES = {kept: state for state, kept in _KEPT.items() if state != LOST}


def state(generation: Generation) -> str:
    """Return the state that a generation is in."""
    if not generation.id:
        return NEW
    return _STATES[bool(generation.live), bool(generation.done)]


def move(generation: Generation, moved_by: str) -> str:
    """Move a generation by one row of the table; return the state that it is in then."""
    after = MOVES[state(generation)][moved_by]
    generation.live, generation.done = _KEPT[after]
    return after
