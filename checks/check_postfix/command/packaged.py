"""Packaged: what has brought the installation that runs, and where its pages lie."""

from __future__ import annotations

# Of Debian's packages; nothing else may put anything there.
_PACKAGED = "/usr/lib/python3/dist-packages/"
_README = "/usr/share/doc/check-postfix/README.md"


def is_packaged() -> bool:
    """Tell whether a package of the distribution has brought this."""
    return __file__.startswith(_PACKAGED)


def readme() -> str:
    """Return where the page lies that says how to install."""
    return _README if is_packaged() else "README.md"
