"""What Grafana does with a dashboard before it asks: variables and macros are filled in.

Grafana itself is not to be had from Debian, so this stands in for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .dashboards import FOLDER


def load(name: str) -> dict[str, Any]:
    """Return a dashboard as it is shipped."""
    dashboard: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return dashboard


def targets(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every query of a dashboard, with the title of its panel."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target


def host(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variable by which a host is chosen."""
    variables: list[dict[str, Any]] = dashboard["templating"]["list"]
    return next(variable for variable in variables if variable["name"] == "host")


def filled(query: str, host: str) -> str:
    """Return a query as it is sent for the last hour of a host, in steps of a minute."""
    values = {"host": host, "timeFilter": "time >= now() - 1h", "__interval": "1m"}
    return re.sub(r"\$(\w+)", lambda variable: values[variable[1]], query)


def legend(alias: str, tags: Mapping[str, str]) -> str:
    """Return what a series of InfluxDB is called in the legend."""
    return re.sub(r"\$tag_(\w+)", lambda tag: tags[tag[1]], alias)


def count_matching(values: list[str], regex: str) -> list[str]:
    """Return what a variable offers of the values that its query has found."""
    if not regex:
        return sorted(set(values))
    found = (re.search(regex.strip("/"), value) for value in values)
    return sorted({match[1] for match in found if match})
