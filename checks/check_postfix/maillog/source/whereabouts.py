"""Whereabouts: in which files a log may be, the live one and those that rotation has made of it."""

from __future__ import annotations

import os
import time
from functools import cached_property

from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source import archives, logfile
from check_postfix.maillog.source.logfile import COMPRESSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.maillog.source.logfile import LogFile
    from check_postfix.maillog.source.name_pattern import NamePattern


class Whereabouts:
    """Where a log of one name lies: its generations are named after it.

    name:      what it is called: the path of its live file
    live_path: where its live file is, or will be
    """

    def __init__(self, name: str, named: Sequence[str]) -> None:
        """Take them for what was named.

        named: directories where older generations lie, besides the usual ones
        """
        self.name = self.live_path = name
        self._named = named

    def live(self) -> LogFile | None:
        """Return the live log, None if there is none just now.

        Raises: LogError
        """
        try:
            return logfile.look(self.live_path)
        except FileNotFoundError:  # rotated with nocreate: the next line will make it again
            return None

    def older(self) -> list[LogFile]:
        """Return the files that rotation may have made of it, newest first.

        Raises: LogError
        """
        return archives.of(self.live_path, self._named)

    def directories(self) -> list[str]:
        """Return where these files may lie."""
        return archives.directories(self.live_path, self._named)

    def has_name(self, path: str) -> bool:
        """Tell whether this is how files of the log are called."""
        name = os.path.basename(path)
        logs = self._paths
        return path in logs or any(archives.is_rotated(name, os.path.basename(log)) for log in logs)

    @cached_property
    def _paths(self) -> list[str]:
        """The live log's path, and that of what it leads to if it is a link."""
        return list(dict.fromkeys((self.live_path, os.path.realpath(self.live_path))))

    def own_directories(self) -> list[str]:
        """Return the directory of the live log, and of what it leads to if it is a link."""
        paths = (self.live_path, os.path.realpath(self.live_path))
        return list(dict.fromkeys(os.path.dirname(path) or "." for path in paths))

    def absence(self) -> LogError:
        """Return what is said where there is none of these files."""
        return LogError(f"{self.name}: no such file; name the mail log with --log")


class DatedWhereabouts(Whereabouts):
    """Where a log lies whose files have dates in their names: the pattern is its name."""

    def __init__(self, pattern: NamePattern, named: Sequence[str]) -> None:
        """Take them for what was named."""
        super().__init__(pattern.written, named)
        self._pattern = pattern
        self.live_path = ""

    def live(self) -> LogFile | None:
        """Return the file of the latest date, None if there is none."""
        self.live_path = self._pattern.newest(self._pattern.find(), time.time()) or ""
        if not self.live_path and self._pattern.refused:
            raise self._pattern.refused[0]
        return super().live() if self.live_path else None

    def older(self) -> list[LogFile]:
        """Return all other files of this log, compressed ones as well."""
        self.live()
        files = []
        for directory, is_named in self._places():
            found = self._pattern.find(directory, ("", *COMPRESSED))
            if self._pattern.refused and (is_named or directory == self._pattern.directory):
                raise self._pattern.refused[0]
            files += [file.path for file in found if file.path != self.live_path]
        return archives.there(files)

    def directories(self) -> list[str]:
        """Return where these files may lie."""
        found: dict[str, None] = {}
        for directory, _ in self._places():
            self._pattern.find(directory)
            found |= self._pattern.directories
            found[directory] = None
        return list(found)

    def has_name(self, path: str) -> bool:
        """Tell whether this is how files of the log are called."""
        stem, ending = os.path.splitext(path)
        return self._pattern.fits(stem if ending in COMPRESSED else path)

    def own_directories(self) -> list[str]:
        """Return the directory of the live log, and the one below which all are."""
        own = [self._pattern.directory]
        return [*super().own_directories(), *own] if self.live_path else own

    def absence(self) -> LogError:
        """Return what is said where there is none of these files."""
        return LogError(
            f"{self.name}: there is no file of such a name; name the mail log with --log"
        )

    def _places(self) -> list[tuple[str, bool]]:
        """Return each directory below which to look, and whether it was named as that."""
        own = self._pattern.directory
        usual = [os.path.join(own, below) for below in archives.USUAL_ARCHIVES]
        return [(own, False), *((place, False) for place in usual)] + [
            (place, True) for place in self._named
        ]


def of(name: str, named: Sequence[str] = ()) -> Whereabouts:
    """Return where a log lies.

    name:  the path of its live file, or a pattern with dates
    named: directories where older generations lie, besides the usual ones
    """
    # No run with a plain name has need of it.
    if "%" in name:
        from check_postfix.maillog.source import name_pattern

        if name_pattern.is_dated(name):
            return DatedWhereabouts(name_pattern.NamePattern(name), named)
    return Whereabouts(name, named)
