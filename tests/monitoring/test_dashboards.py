"""The dashboards show what the checks declare, all of it and nothing else."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest

from check_postfix.common.queue_source import Queue
from check_postfix.maillog.window.aged_file import AgedFile
from check_postfix.maillog.window.delays import Delays
from check_postfix.mailqueue.listing import Listing, QueuedMessage
from tests.support.builders import NOON, a_window, options
from tests.support.definitions import checks

from . import dashboards, grafana

EACH_CHECK = pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
EACH_STORE = pytest.mark.parametrize("store", [store.name for store in dashboards.STORES])
ASKED = {
    "influxdb": re.compile(r'FROM "(?P<command>\w+)" .* "metric" = \'(?P<label>\w+)\''),
    "graphite": re.compile(r"\*\.(?P<command>\w+)\.perfdata\.(?P<label>\w+)\.value"),
}
DECLARED = {(check.executable, label.name) for check in checks() for label in check.labels}


def asked(store: str) -> list[tuple[str, str]]:
    """Return every (check command, label) that a dashboard asks for."""
    found = []
    for _, target in grafana.targets(grafana.load(store)):
        query = target["query"] if store == "influxdb" else target["target"]
        shape = ASKED[store].search(query)
        assert shape, query
        found.append((shape["command"], shape["label"]))
    return found


def subjects(check: Any) -> list[Any]:
    """Return what a check may find: nothing at all, and something of everything."""
    if check.name == "postfix queue":
        names = ("active", "deferred", "hold", "incoming", "maildrop")
        messages = [
            QueuedMessage(name, name, NOON * 60 - 90, 1000, False, ("x@y",)) for name in names
        ]
        return [Queue(Listing(some, NOON * 60), 90) for some in ([], messages)]
    counters = ("sent", "deferred", "softbounce", "bounced", "expired", "auth_failed")
    clients = {"auth_failed client": [("192.0.2.1", 7)]}
    delays = Delays({place: {1: 30} for place in range(5)}, retried={1: 1})
    files = [AgedFile("/var/log/mail.log.1", 0o640, NOON - 1440)]
    everything = a_window(
        clients, 3, delays=delays, files=files, most={}, usual_of={"ann@example.com": 3},
        **dict.fromkeys(counters, 30),
    )  # fmt: skip
    return [a_window(), everything]


@pytest.mark.parametrize("path", list(dashboards.files()), ids=lambda path: path.name)
def test_the_dashboards_say_what_the_declarations_say(path):
    assert path.read_text() == dashboards.files()[path], (
        "run: python -m tests.monitoring.dashboards"
    )


@EACH_STORE
def test_every_declared_label_has_a_panel_and_no_panel_another_label(store):
    assert set(asked(store)) == DECLARED


def test_a_panel_of_a_label_that_no_check_declares_cannot_be_made():
    panel = dashboards.Panel("Deferral ratio", "deferred", ["deferal_ratio"])

    with pytest.raises(KeyError, match="deferal_ratio"):
        dashboards._stat(panel, dashboards.Influxdb)


# What a label is of that is not shown unasked.
ONLY_WITH = {"postfix recipients": ("--address", "ann@example.com")}


@EACH_CHECK
def test_a_check_measures_what_it_declares(check):
    nothing, everything = (
        {
            **check.measure(one, options(check, *ONLY_WITH.get(check.name, ()))),
            **check.source.measure(one),
        }
        for one in subjects(check)
    )

    declared = {label.name for label in check.labels}
    assert everything.keys() == declared
    assert nothing.keys() <= declared


@EACH_CHECK
def test_labels_are_lower_case_words_that_explain_themselves(check):
    names = [label.name for label in check.labels]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{2,23}", name) for name in names)
    assert all(label.meaning and label.meaning[-1] != "." for label in check.labels)


@EACH_CHECK
def test_a_threshold_is_of_a_declared_label(check):
    assert {one.metric for one in check.thresholds} <= {label.name for label in check.labels}


@EACH_STORE
def test_lines_are_drawn_where_the_default_thresholds_are(store):
    panels = grafana.load(store)["panels"]
    steps = {
        panel["title"]: [
            step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        ]
        for panel in panels
        if panel["type"] == "timeseries"
    }

    assert steps["Deferral ratio"] == [None, 10, 25]
    assert steps["Age of the oldest message"] == [None, 3600, 14400]
    assert steps["Delivery attempts by outcome"] == [None]


@EACH_STORE
def test_panels_lie_side_by_side(store):
    panels = grafana.load(store)["panels"]
    cells = [
        {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        for place in (panel["gridPos"] for panel in panels)
    ]

    assert not any(one & other for one, other in combinations(cells, 2))
    assert {x for x, _ in set().union(*cells)} == set(range(24))
    assert len({panel["id"] for panel in panels}) == len(panels)


@EACH_STORE
def test_grafana_knows_every_field_of_the_dashboards(store):
    """Grafana's own model of its dashboards, made of its sources, drops what it does not know."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    dashboard = grafana.load(store)

    understood = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))

    assert not list(lost(dashboard, understood))


def lost(written: Any, understood: Any, place: str = "") -> Any:
    """Yield the places at which what was written is not what was understood."""
    if isinstance(written, dict) and isinstance(understood, dict):
        for key, value in written.items():
            yield from lost(value, understood.get(key), f"{place}/{key}")
    elif isinstance(written, list) and isinstance(understood, list):
        for number, (one, other) in enumerate(zip(written, understood, strict=True)):
            yield from lost(one, other, f"{place}/{number}")
    elif written != understood:
        yield f"{place}: {written!r} became {understood!r}"
