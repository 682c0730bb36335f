"""Print the new lines of a log with pygtail.

python tail.py LOG OFFSET-FILE [full_lines] [log_patterns=PATTERN]
"""

import sys

from pygtail import Pygtail

log, offset, *options = sys.argv[1:]
full_lines = "full_lines" in options
patterns = [option.partition("=")[2] for option in options if "=" in option]
for line in Pygtail(log, offset_file=offset, full_lines=full_lines, log_patterns=patterns):
    # those of a compressed archive come as bytes
    sys.stdout.buffer.write(line if isinstance(line, bytes) else line.encode())
