"""What a scenario left behind, as the tests ask for it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import namespace
from .commands import Result

# Generous: the scenario takes half a minute on a slow machine.
SECONDS = 300
PERFDATUM = re.compile(r"(\w+)=(-?[\d.]+)(s|%|B|)(?:;\S*)?")


@dataclass(frozen=True)
class Outcome:
    """The truth, the results of the checks by `user/check/occasion`, and the logs."""

    directory: Path
    done: dict[str, Any]
    results: dict[str, Result]

    def log(self, name: str = "mail.log") -> Path:
        """Return the path of one of the two logs."""
        return self.directory / "log" / name


def run_scenario(directory: Path) -> Outcome:
    """Run the scenario in a namespace and collect what it leaves in the directory."""
    # The unprivileged user of the scenario has to reach it.
    directory.chmod(0o755)
    namespace.run_inside("tests.integration.observations", str(directory), timeout=SECONDS)
    results = json.loads((directory / "results.json").read_text())
    return Outcome(
        directory,
        json.loads((directory / "done.json").read_text()),
        {name: Result(**result) for name, result in results.items()},
    )


def perfdata(stdout: str) -> dict[str, float]:
    """Return the perfdata of an output, all of which must stand on its first line."""
    first, _, rest = stdout.partition("\n")
    assert "|" not in rest, f"perfdata after the first line: {rest!r}"
    words = first.partition("|")[2].split()
    matches = [PERFDATUM.fullmatch(word) for word in words]
    assert all(matches), f"not perfdata: {words}"
    return {match[1]: float(match[2]) for match in matches if match}
