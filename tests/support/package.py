"""The package as a tree: its modules by name, and what each of them imports."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKS = ROOT / "checks"
PACKAGE = CHECKS / "check_postfix"


def dotted(path: Path) -> str:
    """Return a module's name; a package's has no `__init__`."""
    parts = path.relative_to(CHECKS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def existing(*names: str) -> set[str]:
    """Return the whole names of some modules, for a guard to look for.

    names:  as in `maillog.ingest.ingest`
    Raises: LookupError for a name that no module has: a guard that looks for it would
            hold for ever
    """
    whole = {f"check_postfix.{name}" for name in names}
    if missing := whole - MODULES.keys():
        raise LookupError(f"no such module: {', '.join(sorted(missing))}")
    return whole


def of_room(name: str) -> set[str]:
    """Return the whole names of a room and of all modules in it; raises as `existing`."""
    (whole,) = existing(name)
    return {module for module in MODULES if module == whole or module.startswith(f"{whole}.")}


def imported(path: Path) -> set[str]:
    """Return the project's modules that a module imports when it runs or is type-checked."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                names.add(whole if whole in MODULES else node.module)
    return {name for name in names if name.startswith("check_postfix")}
