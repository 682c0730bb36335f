"""Print the new lines of a log with nagiosplugin's LogTail.

python log_tail.py LOG COOKIE
"""

import sys

from nagiosplugin import Cookie, LogTail

log, cookie = sys.argv[1:]
with LogTail(log, Cookie(cookie)) as lines:
    for line in lines:
        sys.stdout.buffer.write(line)
