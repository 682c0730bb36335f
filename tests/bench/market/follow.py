"""The usual use of pygtail: a loop over the new lines, one expression.

python follow.py FILE OFFSET-FILE    prints how many new lines say status=deferred
"""

import re
import sys

from pygtail import Pygtail

deferred = re.compile(r"status=deferred")
print(sum(1 for line in Pygtail(sys.argv[1], offset_file=sys.argv[2]) if deferred.search(line)))
