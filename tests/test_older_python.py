"""What an older Python is told that is given a clone."""

from __future__ import annotations

import subprocess
import sys

from tests.support.package import CHECKS


def test_a_python_that_is_too_old_is_unknown_in_one_line():
    program = (
        "import sys; sys.version_info = (3, 9, 2, 'final', 0); import check_postfix; print('more')"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(CHECKS)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (
        3,
        "POSTFIX UNKNOWN - Python 3.9 is too old; check_postfix needs 3.11 or later,"
        " name it in place of this one\n",
        "",
    )
