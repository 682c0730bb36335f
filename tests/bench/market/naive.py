"""What one writes in five minutes: a loop over the lines, one expression, one table.

python naive.py FILE           status by minute: prints STATUS NUMBER
python naive.py --bare FILE    the status words alone, without asking when or who
"""

import re
import sys
from collections import Counter

if sys.argv[1] == "--bare":
    find = re.compile(r"status=(\w+)").search
else:
    find = re.compile(r"(.{12}|.{16}):\d\d\S* \S+ postfix\S*: .* status=(\w+)").match
counts = Counter()
with open(sys.argv[-1], errors="replace") as log:
    for line in log:
        if found := find(line):
            counts[found.groups()] += 1
statuses = Counter()
for (*_, status), number in counts.items():
    statuses[status] += number
for status, number in sorted(statuses.items()):
    print(status, number)
