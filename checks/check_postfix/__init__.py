"""Checks for the Postfix mail server, one condition each."""

import sys

__version__ = "0.2.0"

if sys.version_info < (3, 11):  # noqa: UP036 - pip refuses; a clone would die of its expressions
    print(
        "POSTFIX UNKNOWN - Python %d.%d is too old; check_postfix needs 3.11 or later,"  # noqa: UP031
        " name it in place of this one" % sys.version_info[:2]
    )
    raise SystemExit(3)
