"""Passive results: outcomes as a monitoring takes them that did not ask for them.

Each is the result of a service of its own, whose name is that of the check with hyphens:
`postfix-deferred`. No character of an outcome can end a field or a record, for only printable ones
are left in it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from check_postfix.plugin.output import Outcome


def service(outcome: Outcome) -> str:
    """Return the name of the service that an outcome belongs to."""
    return outcome.name.replace(" ", "-")


def nsca(outcomes: Sequence[Outcome], host: str) -> str:
    """Return what send_nsca reads: host, service, exit code and text, with tabs between.

    A record ends with the character 23, so that a text may have several lines.
    """
    return "".join(f"{host}\t{service(one)}\t{one.exit_code}\t{one}\x17" for one in outcomes)


def command(outcomes: Sequence[Outcome], host: str, now: float) -> str:
    """Return lines for the external command file of Nagios, Naemon or Icinga.

    now: seconds since 1970
    """
    return "".join(
        f"[{int(now)}] PROCESS_SERVICE_CHECK_RESULT;{host};{service(one)};{one.exit_code};"
        + str(one).removesuffix("\n").replace("\n", "\\n")
        + "\n"
        for one in outcomes
    )


def icinga(outcomes: Sequence[Outcome], host: str) -> str:
    """Return what Icinga 2's API takes for process-check-result, a body of JSON in each line."""
    import json

    return "".join(
        json.dumps(
            {
                "type": "Service",
                "filter": "host.name == on_host && service.name == of_service",
                "filter_vars": {"on_host": host, "of_service": service(one)},
                "exit_status": one.exit_code,
                "plugin_output": "\n".join([one.words, *one.lines]),
                "performance_data": [str(metric) for metric in one.metrics],
            }
        )
        + "\n"
        for one in outcomes
    )
