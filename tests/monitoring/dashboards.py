"""Write the Grafana dashboards of icinga/dashboards/ from the checks' declarations.

    python -m tests.monitoring.dashboards          # rewrites the files

tests/monitoring/test_dashboards.py fails when they differ from the declarations.

A panel can only be made of declared labels: anything else is a KeyError here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from check_postfix.plugin import Check, Label, Option
from tests.support.definitions import ROOT, checks, log_checks, names

FOLDER = ROOT / "icinga" / "dashboards"

# Grafana 10.0; later ones bring it up to date when they load it.
SCHEMA_VERSION = 38

# How Grafana names what perfdata calls this.
UNITS = {"": "short", "%": "percent", "s": "s", "B": "bytes"}

COLOURS = {
    "sent": "green",
    "deferred": "orange",
    "deferred_messages": "orange",
    "bounced": "red",
    "expired": "purple",
    "hold": "blue",
    "active": "green",
    "incoming": "yellow",
    "maildrop": "purple",
    "attempts": "text",
    "queue_size": "text",
    "rejects_usual": "text",
    "usual_low": "text",
    "usual_high": "text",
}

# The worst value stands for an interval: zooming out must not hide a peak.
WORST = "max"

# Longer silence than this is shown as a gap, in milliseconds.
GAP = 15 * 60 * 1000

CHECKS = dict(zip(names(checks()), checks(), strict=True))


@dataclass(frozen=True)
class Panel:
    """One panel: labels of one check.

    lines:   labels drawn as lines
    stacked: labels drawn as areas, one upon the other
    limits:  label whose default thresholds are drawn
    """

    title: str
    check: str
    lines: list[str] = field(default_factory=list)
    stacked: list[str] = field(default_factory=list)
    limits: str = ""
    width: int = 8


GLANCE = [
    Panel("Deferral ratio", "deferred", ["deferred_ratio"], limits="deferred_ratio"),
    Panel("Bounce ratio", "bounces", ["bounce_ratio"], limits="bounce_ratio"),
    Panel("Failed logins", "auth", ["auth_failures"], limits="auth_failures"),
    Panel("Rejects, times the usual", "rejects", ["reject_factor"], limits="reject_factor"),
    Panel("Messages in the queue", "queue", ["queue_size"], limits="queue_size"),
    Panel("Oldest message", "queue", ["queue_oldest"], limits="queue_oldest"),
    Panel("Delay of first deliveries", "delay", ["delay_p95"], limits="delay_p95"),
    Panel("Age of the log", "log", ["log_age"], limits="log_age"),
]
ROWS = {
    "Deferrals": [
        Panel("Deferral ratio", "deferred", ["deferred_ratio"], limits="deferred_ratio"),
        Panel(
            "Delivery attempts by outcome",
            "deferred",
            ["attempts", "expired"],
            ["sent", "deferred", "bounced"],
            width=16,
        ),
    ],
    "Volume": [
        Panel("Messages", "deferred", ["accepted", "deferred_messages"], width=8),
        Panel("Bytes of mail", "deferred", ["bytes_received", "bytes_delivered"], width=8),
        Panel("Time without a delivery to others", "deferred", ["standstill"], width=8),
    ],
    "Volume against the usual": [
        Panel("Mail, times the usual", "volume", ["volume_factor"]),
        Panel(
            "Mail and its usual range",
            "volume",
            ["received", "sent", "connections", "usual_low", "usual_high"],
            width=8,
        ),
        Panel("Time without mail", "volume", ["silence"], width=4),
        Panel(
            "The same, times the usual",
            "volume",
            ["silence_factor"],
            limits="silence_factor",
            width=4,
        ),
    ],
    "Bounces": [
        Panel("Bounce ratio", "bounces", ["bounce_ratio"], limits="bounce_ratio"),
        Panel("Final outcomes", "bounces", ["expired"], ["sent", "bounced"]),
        Panel("Why mail bounced", "bounces", ["bounced_550", "bounced_554", "mailbox_full"]),
    ],
    "Logins": [
        Panel(
            "Failed logins",
            "auth",
            ["auth_failures", "auth_worst_client", "auth_worst_account", "auth_backend_errors"],
            limits="auth_failures",
            width=8,
        ),
        Panel(
            "Clients and accounts with failed logins",
            "auth",
            ["auth_clients", "auth_accounts"],
            width=4,
        ),
        Panel(
            "The same in the slow window",
            "auth",
            ["auth_failures_slow", "auth_worst_client_slow", "auth_worst_account_slow"],
            width=8,
        ),
        Panel("Guessed accounts", "auth", ["auth_guessed"], width=4),
    ],
    "Rejects": [
        Panel("Rejects, times the usual", "rejects", ["reject_factor"], limits="reject_factor"),
        Panel("Rejects and their usual number", "rejects", ["rejects", "rejects_usual"], width=16),
    ],
    "Delay": [
        Panel(
            "Delay of first deliveries",
            "delay",
            ["delay_p50", "delay_p95", "delay_p99", "retried_p95"],
            limits="delay_p95",
        ),
        Panel(
            "95th percentile of each stage",
            "delay",
            ["delay_before_queue", "delay_queue", "delay_connection", "delay_transmission"],
        ),
        Panel("First deliveries and retries", "delay", stacked=["deliveries", "retried"]),
    ],
    "Senders": [
        Panel(
            "Messages of a sender, times its usual",
            "senders",
            ["sender_worst_factor", "sender_busiest_factor"],
            width=6,
        ),
        Panel(
            "Messages and recipients of the busiest sender",
            "senders",
            ["sender_worst_messages", "sender_worst_recipients"],
            width=6,
        ),
        Panel(
            "Senders, and networks of one",
            "senders",
            ["senders", "sender_worst_clients"],
            width=6,
        ),
        Panel("Bounced of a sender's recipients", "senders", ["sender_worst_bounced"], width=6),
    ],
    "Recipients": [
        Panel(
            "Messages for a recipient, times its usual",
            "recipients",
            ["recipient_worst_factor"],
        ),
        Panel(
            "Messages for the busiest recipient",
            "recipients",
            ["recipient_worst_messages"],
        ),
        Panel(
            "Recipients, and clients of one that is asked for",
            "recipients",
            ["recipients", "recipient_worst_clients", "recipient_worst_rejects"],
        ),
    ],
    "The log itself": [
        Panel("Age of the newest line", "log", ["log_age"], limits="log_age"),
        Panel("Age of the oldest archive", "log", ["oldest_log"]),
        Panel("Lines read", "log", ["lines"]),
    ],
    "What the log tells of Postfix": [
        Panel(
            "Trouble of Postfix",
            "log",
            [
                *("fatal", "panic", "throttled", "no_room", "turned_away", "local_faults"),
                "warnings",
            ],
            width=12,
        ),
        Panel(
            "Lines lost, not understood, or of dialogues",
            "log",
            ["lost_messages", "gaps", "not_understood", "debug_lines"],
            width=12,
        ),
    ],
    "Queue": [
        Panel(
            "Messages by queue",
            "queue",
            ["queue_size"],
            ["deferred", "active", "incoming", "hold", "maildrop"],
            limits="queue_size",
        ),
        Panel("Age of the oldest message", "queue", ["queue_oldest"], limits="queue_oldest"),
        Panel("Size of the queue", "queue", ["queue_bytes"]),
    ],
    "Ages in the queue": [
        Panel(
            "Age of the oldest message by queue, and of deferred mail for several domains",
            "queue",
            [
                "deferred_age",
                *(f"{name}_oldest" for name in ("deferred", "active", "incoming", "hold")),
                "maildrop_oldest",
            ],
            width=24,
        ),
    ],
    "Lost log lines": [
        Panel(
            f"Gaps, and lines not understood: {check}",
            check,
            ["gaps", "not_understood"],
            width=24 // len(log_checks()),
        )
        for check in names(log_checks())
    ],
}


class Influxdb:
    """InfluxDB, filled by Icinga 2's InfluxdbWriter or Influxdb2Writer with their usual templates.

    One measurement a check command, one series a label: tags hostname, service, metric.
    InfluxDB 2 answers the same queries where its bucket is mapped to a database (DBRP).
    """

    name = "influxdb"
    title = "InfluxDB"
    hosts = {"query": 'SHOW TAG VALUES FROM /^check_postfix_/ WITH KEY = "hostname"', "regex": ""}

    @staticmethod
    def target(check: Check, label: Label) -> dict[str, Any]:
        """Return what is asked for one label."""
        return {
            "query": (
                f'SELECT {WORST}("value") FROM "{check.executable}"'
                f" WHERE \"hostname\" = '$host' AND \"metric\" = '{label.name}' AND $timeFilter"
                ' GROUP BY time($__interval), "service" fill(null)'
            ),
            "rawQuery": True,
            "resultFormat": "time_series",
            "alias": f"{label.name} ($tag_service)",
        }


class Graphite:
    """Graphite, filled by Icinga 2's GraphiteWriter with its usual template."""

    name = "graphite"
    title = "Graphite"
    hosts = {
        "query": "expand(icinga2.*.services.*.check_postfix_*)",
        "regex": r"/^icinga2\.([^.]+)\./",
    }

    @staticmethod
    def target(check: Check, label: Label) -> dict[str, Any]:
        """Return what is asked for one label."""
        path = f"icinga2.$host.services.*.{check.executable}.perfdata.{label.name}.value"
        worst = f"consolidateBy({path}, '{WORST}')"
        return {
            "target": rf"aliasSub(aliasByNode({worst}, 3), '(.+)', '{label.name} (\1)')",
            "textEditor": True,
        }


Store = type[Influxdb] | type[Graphite]
STORES: list[Store] = [Influxdb, Graphite]


def dashboard(store: Store) -> dict[str, Any]:
    """Return the dashboard for one kind of store."""
    return {
        "uid": f"check-postfix-{store.name}",
        "title": f"Postfix ({store.title})",
        "description": "What the check_postfix plugins measure, as Icinga 2 hands it on.",
        "tags": ["postfix", "mail", "icinga"],
        "schemaVersion": SCHEMA_VERSION,
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": _variables(store)},
        "panels": _panels(store),
    }


def _variables(store: Store) -> list[dict[str, Any]]:
    return [
        {"type": "datasource", "name": "datasource", "label": "Data source", "query": store.name},
        {
            "type": "query",
            "name": "host",
            "label": "Host",
            "datasource": _datasource(store),
            **store.hosts,
            "refresh": 2,
            "sort": 1,
            "multi": False,
            "includeAll": False,
        },
    ]


def _datasource(store: Store) -> dict[str, str]:
    return {"type": store.name, "uid": "${datasource}"}


def _panels(store: Store) -> list[dict[str, Any]]:
    """Return all panels with their places: Grafana's grid is 24 wide."""
    panels: list[dict[str, Any]] = []

    def place(panel: dict[str, Any], x: int, y: int, width: int, height: int) -> None:
        grid = {"x": x, "y": y, "w": width, "h": height}
        panels.append({"id": len(panels) + 1, **panel, "gridPos": grid})

    width = 24 // len(GLANCE)
    for number, glance in enumerate(GLANCE):
        place(_stat(glance, store), number * width, 0, width, 4)
    y = 4
    for title, members in ROWS.items():
        place({"type": "row", "title": title, "collapsed": False, "panels": []}, 0, y, 24, 1)
        x = 0
        for panel in members:
            place(_time_series(panel, store), x, y + 1, panel.width, 8)
            x += panel.width
        y += 9
    return panels


def _stat(panel: Panel, store: Store) -> dict[str, Any]:
    return {
        "type": "stat",
        **_common(panel, store),
        "options": {
            "colorMode": "background",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
    }


def _time_series(panel: Panel, store: Store) -> dict[str, Any]:
    common = _common(panel, store)
    common["fieldConfig"]["defaults"]["custom"] = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 0 if panel.stacked else 10,
        "spanNulls": GAP,
        "showPoints": "auto",
        "thresholdsStyle": {"mode": "dashed" if panel.limits else "off"},
    }
    stacked = {
        "custom.stacking": {"mode": "normal", "group": "A"},
        "custom.fillOpacity": 50,
    }
    common["fieldConfig"]["overrides"] = [
        _override(
            label,
            ({"color": _fixed(COLOURS[label])} if label in COLOURS else {})
            | (stacked if label in panel.stacked else {}),
        )
        for label in [*panel.stacked, *panel.lines]
    ]
    return {
        "type": "timeseries",
        **common,
        "options": {
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
                "calcs": [],
            },
            "tooltip": {"mode": "multi", "sort": "none"},
        },
    }


def _override(label: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return how the series of one label, of whatever service, are drawn."""
    return {
        "matcher": {"id": "byRegexp", "options": rf"/^{label} \(/"},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _common(panel: Panel, store: Store) -> dict[str, Any]:
    check = CHECKS[panel.check]
    declared = {label.name: label for label in check.labels}
    labels = [declared[name] for name in [*panel.stacked, *panel.lines]]
    (uom,) = {label.uom for label in labels}
    meanings = "\n".join(f"- {label.name}: {label.meaning}" for label in labels)
    return {
        "title": panel.title,
        "description": meanings + _about_limits(check, panel.limits),
        "datasource": _datasource(store),
        # Checks run once a minute at most.
        "interval": "1m",
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _datasource(store),
                **store.target(check, label),
            }
            for number, label in enumerate(labels)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": UNITS[uom],
                "min": 0,
                "color": {"mode": "palette-classic"},
                "thresholds": {"mode": "absolute", "steps": _steps(check, panel.limits)},
            },
            "overrides": [],
        },
    }


def _about_limits(check: Check, label: str) -> str:
    if not label:
        return ""
    return f"\n\nThe thresholds are the defaults of {check.executable}."


def _steps(check: Check, label: str) -> list[dict[str, Any]]:
    """Return the colours from below: green, and where the default thresholds begin."""
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    for threshold in check.thresholds:
        if threshold.metric == label:
            steps += [
                {"color": "yellow", "value": _end(threshold.warning)},
                {"color": "red", "value": _end(threshold.critical)},
            ]
    return steps


def _end(limit: Option) -> float:
    """Return where a default range ends; only such can be drawn as a line."""
    assert limit.default is not None
    limits: Any = limit.parse(limit.default)
    assert (limits.start, limits.invert) == (0, False)
    end: float = limits.end
    return end


def _fixed(colour: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": colour}


def files() -> dict[Path, str]:
    """Return the generated files and what they must hold."""
    return {
        FOLDER / f"{store.name}.json": json.dumps(dashboard(store), indent=2) + "\n"
        for store in STORES
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in files().items():
        path.write_text(text)
