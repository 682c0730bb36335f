"""A name pattern: a path with wildcards, as a shell has them, and with dates, as strftime writes.

Wildcards stand for several logs, dates for one log whose generations have dates in their names.
A wildcard stays within one directory's name, and does not find what begins with a dot.
"""

from __future__ import annotations

import os
import re
import time
from collections import namedtuple

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives
from check_postfix.maillog.source.logfile import COMPRESSED
from check_postfix.maillog.source.refusal import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Date = tuple[int, ...]

# Field of a date -> how it is written. Names are in any language.
_NUMBERS = {
    "Y": r"\d{4}",
    "G": r"\d{4}",
    "y": r"\d\d",
    "m": r"0[1-9]|1[0-2]",
    "V": r"[0-4]\d|5[0-3]",
    "j": r"[0-2]\d\d|3[0-5]\d|36[0-6]",
    "d": r"0[1-9]|[12]\d|3[01]",
    "H": r"[01]\d|2[0-3]",
    "M": r"[0-5]\d",
    "S": r"[0-5]\d",
}
_WORDS = dict.fromkeys("aAbB", r"[^\W\d_]+\.?")
_FIELDS = _NUMBERS | _WORDS
_LONG = {"%F": "%Y-%m-%d"}
_YEARS = "YGy"

_WILD = re.compile(r"[*?[]").search
_DATED = re.compile(r"(?:[^%]|%%)*%[" + "".join(_FIELDS) + "F]").match
_TOKEN = re.compile(
    r"(?P<star>\*+)|(?P<one>\?)|(?P<set>\[!?\]?[^]/]*\])|%(?P<field>.)|(?P<text>.)", re.DOTALL
)


def has_wildcards(path: str) -> bool:
    """Tell whether a path is a pattern of several logs."""
    return bool(_WILD(path)) and not os.path.lexists(path)


def is_dated(path: str) -> bool:
    """Tell whether a path is a pattern of one log with dates in its names."""
    return "%" in path and bool(_DATED(path)) and not os.path.lexists(path)


class FoundFile(namedtuple("FoundFile", "path log date")):
    """A file that a pattern has found.

    log:  the pattern with its wildcards filled in; the path where it has no date
    date: by which the names of one log are ordered, nothing if they cannot be
    """

    __slots__ = ()

    path: str
    log: str
    date: Date


class _Part:
    """What stands between two slashes of a pattern."""

    def __init__(self, written: str) -> None:
        """Take it apart.

        Raises: ValueError
        """
        self.fields: list[str] = []
        # What it becomes, once its wildcards are filled in: a text, or the number of a wildcard
        self._pieces: list[str | int] = []
        self.text = ""
        self.is_literal = True
        wild = 0
        # Of a name that has a date, and of one where that is not filled in
        expression = filled = "" if written.startswith(".") else r"(?!\.)"
        for token in _TOKEN.finditer(written):
            kind, text = token.lastgroup, token[0]
            if kind == "field" and text != "%%":
                self.fields.append(token["field"])
                expression += _of_field(text)
                filled += re.escape(text)
                self._pieces.append(text)
            elif kind in ("star", "one", "set"):
                part = f"(?P<w{wild}>{_of_wildcard(text)})"
                expression += part
                filled += part
                self._pieces.append(wild)
                wild += 1
            else:
                text = "%" if text == "%%" else text
                expression += re.escape(text)
                filled += re.escape(text.replace("%", "%%"))
                self.text += text
                self._pieces.append(text.replace("%", "%%"))
                continue
            self.is_literal = False
        try:
            self._match = re.compile(expression, re.DOTALL).fullmatch
            self._match_filled = re.compile(filled, re.DOTALL).fullmatch
        except re.error as error:
            raise ValueError(f"{written} is no pattern: {error.msg}") from None

    def fits(self, name: str) -> tuple[str, list[tuple[str, str]]] | None:
        """Return this part with its wildcards filled in, and (field, value) pairs; None if not."""
        match = self._match(name)
        if not match:
            return None
        wild = match.groupdict()
        dates = [match[number] for number in _unnamed(match)]
        filled = "".join(
            wild[f"w{piece}"].replace("%", "%%") if isinstance(piece, int) else piece
            for piece in self._pieces
        )
        return filled, list(zip(self.fields, dates, strict=True))

    def has_made(self, name: str, is_dated: bool) -> bool:
        """Tell whether this part may have become that name of a log.

        is_dated: whether any part has a date
        """
        return bool((self._match_filled if is_dated else self._match)(name))


def _of_field(written: str) -> str:
    """Return the expression of a field of a date: `%Y`.

    Raises: ValueError
    """
    values = _FIELDS.get(written[1:])
    if values is None:
        raise ValueError(
            f"{written} is no field of a date",
            f"use some of {', '.join(f'%{field}' for field in _FIELDS)}, and %% for %",
        )
    return f"({values})"


def _of_wildcard(written: str) -> str:
    """Return the expression of a wildcard: any number of `*`, `?` or `[abc]`."""
    if written.startswith("*"):
        return "[^/]*"
    if written == "?":
        return "[^/]"
    inner = written[1:-1].replace("\\", r"\\").replace("[", r"\[")
    if inner.startswith("!"):
        return f"[^{inner[1:]}]"
    escaped = inner.replace("^", r"\^")
    return f"[{escaped}]"


def _unnamed(match: re.Match[str]) -> list[int]:
    named = set(match.re.groupindex.values())
    return [number for number in range(1, match.re.groups + 1) if number not in named]


class NamePattern:
    """A pattern of paths.

    `directory` is the one below which it finds anything; `fields` are those of its date, each
    once; `directories` those that were listed by the last `find`, and `refused` is what could not
    be listed.
    """

    def __init__(self, written: str) -> None:
        """Take it apart.

        written: absolute

        Raises: ValueError with what is wrong, and what to do about it
        """
        for short, long in _LONG.items():
            written = written.replace(short, long)
        self.written = written
        parts = [_Part(part) for part in written.split("/")[1:]]
        fixed = 0
        while fixed < len(parts) - 1 and parts[fixed].is_literal:
            fixed += 1
        self.directory = "/" + "/".join(part.text for part in parts[:fixed])
        self._parts = parts[fixed:]
        self.fields = list(dict.fromkeys(field for part in parts for field in part.fields))
        self.directories: dict[str, None] = {}
        self.refused: list[LogError] = []

    def find(self, directory: str = "", endings: Sequence[str] = ("",)) -> list[FoundFile]:
        """Return what fits the pattern.

        directory: where to look instead of its own
        endings:   what may follow the names
        """
        self.directories, self.refused = {}, []
        below = directory or self.directory
        return list(self._find(below, below, self._parts, {}, endings))

    def _find(
        self,
        directory: str,
        filled: str,
        parts: Sequence[_Part],
        date: dict[str, str],
        endings: Sequence[str],
    ) -> Iterator[FoundFile]:
        part, *rest = parts
        if rest:
            endings_here: Sequence[str] = ("",)
        else:
            endings_here = endings
            self.directories[directory] = None
        for name, ending in self._names(directory, part, endings_here):
            fitting = part.fits(name.removesuffix(ending))
            if fitting is None:
                continue
            now = dict(date)
            if any(now.setdefault(field, value) != value for field, value in fitting[1]):
                continue  # two different years
            path, log = os.path.join(directory, name), f"{filled.rstrip('/')}/{fitting[0]}"
            if rest:
                yield from self._find(path, log, rest, now, endings)
            else:
                yield FoundFile(path, log if self.fields else path, _ordered(now))

    def _names(
        self, directory: str, part: _Part, endings: Sequence[str]
    ) -> Iterator[tuple[str, str]]:
        """Yield (name, ending) of what may fit in a directory."""
        if part.is_literal:
            for ending in endings:
                try:
                    os.stat(os.path.join(directory, part.text + ending))
                except (FileNotFoundError, NotADirectoryError):
                    continue
                except OSError as error:
                    self.refused.append(unreadable(directory, error))
                    return
                yield part.text + ending, ending
            return
        self.directories[directory] = None
        try:
            names = sorted(os.listdir(directory))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.refused.append(unreadable(directory, error))
            return
        longest_first = sorted(endings, key=len, reverse=True)
        for name in names:
            ending = next(ending for ending in [*longest_first, ""] if name.endswith(ending))
            if ending in endings:
                yield name, ending

    def logs(self) -> list[str]:
        """Return the names of the logs that the pattern finds: what none of them was rotated to."""
        there = [file for file in self.find() if not file.path.endswith(COMPRESSED)]
        names = [file.log for file in there if self.fields or os.path.isfile(file.path)]
        return _without_generations(dict.fromkeys(names))

    def absence(self) -> LogError:
        """Return what is said where it finds nothing."""
        if self.refused:
            return self.refused[0]
        return LogError(
            f"{self.written}: no file has such a name; put the pattern into quotes where a"
            " shell would fill it in, and see where mail is logged"
        )

    def fits(self, path: str) -> bool:
        """Tell whether the pattern would find a file of this name, in whatever directory."""
        names = path.split("/")[-len(self._parts) :]
        return len(names) == len(self._parts) and all(
            part.fits(name) for part, name in zip(self._parts, names, strict=True)
        )

    def has_made(self, log: str) -> bool:
        """Tell whether this is the name of a log that the pattern may have found."""
        below = self.directory.rstrip("/") + "/"
        names = log.removeprefix(below).split("/")
        return (
            log.startswith(below)
            and len(names) == len(self._parts)
            and all(
                part.has_made(name, bool(self.fields))
                for part, name in zip(self._parts, names, strict=True)
            )
        )

    def newest(self, found: Sequence[FoundFile], now: float) -> str | None:
        """Return the path of the file that is written to now, None if there is none.

        That is the one of the latest date, unless that is later than tomorrow; where names do not
        tell, the one that was changed last.

        found: files of one log
        now:   seconds since 1970
        """
        tomorrow = time.localtime(now + 86400)
        latest = _ordered({field: time.strftime(f"%{field}", tomorrow) for field in self.fields})
        present = [file for file in found if file.date <= latest] or found
        last = max((file.date for file in present), default=())
        there = [file.path for file in present if file.date == last]
        return max(there, key=_modified) if there[1:] else next(iter(there), None)


def _without_generations(names: Iterable[str]) -> list[str]:
    """Return the paths without those of rotated generations of others of them."""
    logs: dict[tuple[str, str], list[str]] = {}
    split = [os.path.split(name) for name in names]
    for directory, name in split:
        logs.setdefault((directory, os.path.splitext(name)[0]), []).append(name)

    def is_generation(directory: str, name: str) -> bool:
        return any(
            archives.is_rotated(name, log)
            for size in range(1, len(name))
            for log in logs.get((directory, name[:size]), ())
        )

    return [
        os.path.join(directory, name)
        for directory, name in split
        if not is_generation(directory, name)
    ]


def _ordered(date: dict[str, str]) -> Date:
    """Return by what the dates of one pattern are ordered, nothing without a year."""
    if not any(year in date for year in _YEARS):
        return ()
    return tuple(int(date.get(field, 0)) for field in _NUMBERS)


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0
