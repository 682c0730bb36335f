"""The machine within the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import namespace

pytestmark = pytest.mark.integration

INSIDE = """
import sys
from pathlib import Path
from tests.integration import namespace
log = Path(sys.argv[1])
namespace.furnish(log, {}, [], "mx")
changed = Path("/run/changed")
changed.write_text("inside")
namespace.sh("mount", "--bind", str(changed), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
print(Path(sys.argv[2]).read_text(), flush=True)
"""


def test_a_file_that_is_renamed_over_outside_is_the_same_inside(tmp_path):
    """As /etc/group when another test installs a package that has a user."""
    if reason := namespace.why_impossible():
        pytest.skip(reason)
    file = Path("/etc/check_postfix-test")
    file.write_text("outside")
    try:
        command = [*namespace.UNSHARE, sys.executable, "-c", INSIDE, tmp_path, file]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=namespace.PROJECT
        ) as inside:
            assert inside.stdin is not None
            assert inside.stdout is not None
            assert inside.stdout.readline() == "ready\n"
            new = file.with_suffix(".new")
            new.write_text("outside, new")
            new.rename(file)
            said, _ = inside.communicate("\n", timeout=60)
    finally:
        file.unlink()

    assert said == "inside\n"
