"""The reading of a report: from the logs to its book, by this process or by several."""

from __future__ import annotations

from check_postfix.command import parts
from check_postfix.command.logs import Rotated
from check_postfix.command.meter import BytesRead
from check_postfix.command.report import addresses
from check_postfix.command.report.entries import Entries
from check_postfix.command.report.known import Known
from check_postfix.command.report.scan import Scan
from check_postfix.command.report.underway import Underway
from check_postfix.command.report.writer import Origins
from check_postfix.command.text import clean
from check_postfix.command.uncollected import uncollected
from check_postfix.maillog.errors import LogError
from check_postfix.maillog.source.lines import BLOCK
from check_postfix.plugin import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from check_postfix.command.logs import File, Logs
    from check_postfix.command.parts import FilePart
    from check_postfix.command.report.book import Book
    from check_postfix.command.report.chapter import Chapter
    from check_postfix.command.report.span import Span

# A compressed file is one part; so much of it is told at a time.
_CHAPTER_BYTES = 2 << 20


class Reading:
    """Reads the logs into a book.

    unread: what could not be read, in sentences
    was_interrupted: whether Ctrl-C ended it
    has_failed: whether a file could not be read to its end
    """

    def __init__(self, book: Book, options: Namespace, zone: tzinfo | None, of_time: Span) -> None:
        self._book = book
        self._options = options
        self._since = of_time.since
        spelled = addresses.spelling(options.ignore_case, int(options.verp), options.bang_paths)
        self._way = of_time, zone, spelled, options.reject_senders
        self._entries = Entries(book, Underway(book.shelf), *self._way)
        self._origins = Origins()
        self._known = Known()
        self._files: list[File] = []
        self._left: list[File] = []
        self.unread: list[str] = []
        self.was_interrupted = False
        self.has_failed = False

    def read(self, logs: Logs, jobs: int = 1) -> None:
        """Read all of them.

        jobs: processes that read

        Raises: Rotated if a log was rotated meanwhile
        """
        self._files = [file for file in logs.files if file.modified >= self._since * 60]
        self._left = list(self._files)
        try:
            with BytesRead(sum(file.size for file in self._files)) as progress:
                if cut := parts.for_several(self._files, jobs, BLOCK):
                    self._read_together(logs, progress, cut, jobs)
                else:
                    # Not what several read: each of its chapters refers to itself.
                    with uncollected():
                        self._read_alone(logs, progress)
        except KeyboardInterrupt:
            self.was_interrupted = True
            names = ", ".join(clean(file.name.encode()) for file in self._left)
            self.unread.append(f"ended by Ctrl-C; what is left: {names}")
        self._entries.tidy()
        self.unread += [clean(note.encode()) for note in logs.notes]
        self.unread += _not_understood(self._book)

    def _scan(self, file: File, entries: Entries, origins: Origins) -> Scan:
        instance = self._options.instance.encode()
        return Scan(
            file.timestamps, entries, origins, self._known, instance, self._options.connections
        )  # fmt: skip

    def _read_alone(self, logs: Logs, progress: BytesRead) -> None:
        for file in self._files:
            scan = self._scan(file, self._entries, self._origins)
            try:
                for block in file.scanned():
                    scan.block(block)
                    progress.read(file.name, len(block))
            except LogError as error:
                logs.notes.append(str(error))
                self.has_failed = True
            self._left.remove(file)

    def _read_together(
        self, logs: Logs, progress: BytesRead, cut: Sequence[FilePart], jobs: int
    ) -> None:
        # Who reads alone loads none of this.
        from check_postfix.workers import Workers

        with Workers(min(jobs, len(cut)), cut, self._chapters) as workers:
            for part, chapter in workers.answers():
                file = self._files[part.file]
                self._left = self._files[part.file :]
                if isinstance(chapter, Rotated):
                    raise chapter
                if isinstance(chapter, str):
                    logs.notes.append(chapter)
                    self.has_failed = True
                    continue
                chapter.add_to(self._entries, self._origins)
                progress.read(file.name, chapter.size)
        self._left = []

    def _chapters(self, part: FilePart) -> Iterator[Chapter | str | Rotated]:
        """Yield what a part tells, and what could not be read of it; in a worker."""
        from check_postfix.command.report.chapter import ChapterEntries

        file, origins = self._files[part.file], Origins()
        entries = ChapterEntries(*self._way)
        scan = self._scan(file, entries, origins)
        if part.before:
            scan.go_on_after(part.before)
        size = 0
        try:
            for block in file.scanned(part.start, part.end):
                scan.block(block)
                size += len(block)
                if size >= _CHAPTER_BYTES and part.end is None:
                    yield entries.chapter(origins, size)
                    entries, size = entries.next(), 0
                    scan.enter_into(entries)
        except LogError as error:
            yield entries.chapter(origins, size)
            yield str(error)
        except Rotated as error:
            yield error
        else:
            yield entries.chapter(origins, size)


def _not_understood(book: Book) -> list[str]:
    found = []
    for number, words in (
        (book.total("lines_dropped"), "rsyslog has dropped lines here; see $imjournalRatelimit"),
        (book.unparsed_mail, "no frame that is known, and Postfix or Dovecot in them"),
        (book.unparsed - book.unparsed_mail, "no frame that is known"),
        (book.undated, "no date that there is"),
        (book.total("line_truncated"), "a delivery that was cut off"),
        (book.total("delivery_ambiguous"), "a delivery that can be read in more than one way"),
        (book.total("delivery_unknown"), "a delivery of an unknown form"),
        (book.total("reject_unknown"), "a reject of an unknown form"),
        (book.total("login_unknown"), "a login of an unknown form"),
        (book.total("sizeless"), "a delivery whose size stands before the log: not in the bytes"),
    ):
        if number:
            found.append(f"{values.amount(number, 'line')}: {words}")
    return found
