"""Print the new lines of a log, with a library that is made for that.

tails.py pygtail LOG OFFSET-FILE [full_lines] [log_patterns=PATTERN]
tails.py LogTail LOG COOKIE
"""

import sys


def pygtail(log, offset, *options):
    from pygtail import Pygtail

    full_lines = "full_lines" in options
    patterns = [option.partition("=")[2] for option in options if "=" in option]
    for line in Pygtail(log, offset_file=offset, full_lines=full_lines, log_patterns=patterns):
        # those of a compressed archive come as bytes
        yield line if isinstance(line, bytes) else line.encode()


def log_tail(log, cookie):
    from nagiosplugin import Cookie, LogTail

    with LogTail(log, Cookie(cookie)) as lines:
        yield from lines


library, *arguments = sys.argv[1:]
for line in {"pygtail": pygtail, "LogTail": log_tail}[library](*arguments):
    sys.stdout.buffer.write(line)
