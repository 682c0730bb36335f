"""The goals: what part of each other's time we may take, and what we aim at beyond.

A factor is our time divided by theirs. The tables say which are met; nothing fails.
What must not get worse is in tests/bench/test_ratios.py.
"""

from .runners import (
    FIVE_GREPS,
    FLOOR,
    FOUR_SEARCHES,
    LNAV,
    MAILLOGGER,
    MTAIL,
    NAIVE,
    ONE_PATTERN,
    PFLOGSUMM,
    PYGTAIL,
    REFERENCE,
    ZCAT_GREP,
    ZCAT_PFLOGSUMM,
)

NOTHING_NEW = {ONE_PATTERN: 0.65, FLOOR: 1.40}
SOME_NEW = {ONE_PATTERN: 0.70, FOUR_SEARCHES: 0.58, FLOOR: 1.60}
MUCH_NEW = {ONE_PATTERN: 0.60, FOUR_SEARCHES: 0.28, PYGTAIL: 1.15}
FIRST = {
    PFLOGSUMM: 0.13,
    ONE_PATTERN: 0.25,
    MAILLOGGER: 0.20,
    MTAIL: 0.06,
    LNAV: 0.40,
    NAIVE: 1.5,
    FIVE_GREPS: 2.4,
    REFERENCE: 1.35,
}
# Of logs of other shapes, and of the one that is hardest
SHAPES = {REFERENCE: 2.5, PFLOGSUMM: 0.35}
HARDEST = {REFERENCE: 3.5}
COMPRESSED = {ZCAT_GREP: 1.8, REFERENCE: 1.25}
CATCH_UP = {ONE_PATTERN: 0.33, ZCAT_PFLOGSUMM: 0.20, ZCAT_GREP: 2.6}

AIM_NOTHING_NEW = {FLOOR: 1.2}
AIM_SOME_NEW = {FLOOR: 1.4}
AIM_FIRST = {REFERENCE: 1.2, NAIVE: 1.0}

# MiB
RSS_STEADY = 24
RSS_READING = 40
AIM_RSS_STEADY = 22

# A line of 64 KiB: milliseconds, and growth when it doubles
HOSTILE_MS = 10
HOSTILE_GROWTH = 2.3

# Ten times the state: milliseconds more
STATE_MS = 15
