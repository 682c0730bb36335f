"""The same records in every frame that a log can have are the same events."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from check_postfix.maillog.events.event import Event
from check_postfix.maillog.events.recogniser import recognise
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.source import export
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.entry import Entry
from tests.support import corpus, effort, material

MINUTE = 29896843  # 2026-11-04T16:43Z


class Said(NamedTuple):
    """What a program said, without a frame."""

    host: str
    tag: str
    process: str
    text: str
    expected: corpus.Happening | None


def _said() -> list[Said]:
    """Return what stands in the corpus in the plainest frame, and is not about its frame."""
    # A carriage return at the end is the frame's.
    plain = re.compile(rb"Nov 24 [\d:]{8} (\S+) ([^\s\[:]+)\[(\d+)\]: (.*)(?<!\r)", re.DOTALL)
    return [
        Said(
            *(part.decode("utf-8", "surrogateescape") for part in shape.groups()),
            _moved(entry.expected),
        )
        for entry in corpus.entries(
            path for path in corpus.files() if not path.name.endswith("frame.log")
        )
        if (shape := plain.fullmatch(entry.line))
    ]


def _moved(happening: corpus.Happening | None) -> corpus.Happening | None:
    return happening and happening._replace(minute=MINUTE)


def _is_no_utf_8(text: str) -> bool:
    return bool(re.search("[\udc80-\udcff]", text))


SAID = _said()
RECEIVED = "64D05240927: client=unknown[203.0.113.6]"
SMTPD = Said("mx1", "postfix/smtpd", "1", RECEIVED, None)


def _docker(line: str) -> str:
    entry = {"log": line + "\n", "stream": "stdout", "time": "2026-11-04T16:43:27.1Z"}
    return json.dumps(entry, separators=(",", ":"))


def _docker_with(*names: str) -> Callable[[Said], str]:
    """Return docker's object with other names in another order."""
    values = {"time": "2026-11-04T16:43:27.1Z", "stream": "stdout",
              "attrs": {"log": "x", "tag": "mail"}}  # fmt: skip

    def wrap(said: Said) -> str:
        line = _in("Nov 04 16:43:26 " + _TAG)(said) + "\r\n"
        return json.dumps({name: values.get(name, line) for name in names}, ensure_ascii=False)

    return wrap


def _journal(said: Said, as_bytes: bool = False, **others: object) -> str:
    """Return what `journalctl -o json` prints of an entry, perhaps with other fields."""
    text = list(said.text.encode("utf-8", "surrogateescape")) if as_bytes else said.text
    return json.dumps({
        "__CURSOR": "s=1;i=2;b=3;m=4;t=5;x=6", "_PID": said.process, "MESSAGE": text,
        "SYSLOG_FACILITY": "2", "SYSLOG_IDENTIFIER": said.tag, "_HOSTNAME": said.host,
        "SYSLOG_PID": said.process, "__REALTIME_TIMESTAMP": "1793810606123456", "PRIORITY": "6",
        "SYSLOG_TIMESTAMP": "Nov  4 16:43:26 ", "SYSLOG_RAW": None, "_SELINUX_CONTEXT": ["a", "b"],
    } | others)  # fmt: skip


def _in(form: str) -> Callable[[Said], str]:
    return lambda said: form.format(**said._asdict())


def _docker_around(form: str) -> Callable[[Said], str]:
    """Return docker's object around what is printed without a time of its own."""

    def wrap(said: Said) -> str:
        entry = {"log": _in(form)(said) + "\n", "stream": "stdout", "time": "2026-11-04T16:43:27Z"}
        return json.dumps(entry, separators=(",", ":"))

    return wrap


def _object(form: str = "{text}", **names: str) -> Callable[[Said], str]:
    """Return a JSON object with these fields; an underscore stands for what is no letter."""

    def wrap(said: Said) -> str:
        fields = {name: value.format(**said._asdict()) for name, value in names.items()}
        return json.dumps({"@timestamp": "2026-11-04T17:43:26.1+01:00", "severity": "INFO"}
                          | {"message": form.format(**said._asdict())} | fields)  # fmt: skip

    return wrap


_TAG = "{host} {tag}[{process}]: {text}"
# In a line that another one holds: five hours off, which the outer one's time shows.
_OFF = "Nov 04 11:43:26 " + _TAG
_BARE = "{tag}[{process}]: {text}"
FRAMES: dict[str, Callable[[Said], str]] = {
    "RFC 3164, blank in front of the day": _in("Nov  4 16:43:26 " + _TAG),
    "RFC 3164, zero in front of the day (Postfix, journalctl)": _in("Nov 04 16:43:26 " + _TAG),
    "RFC 3164, nothing in front of the day": _in("Nov 4 16:43:26 " + _TAG),
    "journalctl -o short-precise": _in("Nov 04 16:43:26.123456 " + _TAG),
    "year in front": _in("2026 Nov  4 16:43:26 " + _TAG),
    "year in front, fraction": _in("2026 Nov 04 16:43:26.123 " + _TAG),
    "priority in front": _in("<22>Nov  4 16:43:26 " + _TAG),
    "RFC 3339, UTC": _in("2026-11-04T16:43:26.123456Z " + _TAG),
    "RFC 3339, offset": _in("2026-11-04T17:43:26.123456+01:00 " + _TAG),
    "RFC 3339, no fraction": _in("2026-11-04T11:43:26-05:00 " + _TAG),
    "RFC 3339, nine digits": _in("2026-11-04T22:13:26.123456789+05:30 " + _TAG),
    "RFC 3339, priority": _in("<22>2026-11-04T16:43:26Z " + _TAG),
    "RFC 3339, blank instead of T, comma": _in("2026-11-04 16:43:26,123 " + _TAG),
    "journalctl -o short-iso until systemd 254": _in("2026-11-04T17:43:26+0100 " + _TAG),
    "journalctl -o short-unix": _in("1793810606.123456 " + _TAG),
    "journalctl -o short-full": _in("Wed 2026-11-04 16:43:26 UTC " + _TAG),
    "journalctl -o short-full, another zone": _in("Wed 2026-11-04 13:43:26 -03 " + _TAG),
    "Solaris": _in("Nov  4 16:43:26 {host} {tag}[{process}]: [ID 197553 mail.info] {text}"),
    "busybox": _in("Nov  4 16:43:26 {host} mail.info {tag}[{process}]: {text}"),
    "no process ID": _in("Nov  4 16:43:26 {host} {tag}: {text}"),
    "no colon": _in("Nov  4 16:43:26 {host} {tag}[{process}] {text}"),
    "IPv6 address as host": _in("Nov  4 16:43:26 2001:db8::1 {tag}[{process}]: {text}"),
    "docker json-file": lambda said: _docker(_in("Nov 04 16:43:26 " + _TAG)(said)),
    "docker json-file, attributes first": _docker_with("attrs", "stream", "time", "log"),
    "docker json-file, nothing else": _docker_with("log"),
    "journalctl -o json": _journal,
    "journalctl -o json, bytes": lambda said: _journal(said, as_bytes=True),
    "multilog (TAI64N)": _in("@400000006aeb60b8075bcd15 " + _TAG),
    "CRI": _in("2026-11-04T16:43:27.123456789Z stdout F Nov 04 16:43:26 " + _TAG),
    "RFC 5424": _in("<22>1 2026-11-04T16:43:26.1Z {host} {tag} {process} - -  {text}"),
    "RFC 5424, no process ID": _in("<22>1 2026-11-04T17:43:26+01:00 {host} {tag} - - -  {text}"),
    "RFC 5424, elements": _in(
        '<22>1 2026-11-04T16:43:26Z {host} {tag} {process} ID47 [a@1 b="c\\]\\"" d="e"][f] {text}'
    ),
    "RFC 5424, byte order mark": _in(
        "<22>1 2026-11-04T16:43:26Z {host} {tag} {process} - - \ufeff{text}"
    ),
    "severity behind the host": _in("2026-11-04T16:43:26Z {host} INFO    " + _BARE),
    "severity of seven letters": _in("Nov  4 16:43:26 {host} WARNING " + _BARE),
    "severity, not padded": _in("Nov  4 16:43:26 {host} ERR " + _BARE),
    "severity, no host": _in("2026-11-04T16:43:26.123456+00:00 INFO    " + _BARE),
    "severity of seven letters, no host": _in("2026-11-04T16:43:26+00:00 WARNING " + _BARE),
    "syslog-ng's chain of hosts": _in("Nov  4 16:43:26 {host}/relay " + _BARE),
    "syslog-ng's chain with a source": _in("Nov  4 16:43:26 src@{host}/mx9/relay " + _BARE),
    "FreeBSD's syslogd -vv": _in("Nov  4 16:43:26 <mail.info> " + _TAG),
    "FreeBSD's syslogd -v": _in("Nov  4 16:43:26 <2.6> " + _TAG),
    "docker logs -t": _in("2026-11-04T16:43:26.123456789Z " + _OFF),
    "docker logs -t, zone inside": _in(
        "2026-11-04T16:48:26.1Z 2026-11-04T17:43:26.1+01:00 " + _TAG
    ),
    "docker logs -t, no stamp": _in("2026-11-04T16:43:26.1Z INFO    " + _BARE),
    "docker compose logs": _in("mail-1  | Nov 04 16:43:26 " + _TAG),
    "docker compose logs, RFC 3339": _in("mail_1 | 2026-11-04T16:43:26Z " + _TAG),
    "docker compose logs -t": _in("mail.x-1      | 2026-11-04T16:43:26.1Z " + _OFF),
    "docker compose logs -t, no stamp": _in("mail-1  | 2026-11-04T16:43:26.1Z " + _BARE),
    "CRI, another zone inside": _in("2026-11-04T16:43:27.1Z stdout F " + _OFF),
    "CRI, a zone inside": _in("2026-11-04T16:48:27.1Z stdout F 2026-11-04T16:43:26Z " + _TAG),
    "CRI, seconds since 1970 inside": _in("2026-11-04T16:48:27Z stderr F 1793810606.1 " + _TAG),
    "CRI, no stamp": _in("2026-11-04T16:43:26.1Z stdout F " + _BARE),
    "CRI, host and no stamp": _in("2026-11-04T17:43:26.1+01:00 stdout F " + _TAG),
    "CRI, severity and no stamp": _in("2026-11-04T16:43:26.1Z stdout F NOTICE  " + _BARE),
    "docker json-file, another zone inside": _docker_around(_OFF),
    "docker json-file, no stamp": _docker_around(_BARE),
    "docker json-file, severity and no stamp": _docker_around("INFO    " + _BARE),
    "docker's log driver": _in("Nov  4 16:43:26 node docker[812]: " + _OFF),
    "docker's log driver, default tag": _in("Nov  4 16:43:26 node 5790672ab6a0[812]: " + _OFF),
    "conmon": _in("2026-11-04T17:43:26.1+01:00 node conmon[812]: 2026-11-04T11:43:26 " + _TAG),
    "postfix start-fg": _in("Nov  4 16:43:26 node postfix[812]: " + _OFF),
    "dovecot -F": _in("Nov  4 16:43:26 {host} dovecot[812]: Nov 04 11:43:26 " + _BARE),
    "postfix start-fg, RFC 5424": _in("<22>1 2026-11-04T16:43:26Z node postfix 8 - -  " + _OFF),
    "JSON of rsyslog": _object(" {text}", host="{host}", syslogtag="{tag}[{process}]:"),
    "JSON of rsyslog, two tags": _object(
        " {text}", tag="{tag}[{process}]:", host="{host}", programname="{tag}", source="x"
    ),
    "JSON of Vector": _object(
        host="{host}", hostname="{host}", appname="{tag}", procid="{process}", facility="mail"
    ),
    "JSON of Vector, a file's line": _object(_OFF, host="node", file="/var/log/mail.log"),
    "JSON of Fluent Bit": lambda said: json.dumps(
        {"date": 1793810606.5, "host": said.host, "ident": said.tag, "message": said.text}
    ),
    "JSON in CRI": lambda said: (
        "2026-11-04T16:43:27.1Z stdout F " + FRAMES["JSON of rsyslog"](said)
    ),
    "NUL bytes left by a truncation": _in("\0\0\0Nov  4 16:43:26 " + _TAG),
    "carriage return": _in("Nov  4 16:43:26 " + _TAG + "\r"),
}


IN_JSON = {name for name in FRAMES if name.startswith(("docker", "JSON"))} | {"journalctl -o json"}
HOSTS = {
    "IPv6 address as host": "2001:db8::1",
    "syslog-ng's chain of hosts": "{host}/relay",
    "syslog-ng's chain with a source": "src@{host}/mx9/relay",
}
# The name of the program stands apart.
APART = {name for name in FRAMES if name.startswith("RFC 5424")} | {
    "JSON of Vector", "JSON of Fluent Bit",
}  # fmt: skip
WITHOUT_HOST = {name for name in FRAMES if name.endswith(("no host", "no stamp"))} - {
    "CRI, host and no stamp"
}


def _read(line: str) -> list[corpus.Happening | None]:
    """Return what both readings of a line make of it."""
    data = line.encode("utf-8", "surrogateescape")
    scanned = corpus.scanned(b"\n" + data)
    return [corpus.recognised(data), scanned[0] if scanned else None]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_record_is_the_same_event_in_the_frame(frame):
    for said in SAID:
        expected = said.expected
        if frame in APART and "/" not in said.tag:  # lost, or never there
            continue
        if frame in APART and said.text.startswith((" ", "\ufeff")):  # the frame's own
            continue
        if frame in IN_JSON and _is_no_utf_8(said.text):
            continue  # cannot stand in a string
        host = "" if frame in WITHOUT_HOST else HOSTS.get(frame, "{host}").format(host=said.host)
        expected = expected and expected._replace(host=host)
        # Nothing folds lines in the journal, nor puts a number in front of them.
        if "-o json" in frame and said.text.startswith(("message repeated", "[ID ")):
            expected = None
        line = FRAMES[frame](said)
        assert _read(line) == [expected, expected], line


def _export(said: Said, as_bytes: bool) -> bytes:
    """Return what `journalctl -o export` prints of an entry, its values perhaps as binary ones."""
    fields = {
        "__CURSOR": "s=1;i=2;b=3;m=4;t=5;x=6", "__REALTIME_TIMESTAMP": "1793810606123456",
        "_HOSTNAME": said.host, "SYSLOG_IDENTIFIER": said.tag, "MESSAGE": said.text,
    }  # fmt: skip
    lines = []
    for name, value in fields.items():
        data = value.encode("utf-8", "surrogateescape")
        size = len(data).to_bytes(8, "little")
        lines.append(name.encode() + (b"\n" + size + data if as_bytes else b"=" + data))
    return b"\n".join(lines) + b"\n\n"


@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "binary"])
def test_a_record_is_the_same_event_in_the_journals_export_form(as_bytes):
    for said in SAID:
        pieces = iter([_export(said, as_bytes)])
        (fields,) = export.entries(lambda pieces=pieces: next(pieces, b""))

        entry = Entry(fields)

        assert entry.record is not None
        assert (entry.minute, entry.record.host.decode()) == (MINUTE, said.host)
        happening = said.expected
        if said.text.startswith(("message repeated", "[ID ")):  # as in the form of JSON
            happening = None
        assert recognise(entry.record) == (happening and happening.event), said


@pytest.mark.parametrize("tag", ["postfix/a\tb/smtpd", "postfix/a b/smtpd", "post fix/smtpd"])
def test_in_the_journals_export_form_a_tag_of_several_words_is_nobodys(tag):
    pieces = iter([_export(SMTPD._replace(tag=tag), as_bytes=True)])
    (fields,) = export.entries(lambda: next(pieces, b""))

    entry = Entry(fields)

    assert entry.record is not None
    assert recognise(entry.record) is None


def test_a_record_without_a_host_is_the_same_event():
    for said in SAID:
        expected = said.expected and said.expected._replace(host="")
        line = f"Nov  4 16:43:26 {said.tag}[{said.process}]: {said.text}"
        assert _read(line) == [expected, expected], line


def test_seconds_since_1970_are_utc_whatever_the_zone():
    assert corpus.recognised(
        b"1793810606.1 mx1 postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]"
    ) == corpus.recognised(
        b"2026-11-04T16:43:26Z mx1 postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]"
    )


# -- A whole line as the text of another

_INNER = "Nov 24 16:43:26 mx1 postfix/smtpd[9]: 64D05240927: client=unknown[203.0.113.6]"
_FAILED_AT_DOVECOT = (
    "imap-login: Info: Disconnected: Connection closed (auth failed, 2 attempts in 9 secs):"
    " user=<ann>, method=PLAIN, rip=203.0.113.77, lip=192.0.2.1, TLS, session=<urlyuAhhRJd/AAAB>"
)


def _kinds(line: str) -> list[tuple[str, str, int] | None]:
    return [
        happening and (happening.host, happening.event.kind, happening.times)
        for happening in _read(line)
    ]


@pytest.mark.parametrize("tag", ["docker", "conmon", "postfix", "dovecot", "5790672ab6a0"])
@pytest.mark.parametrize("inner", [_INNER, "2026-11-24T16:43:26.1Z" + _INNER[15:]])
def test_a_whole_line_is_taken_out_behind_the_tag_of_who_writes_it(tag, inner):
    line = f"Nov 24 16:43:26 node {tag}[812]: {inner}"

    assert _kinds(line) == [("mx1", "received", 1)] * 2


@pytest.mark.parametrize(
    "tag",
    ["sshd", "postfix/smtpd", "postfix/docker", "docker-x", "xdocker", "mail", "5790672AB6A0",
     "5790672ab6a", "5790672ab6a01", "logger", "postfixx", "dovecot/imap", "docker/postfix"],
)  # fmt: skip
def test_behind_another_tag_a_whole_line_is_text(tag):
    assert _read(f"Nov 24 16:43:26 node {tag}[812]: {_INNER}") == [None, None]


@pytest.mark.parametrize(
    "text",
    [
        " " + _INNER,
        "x" + _INNER,
        "imap-login: " + _INNER,
        "postfix/smtpd[9]: 64D05240927: client=unknown[203.0.113.6]",
        _INNER[16:],
        "<22>" + _INNER,
        "-" + _INNER,
        f"Nov 24 16:43:26 mx1 docker[9]: {_INNER}",
        f"Nov 24 16:43:26 mx1 postfix[9]: {_INNER}",
        "2026-11-24T16:43:26.1Z " + _INNER,
        "mail-1  | " + _INNER,
        "2026-11-24T16:43:26.1Z stdout F " + _INNER,
        json.dumps({"log": _INNER + "\n", "time": "2026-11-24T16:43:26.1Z"}),
    ],
)
def test_only_one_line_at_the_texts_very_start_is_taken_out(text):
    for tag in ("docker", "postfix", "dovecot"):
        assert _read(f"Nov 24 16:43:26 node {tag}[812]: {text}") == [None, None]


def test_a_line_of_dovecots_own_is_taken_out_of_what_its_service_prints():
    line = f"Nov 24 16:43:27 mx1 dovecot[701]: Nov 24 17:43:26 {_FAILED_AT_DOVECOT}"

    assert _kinds(line) == [("mx1", "auth_failed", 2)] * 2


def test_a_whole_line_that_is_repeated_counts_as_often():
    line = f"Nov 24 16:43:27 node docker[8]: message repeated 3 times: [ {_INNER}]"

    assert _kinds(line) == [("mx1", "received", 3)] * 2


def test_a_whole_line_that_is_repeated_twice_over_is_text():
    folded = f"{_INNER[:38]}: message repeated 9 times: [{_INNER[38:]}]"

    assert _read(f"Nov 24 16:43:27 node docker[8]: message repeated 3 times: [ {folded}]") == [
        None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("tag", ["postfix", "conmon", "5790672ab6a0"])
def test_in_a_journals_entry_a_whole_line_is_taken_out(tag):
    said = SMTPD._replace(tag=tag, text=_INNER, host="node")
    pieces = iter([_export(said, as_bytes=False)])
    (fields,) = export.entries(lambda: next(pieces, b""))

    record = Entry(fields).record
    assert record is not None
    assert (record.host, record.program) == (b"mx1", b"smtpd")
    assert _kinds(_journal(said)) == [("mx1", "received", 1)] * 2


def test_in_a_journals_entry_of_another_it_is_text():
    for tag in ("sshd", "postfix/smtpd", "docker/x"):
        assert _read(_journal(SMTPD._replace(tag=tag, text=_INNER))) == [None, None]


@pytest.mark.parametrize("process", ["auth", "auth-worker(812)", "auth-worker", "master"])
def test_a_process_of_dovecots_own_file_is_dovecots(process):
    record = frame.parse(f"Nov 24 16:43:26 {process}: Error: sql(ann,203.0.113.6): x".encode())

    assert record is not None
    assert (record.instance, record.text) == (
        b"dovecot", f"{process}: Error: sql(ann,203.0.113.6): x".encode(),
    )  # fmt: skip


@pytest.mark.parametrize("said", ["auth: x", "cron: Error: x", "auth-worker(x): Error: x"])
def test_another_process_without_a_host_is_not(said):
    record = frame.parse(f"Nov 24 16:43:26 {said}".encode())

    assert record is not None
    assert record.instance != b"dovecot"


# -- Two stamps: the outer one is exact, the inner one only if it has a zone.


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+0000"])
def test_an_inner_stamp_with_a_zone_stays(zone):
    line = f"2026-11-24T16:59:27.1Z stdout F 2026-11-24T16:43:26{zone}{_INNER[15:]}"

    record = frame.parse(line.encode())
    assert record is not None
    assert (record.stamp, record.zone) == (b"2026-11-24T16:43", zone.encode())


@pytest.mark.parametrize(
    "stamp",
    ["Nov 24 11:43:26", "2026 Nov 24 11:43:26", "2026-11-24T11:43:26.1", "2026-11-24 11:43:26,1",
     "<22>Nov 24 11:43:26", "Tue 2026-11-24 11:43:26 CET"],
)  # fmt: skip
def test_an_inner_stamp_without_one_gives_way(stamp):
    inner = stamp + _INNER[15:]
    for line in (
        f"2026-11-24T16:43:27.1Z stdout F {inner}",
        f"2026-11-24T16:43:27.1Z {inner}",
        f"mail-1  | 2026-11-24T16:43:27.1Z {inner}",
        json.dumps({"log": inner + "\n", "stream": "stdout", "time": "2026-11-24T16:43:27.1Z"}),
        json.dumps({"timestamp": "2026-11-24T16:43:27.1Z", "message": inner}),
    ):
        record = frame.parse(line.encode())
        assert record is not None
        assert (record.stamp, record.zone) == (b"2026-11-24T16:43", b"Z"), line
        assert _kinds(line) == [("mx1", "received", 1)] * 2


def test_without_a_time_of_dockers_the_inner_stamp_counts():
    for time in ("", "2026-11", "16:43", 7, None):
        record = frame.parse(json.dumps({"log": _INNER + "\n", "time": time}).encode())
        assert record is not None
        assert (record.stamp, record.zone) == (b"Nov 24 16:43", b"")


# -- In an object, two names for one thing are none.


def _logged(**fields: object) -> str:
    return json.dumps({
        "@timestamp": "2026-11-24T16:43:26Z", "host": "mx1", "tag": "postfix/smtpd[1]:",
        "message": RECEIVED,
    } | fields)  # fmt: skip


def test_an_object_with_one_tag_is_read():
    for fields in (
        {}, {"programname": "postfix/smtpd"}, {"appname": "postfix"}, {"ident": None},
        {"message": " " + RECEIVED}, {"message": RECEIVED + "\n"}, {"severity": {"code": 6}},
        {"tag": "postfix/smtpd"},
    ):  # fmt: skip
        assert _kinds(_logged(**fields)) == [("mx1", "received", 1)] * 2, fields


@pytest.mark.parametrize(
    "fields",
    [
        {"msg": RECEIVED},
        {"log": RECEIVED},
        {"MESSAGE": RECEIVED},
        {"message": None},
        {"message": [RECEIVED]},
        {"message": {"text": RECEIVED}},
        {"syslogtag": "postfix/qmgr[1]:"},
        {"appname": "post"},
        {"appname": "postfix/smtp"},
        {"appname": "sshd"},
        {"ident": ""},
        {"ident": 7},
        {"tag": "postfix/a b/smtpd"},
        {"tag": ["postfix/smtpd"]},
        {"tag": None},
        {"tag": None, "message": f"postfix/smtpd[1]: {RECEIVED}"},
        {"tag": None, "message": f" {_INNER}"},
        {"tag": "sshd[1]:", "message": _INNER},
        {"@timestamp": None},
        {"@timestamp": "2026-11-24T16:43:26"},
        {"@timestamp": "24/Nov/2026"},
        {"@timestamp": True},
        {"@timestamp": 1e300},
    ],
)
def test_an_object_with_several_or_odd_fields_is_nothing(fields):
    assert _read(_logged(**fields)) == [None, None]


def test_a_host_of_several_words_is_none():
    assert _kinds(_logged(host="a b")) == [("", "received", 1)] * 2
    assert _kinds(_logged(host={"name": "mx1"})) == [("", "received", 1)] * 2


def test_a_field_that_a_template_let_in_twice_is_nothing():
    line = _logged()[:-1] + f', "message": "{RECEIVED}"}}'

    assert frame.parse(line.encode()) is None


# -- A journal's entry says what its fields are; no text can be another field.


@pytest.mark.parametrize(
    "text",
    [
        None,  # longer than 4096 bytes
        [RECEIVED, RECEIVED],
        [[54, 52]],
        [300],
        [-1],
        [54.0],
        [*RECEIVED.encode(), True],
        {"text": RECEIVED},
        7,
        f"Nov 04 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}",
        f"postfix/smtpd[1]: {RECEIVED}",
        f'x"}}\n{{"MESSAGE":"{RECEIVED}',
    ],
)
def test_a_journal_entry_with_another_message_is_nothing(text):
    assert _read(_journal(SMTPD, MESSAGE=text)) == [None, None]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYSLOG_IDENTIFIER", None),
        ("SYSLOG_IDENTIFIER", ["postfix/smtpd", "postfix/smtpd"]),
        ("SYSLOG_IDENTIFIER", "smtpd"),
        ("SYSLOG_IDENTIFIER", "postfix"),
        ("SYSLOG_IDENTIFIER", "postfix/a\tb/smtpd"),
        ("SYSLOG_IDENTIFIER", "postfix/a\nb/smtpd"),
        ("SYSLOG_IDENTIFIER", "postfix/a b/smtpd"),
        ("SYSLOG_IDENTIFIER", "post fix/smtpd"),
        ("__REALTIME_TIMESTAMP", None),
        ("__REALTIME_TIMESTAMP", 1793810606123456),
        ("__REALTIME_TIMESTAMP", "1793810606"),
        ("__REALTIME_TIMESTAMP", "9" * 400),
        ("__REALTIME_TIMESTAMP", "-793810606123456"),
        ("__REALTIME_TIMESTAMP", "\u0661793810606123456"),
    ],
)
def test_a_journal_entry_without_one_tag_and_one_time_is_nothing(name, value):
    assert _read(_journal(SMTPD, **{name: value})) == [None, None]


def test_a_journal_entry_without_a_host_is_the_same_event():
    found = _read(_journal(SMTPD, _HOSTNAME=None))

    assert [happening and (happening.host, happening.event.kind) for happening in found] == [
        ("", "received")
    ] * 2


@pytest.mark.parametrize(
    "line",
    [
        _journal(SMTPD, MESSAGE="removed")[:-1] + f', "MESSAGE": "{RECEIVED}"}}',
        _journal(SMTPD) + "x",
        _journal(SMTPD) + _journal(SMTPD),
        "[" + _journal(SMTPD) + "]",
        " " + _journal(SMTPD),
        json.dumps({"entry": json.loads(_journal(SMTPD))}),
        _journal(SMTPD, MESSAGE="removed", nested=json.loads(_journal(SMTPD))),
        _journal(SMTPD, log="x"),
        _docker("x") [:-1] + "," + _docker(f"Nov 04 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}")[1:],
        json.dumps({"log": [f"Nov 04 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}"]}),
        json.dumps({"stream": {"log": f"Nov 04 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}"}}),
        json.dumps({"log": f"Nov 04 16:43:26 mx1 x[1]: y\nNov 04 16:43:26 mx1 postfix/smtpd[1]: "
                           f"{RECEIVED}"}),
        json.dumps({"log": f"\u2028Nov 04 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}"}),
        json.dumps({"log": f"\0Nov 04 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}"}),
        '{"log":' + "[" * 100_000,
        '{"log":' + "1" * 100_000 + "}",
        '{"log":NaN}',
        "{}",
    ],
)  # fmt: skip
def test_what_stands_twice_deeper_or_beside_an_object_is_nothing(line):
    assert _read(line) == [None, None]


def test_journalctls_remarks_are_neither_records_nor_missing_ones():
    remarks = [
        b"-- Boot 5c1f7a2b9d3e4f60718293a4b5c6d7e8 --",
        b"-- Reboot --",
        b"-- No entries --",
        b"-- Journal begins at Mon 2026-10-05 08:11 UTC, ends at Wed 2026-11-04 16:43 UTC. --",
        b"-- Logs begin at Mon 2026-10-05 08:11:02 UTC, end at Wed 2026-11-04 16:43:26 UTC. --",
        b"-- cursor: s=0639;i=1;b=2;m=3;t=4;x=5",
    ]
    others = [b"-- Boot of mx1 --", b"-- x", b"--"]
    scan = Scan(corpus.timestamps())

    assert corpus.scanned(b"\n" + b"\n".join(remarks + others), scan) == []
    assert scan.unparsed == len(others)


# -- Where syslog has lost the program's name, the text tells what it can.

LOST: dict[str, Callable[[Said], str]] = {
    "RFC 5424, cut at the slash": lambda said: (
        f"<22>1 2026-11-04T16:43:26.1Z {said.host} {said.tag.split('/')[0]} {said.process} - -  "
        f"{said.text}"
    ),
    "tag cut at 32 bytes": lambda said: (
        f"Nov  4 16:43:26 {said.host} {said.tag.split('/')[0]}/{'s' * 32}"[
            : 32 + 17 + len(said.host)
        ]
        + f" {said.text}"
    ),
}
# A command's fatal: is not told from a daemon's.
NOT_TOLD = {"daemon_died"}


@pytest.mark.parametrize("frame", LOST)
def test_without_its_program_a_record_is_the_same_event_or_none(frame):
    told = set()
    for said in SAID:
        if said.expected is None or "/" not in said.tag:
            continue
        kind = said.expected.event.kind
        if kind == "reject_unknown":
            continue  # what one program would not write, another might
        line = LOST[frame](said)
        if kind == "warning":
            # A command's is not told from a daemon's; and another program might have meant more.
            exact, scanned = _read(line)
            assert exact == scanned, line
            assert exact is None or exact.event.kind != "warning", line
            continue
        if said.text.count("status=") > 1 and said.text.endswith(" (bad address syntax)"):
            continue  # next test
        event = said.expected.event._replace(service="")  # lost as well
        assert _read(line) in ([said.expected._replace(event=event)] * 2, [None] * 2), line
        if _read(line)[0]:
            told.add(kind)

    kinds = {said.expected.event.kind for said in SAID
             if said.expected and "/" in said.tag}  # fmt: skip
    assert kinds - told - {"reject_unknown", "warning"} == NOT_TOLD


def test_without_its_program_a_reply_like_the_error_transports_words_is_suspicious():
    """The fact sheet's rule 3.3 (b): the last tail, where the program may be `error`."""
    line = (
        b"<22>1 2026-11-04T16:43:26Z mx1 postfix 2 - -  64D05240007: to=<ann@example.net>, relay="
        b"mail.example.net[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 "
        b">, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.3, status=bounced (bad address syntax)"
    )

    found = corpus.recognised(line)

    assert found
    assert found.event == Event(
        kind="bounced", relay="none", enhanced_code="5.1.3", reason="other",
        also=("delivery_suspicious",),
    )  # fmt: skip


@pytest.mark.parametrize("frame", LOST)
def test_without_its_program_hostile_text_is_still_no_record(frame):
    for said in SAID:
        if said.expected is None and said.tag == "postfix/cleanup" and "message-id=" in said.text:
            assert _read(LOST[frame](said)) == [None, None], said.text


def test_a_tag_cut_inside_its_process_id_still_names_the_program():
    line = (
        b"Nov  4 16:43:26 mx1 postfix/submissions/smtpd[123456 NOQUEUE: reject: RCPT from "
        b"unknown[203.0.113.6]: 554 5.7.1 no; from=<a@example.org>"
    )
    found = corpus.recognised(line)

    assert found
    assert (found.instance, found.event.kind) == ("postfix", "rejected_smtpd")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Nov  4 16:43:26",
        "Nov  4 16:43:26 mx1",
        "Nov  4 16:43:26 mx1 last message repeated 3 times",
        "Nov 31 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "4 Nov 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        '{"log":"Nov 04 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=un',
        '{"log":"\\u12"}',
        '{"log":"{\\"log\\":\\"Nov 04 16:43:26 mx1 postfix/smtpd: 64D05240927: client=a[1]\\"}"}',
        '{"log":"Nov 04 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=a[1]\\n"',
        '{"log":"Nov 04 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=a[1]\\n"}}',
        f"2026-11-04T16:43:27.1Z stdout P Nov 04 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}",
        "2026-11-04T16:43:27.1Z stdout P Nov 04 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: clie",
        "Nov  4 16:43:26 mx1 postfix/smtpd 64D05240927: client=unknown[203.0.113.6]",
        "Nov  4 16:43:26 postfix/smtpd 64D05240927: client=unknown[203.0.113.6]",
        "Nov  4 16:43:26 mx1 Info postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "Nov  4 16:43:26 mx1/ postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "INFO    postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "mail-1  | postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "mail 1 | Nov  4 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "a | b | Nov  4 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
        "2026-11-04T16:43:26 Nov  4 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=a[::1]",
        "Χρι  4 16:43:26 mx1 postfix/smtpd[1]: 64D05240927: client=unknown[203.0.113.6]",
    ],
)
def test_a_line_without_a_frame_that_we_know_is_nothing(line):
    assert _read(line) == [None, None]


@pytest.mark.parametrize(
    "line",
    [
        f"INFO    postfix/smtpd[1]: {RECEIVED}",
        f"mail-1  | postfix/smtpd[1]: {RECEIVED}",
        f"Okt 24 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}",
        f"Νοε 24 16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}",
        f"24/Nov/2026:16:43:26 mx1 postfix/smtpd[1]: {RECEIVED}",
        f"2026-11-24T16:43:26Z stdout F {RECEIVED[:11]}",
        _logged(tag="postfix/smtpd[1]:", ident="sshd"),
        _logged(**{"@timestamp": "16:43"}),
        json.dumps({"log": f"postfix/smtpd[1]: {RECEIVED}\n", "stream": "stdout"}),
        "{",
    ],
)
def test_a_line_that_is_not_read_is_counted_as_such(line):
    assert corpus.sorted_out_fast(b"\n" + line.encode()) == {"unparsed": 1}


def test_ordinary_lines_are_read_as_the_expression_of_all_frames_reads_them(monkeypatch):
    rng = random.Random(material.SEED)
    lines = material.corpus_lines() + material.recorded_lines() + material.shared_lines()
    for _ in range(effort.examples(10_000)):
        lines += material.mutated(rng.choice(lines), lines, rng)
    records = [frame.parse(line) for line in lines]

    monkeypatch.setattr(frame, "_match_ordinary", lambda _: None)

    for line, record in zip(lines, records, strict=True):
        assert frame.parse(line) == record, line
