"""What a real Icinga 2 master with three agents makes of icinga/."""

from __future__ import annotations

import pytest

from tests.support.definitions import checks, log_checks, names

from . import icinga2

pytestmark = pytest.mark.integration

OK, CRITICAL, UNKNOWN = 0, 2, 3
MASTER = "mail.example.com"
CONDITIONS = names(checks())
AGENTS = ["mx1.example.com", "mx2.example.com"]
# The queue of an instance that this machine does not have.
WITHOUT_QUEUE = "relay.example.com!postfix-queue-postfix-out"
SERVICES = {
    *(f"{host}!postfix-{name}" for host in [MASTER, *AGENTS] for name in CONDITIONS),
    *(
        f"relay.example.com!postfix-{name}-{instance}"
        for name in CONDITIONS
        for instance in ("postfix", "postfix-out")
    ),
    *(f"mx3.example.com!postfix-{name}" for name in names(log_checks())),
    *(f"{host}!postfix-agent" for host in [*AGENTS, "mx3.example.com"]),
}


def test_icinga_accepts_the_example_hosts_with_all_that_is_shipped(cluster):
    assert cluster["validated"] == 0, cluster["words"]
    # Of 2.14 and later, about the users of the API, which are ours to define.
    assert icinga2.complaints(cluster["words"]) == []


def test_every_kind_of_host_gets_its_services(cluster):
    assert set(cluster["well"]) == SERVICES


def test_all_is_well_before_something_happens(cluster):
    not_well = {
        name: service["output"] for name, service in cluster["well"].items() if service["state"]
    }

    assert list(not_well) == [WITHOUT_QUEUE], not_well


def test_each_check_runs_where_its_log_is(cluster):
    sources = {name: service["check_source"] for name, service in cluster["well"].items()}

    for name, source in sources.items():
        host, service = name.split("!")
        if service == "postfix-agent":
            assert source == MASTER, name
        elif host == "mx3.example.com":
            assert source == "log.example.com", name
        else:
            assert source == (host if host in AGENTS else MASTER), name


def test_a_central_log_is_judged_by_host(cluster):
    """The log of log.example.com also holds the trouble of mx4."""
    first, *_ = cluster["well"]["mx3.example.com!postfix-deferred"]["output"].splitlines()

    assert first.rstrip() == "POSTFIX DEFERRED OK - 0 % of 40 delivery attempts deferred in 15 min"


def test_instances_are_judged_each_for_itself(cluster):
    well = cluster["well"]

    for instance in ("postfix", "postfix-out"):
        service = well[f"relay.example.com!postfix-deferred-{instance}"]
        assert service["performance_data"][1] == "attempts=40;;;0"
    assert "/etc/postfix-out" in well[WITHOUT_QUEUE]["output"]


def test_thresholds_of_a_host_reach_its_agent(cluster):
    service = cluster["well"]["mx1.example.com!postfix-deferred"]

    assert service["performance_data"][0] == "deferred_ratio=0%;20;40;0;100"


def test_a_spike_on_one_agent_alarms_on_the_master(cluster):
    before, after = cluster["well"], cluster["spike at mx2"]
    service = after["mx2.example.com!postfix-deferred"]

    changed = {name for name in SERVICES if after[name]["state"] != before[name]["state"]}
    assert changed == {
        f"mx2.example.com!postfix-{name}" for name in ("auth", "bounces", "deferred")
    }
    assert service["state"] == CRITICAL
    assert service["check_source"] == "mx2.example.com"
    assert service["output"].startswith(
        "POSTFIX DEFERRED CRITICAL - 41.7 % of 120 delivery attempts deferred in 15 min"
    )


def test_a_killed_agent_is_noticed(cluster):
    agent = cluster["mx1 killed"]["mx1.example.com!postfix-agent"]

    assert agent["state"] == CRITICAL
    assert agent["output"].startswith("Zone 'mx1.example.com' is not connected.")
    assert cluster["mx1 killed"]["mx2.example.com!postfix-agent"]["state"] == OK


def test_alarms_arrive_by_a_way_that_is_not_mail(cluster):
    alarms = {(alarm["host"], alarm["service"]): alarm for alarm in cluster["alarms"]}
    alarm = alarms["mx2.example.com", "postfix-deferred"]

    assert alarm["state"] == "CRITICAL"
    assert alarm["text"].startswith(
        "PROBLEM: mx2.example.com postfix-deferred CRITICAL: POSTFIX DEFERRED CRITICAL - 41.7 %"
    )
    assert alarm["text"].count("\n") >= 4


def test_of_a_killed_agent_the_agent_alarms_and_not_what_it_should_have_run(cluster):
    deferred = cluster["mx1 killed"]["mx1.example.com!postfix-deferred"]

    assert deferred["state"] == UNKNOWN
    assert not deferred["last_reachable"]
    services = [alarm["service"] for alarm in cluster["alarms"] if alarm["host"] == AGENTS[0]]
    assert services == ["postfix-agent"]
