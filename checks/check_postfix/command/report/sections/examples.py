"""Examples: numbers by reason, each with a line that tells of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.command.report.book import Examples

HUNDRED = 100


def most(examples: Examples, kinds: tuple[str, ...]) -> list[tuple[tuple[str, ...], int]]:
    """Return the reasons of some kinds and their numbers, the largest first."""
    return [
        (words, number) for words, number in examples.numbers.most_common() if words[0] in kinds
    ]
