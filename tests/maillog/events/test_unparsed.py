"""A line whose frame nobody knows is counted, near where it stands, if it may be about mail."""

from __future__ import annotations

import pytest

from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.events.unparsed import names_mail, unparsed
from check_postfix.maillog.store.store import Store
from tests.maillog.conftest import Place
from tests.support import corpus

KNOWN = b"Nov 24 16:43:26 mx1 postfix/smtpd[1]: 4ABCDEF012: client=c.example[192.0.2.7]"
LATER = KNOWN.replace(b"16:43", b"16:50")
ODD = b"24.11.26 16:47 | mx1 | postfix/smtp[1] | 4ABCDEF012: to=<ann@example.org>, status=deferred"
STRANGE = b"24.11.26 16:47 | mx1 | cron | job done"


def minutes(*lines: bytes) -> dict[int, int]:
    """Return how many lines each minute has that nobody can read, from the first known one on."""
    scan = Scan(corpus.timestamps())
    found = scan.block(b"\n" + b"\n".join(lines))
    assert scan.minute is not None
    last = scan.minute
    first = min(found.counted)
    counted: dict[int, int] = {}
    left = {(last, event): number for event, number in scan.unplaced.items()}
    for (minute, _), number in [*found.unparsed.items(), *left.items()]:
        counted[minute - first] = counted.get(minute - first, 0) + number
    return counted


def test_it_counts_in_the_minute_of_the_line_before():
    assert minutes(KNOWN, LATER, ODD, ODD) == {7: 2}


def test_before_any_line_with_a_time_it_counts_in_the_minute_of_the_first():
    assert minutes(ODD, KNOWN, LATER) == {0: 1}


def test_what_names_neither_postfix_nor_dovecot_is_not_feared():
    assert names_mail(ODD)
    assert not names_mail(STRANGE)
    assert minutes(KNOWN, STRANGE) == {}


def test_a_line_that_tells_of_an_event_and_has_no_such_date_counts():
    assert minutes(KNOWN, KNOWN.replace(b"Nov 24", b"Nov 31")) == {0: 1}


@pytest.mark.parametrize("line", [ODD, b"postfix \xff\x00\t\n|<script>", b"dovecot" * 100])
def test_what_it_looks_like_has_no_word_of_it(line):
    look = unparsed(line).reason

    assert look.isprintable()
    assert len(look) <= 48
    assert not {character for character in look if character.isalnum()} - set("a0")


def test_a_read_log_has_them_for_every_host(place: Place):
    place.write(0, 1)
    place.write_bytes((ODD + b"\n") * 5)
    place.run()

    with Store(place.store, 1) as store:
        log = store.logs.of(place.log)
        assert log
        nobody = [number for number, *names, _ in store.origins.of(log) if names == ["", ""]]
        assert store.answers.totals(0, 10**9, nobody) == {"unparsed": 5}
