"""Each entry of the journal is counted once, the newest first, whatever journald does."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from check_postfix import user
from check_postfix.maillog.counts import histogram
from check_postfix.maillog.errors import LogError, StoreError
from check_postfix.maillog.ingest import journal, journal_piece
from check_postfix.maillog.source.line_counts import LineCounts
from check_postfix.maillog.store import watched
from check_postfix.maillog.store.journal_spans import JournalSpansTable
from check_postfix.maillog.store.logs import JOURNAL
from check_postfix.maillog.store.store import Store
from tests.support import effort, journal_model
from tests.support.journal_model import FIRST, Journalctl, Machine, counted

_WHERE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
DAY = 24 * 60


@pytest.fixture(autouse=True)
def _journalctl(monkeypatch):
    monkeypatch.setattr(journal, "Journalctl", Journalctl)
    monkeypatch.setattr(journal, "see_that_all_is_readable", lambda: None)
    monkeypatch.setattr(Journalctl, "left", None)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state")


def run(path, machine, **more):
    with Store(path, 1) as store:
        return journal_model.run(store, machine, **more)


def totals(path):
    with Store(path, 1) as store:
        log = store.logs.of(JOURNAL)
        origins = store.origins.of(log)
        return {
            (host, instance): store.answers.totals(0, FIRST * 2, [number])
            for number, host, instance, _ in origins
        }


# -- what is counted


@pytest.mark.parametrize("tag", [b"postfix/smtpd", b"postfix/submission/smtpd"])
def test_an_entry_counts_for_the_name_in_front_of_its_tags_slash(path, tag):
    machine = Machine()
    machine.log(b"4ABCDEF012: client=c.example[192.0.2.7]", tag)

    run(path, machine)

    assert totals(path) == {("mx1", "postfix"): {"received": 1}}


def test_every_instance_and_dovecot_are_counted_apart(path):
    machine = Machine()
    machine.log(b"4ABCDEF012: client=c.example[192.0.2.7]", b"postfix-out/smtpd")
    machine.log(b"4ABCDEF012: client=c.example[192.0.2.7]", b"my/relay/smtpd", _HOSTNAME=b"mx2")
    machine.log(
        b"imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN,"
        b" rip=192.0.2.9, lip=192.0.2.1, session=<urlyuAhhRJd/AAAB>",
        b"dovecot",
    )

    run(path, machine)

    assert totals(path) == {
        ("mx1", "dovecot"): {"auth_failed": 1},
        ("mx1", "postfix-out"): {"received": 1},
        ("mx2", "my"): {"received": 1},
    }


@pytest.mark.parametrize("tag", [b"postfix", b"smtpd", b"4ABCDEF012"])
def test_a_tag_without_a_slash_is_no_postfix_program(path, tag):
    machine = Machine()
    machine.log(b"4ABCDEF012: client=c.example[192.0.2.7]", tag)

    covered = run(path, machine)

    assert totals(path) == {}
    assert covered.line_counts == LineCounts(lines=1, foreign=1)


def test_an_entry_without_tag_or_text_is_not_understood(path):
    machine = Machine()
    for name in (b"MESSAGE", b"SYSLOG_IDENTIFIER"):
        del machine.log(b"4ABCDEF012: client=c.example[192.0.2.7]")["fields"][name]

    covered = run(path, machine)

    assert covered.line_counts == LineCounts(lines=2, unparsed=2)


def test_a_text_with_newlines_and_wild_bytes_is_one_entry(path):
    machine = Machine()
    machine.log(
        b"NOQUEUE: reject: RCPT from c.example[192.0.2.7]: 554 5.7.1 <a@b>: Relay access denied;"
        b" from=<x@y> to=<a@b> proto=ESMTP helo=<\xc2\x85\n\n4ABCDEF012: client=c[192.0.2.7]\xff>"
    )

    run(path, machine)

    assert totals(path) == {("mx1", "postfix"): {"rejected_smtpd": 1}}


def test_rejects_for_an_address_that_is_asked_for_are_counted_for_it(path):
    machine = Machine()
    run(path, machine)
    with Store(path, 1) as store:
        watched.watch(store, ["list@b.example"], FIRST)
    for to in (b"List@b.example", b"other@b.example"):
        machine.log(
            b"NOQUEUE: reject: RCPT from c.example[192.0.2.7]: 554 5.7.1 <a@b>: Access denied;"
            b" from=<x@y.example> to=<" + to + b"> proto=ESMTP helo=<h>"
        )

    run(path, machine)

    with Store(path, 1) as store:
        origins = [number for number, *_ in store.origins.of(store.logs.of(JOURNAL))]
        refused = store.answers.keys("watched_refused", 0, FIRST * 2, origins)
    assert refused == [(("list@b.example",), 1)]


def test_a_message_that_is_deferred_again_is_one_message(path):
    machine = Machine()
    for queue_id in (b"4AAAAAAAAA", b"4BBBBBBBBB", b"4AAAAAAAAA"):
        machine.log(
            queue_id + b": to=<a@example.net>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1,"
            b" status=deferred (connect to mx.example.net[192.0.2.25]:25: Connection timed out)",
            tag=b"postfix/smtp",
        )

    run(path, machine)

    with Store(path, 1) as store:
        origins = [number for number, *_ in store.origins.of(store.logs.of(JOURNAL))]
        told = store.answers.messages("deferred_messages", ("deferred",), 0, FIRST * 2, origins, 0)
    assert told == (2, 3)


def test_what_a_container_prints_of_mail_and_nobody_reads_is_counted_with_its_look(path):
    machine = Machine()
    for text in (b"[10:31] postfix: 4AAAAAAAAA", b"[10:31] nginx: GET /"):
        machine.log(text, tag=b"podman", CONTAINER_NAME=b"mail")

    covered = run(path, machine)

    with Store(path, 1) as store:
        origins = [number for number, *_ in store.origins.of(store.logs.of(JOURNAL))]
        looks = store.answers.keys("not_understood", 0, FIRST * 2, origins)
    assert covered.line_counts == LineCounts(lines=2, unparsed=2)
    assert looks == [(("", "[00:00] aaaaaaa: 0aaaaaaaaa"), 1)]


def test_how_long_deliveries_took_is_counted_with_where_they_were_slow(path):
    machine = Machine()
    for queue_id, delay, delays in (
        (b"4AAAAAAAAA", b"2", b"1/0/0/1"),
        (b"4BBBBBBBBB", b"60", b"1/0/0/59"),
    ):
        machine.log(
            queue_id + b": to=<a@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=" + delay
            + b", delays=" + delays + b", dsn=2.0.0, status=sent (250 ok)",
            tag=b"postfix/smtp",
        )  # fmt: skip

    run(path, machine)

    with Store(path, 1) as store:
        origins = [number for number, *_ in store.origins.of(store.logs.of(JOURNAL))]
        took = store.answers.delays_of(0, FIRST * 2, origins)
        slow = store.answers.keys("slow", 0, FIRST * 2, origins)
    assert sum(took[histogram.WHOLE].values()) == 2
    assert [(key[1:3], number) for key, number in slow] == [(("example.net", "mx.example.net"), 1)]


# -- what is covered


def test_an_empty_journal_covers_nothing(path):
    covered = run(path, Machine())

    assert covered.line_counts == LineCounts()
    assert (covered.start, covered.last, covered.complete) == (None, None, True)


def test_a_journal_read_whole_is_covered_from_its_first_entry_of_ours_up_to_now(path):
    machine = Machine()
    machine.other()
    first, last = machine.mail(), machine.mail()
    machine.other()

    covered = run(path, machine)

    assert (covered.start, covered.last, covered.end) == (first, last, machine.minute + 1)
    assert (covered.line_counts.lines, covered.line_counts.events, covered.gaps) == (2, 2, [])


def test_the_newest_entries_are_read_first(path):
    machine = Machine()
    minutes = [machine.mail() for _ in range(10)]

    covered = run(path, machine, left=4)

    assert counted(path) == dict.fromkeys(minutes[-4:], 1)
    assert not covered.complete
    # of the first minute there may be more
    assert covered.start == min(counted(path)) + 1


def test_reading_goes_on_in_the_next_run(path):
    machine = Machine()
    minutes = [machine.mail() for _ in range(10)]
    run(path, machine, left=2)
    minutes += [machine.mail() for _ in range(5)]
    run(path, machine, left=2)

    covered = run(path, machine)

    assert counted(path) == dict.fromkeys(minutes, 1)
    assert (covered.start, covered.complete) == (minutes[0], True)


def test_after_a_long_pause_the_window_comes_first_and_the_hole_is_closed_later(path):
    machine = Machine()
    old = [machine.mail() for _ in range(5)]
    run(path, machine)
    new = [machine.mail() for _ in range(20)]

    covered = run(path, machine, left=5)
    assert not covered.complete
    assert covered.start > new[0]
    assert covered.end == machine.minute + 1

    covered = run(path, machine)
    assert counted(path) == dict.fromkeys(old + new, 1)
    assert (covered.start, covered.complete) == (old[0], True)


def test_what_is_older_than_is_kept_is_not_read(path, monkeypatch):
    monkeypatch.setattr(journal_piece, "PIECE_ENTRIES", 5)
    machine = Machine()
    for _ in range(20):
        machine.mail()
    machine.minute += 40 * DAY
    minutes = [machine.mail() for _ in range(7)]

    covered = run(path, machine)

    assert counted(path) == dict.fromkeys(minutes, 1)
    assert covered.complete
    assert covered.line_counts.lines == 15


def test_a_few_entries_of_a_clock_that_was_wrong_do_not_end_the_reading(path):
    machine = Machine()
    minutes = [machine.mail() for _ in range(3)]
    now, machine.minute = machine.minute, 0
    machine.reboot()
    machine.mail()  # in 1970, before the clock was set
    machine.minute = now

    covered = run(path, machine, left=1)
    assert not covered.complete
    covered = run(path, machine)

    assert set(minutes) <= set(counted(path))
    assert covered.complete


def test_without_state_only_what_the_answer_needs_is_read(monkeypatch):
    monkeypatch.setattr(journal_piece, "PIECE_ENTRIES", 5)
    machine = Machine()
    minutes = [machine.mail() for _ in range(40)]
    with Store(None, 1) as store:
        covered = journal_model.run(store, machine, wanted=minutes[-8], keeps=False)

    assert covered.line_counts.lines == 10
    assert covered.start <= minutes[-8]


def test_without_state_a_window_of_the_past_is_read_from_its_end(monkeypatch):
    monkeypatch.setattr(journal_piece, "PIECE_ENTRIES", 5)
    machine = Machine()
    minutes = [machine.mail() for _ in range(400)]
    Journalctl.machine = machine
    with Store(None, 1) as store:
        reading = journal.Journal(
            store, machine.minute * 60, minutes[100], minutes[110], float("inf"), keeps=False
        )
        covered = reading.run()
        (_, _, _, _), *_ = origins = store.origins.of(store.logs.of(JOURNAL))
        totals = store.answers.totals(minutes[100], minutes[110], [origin[0] for origin in origins])

    assert totals == {"received": 10}
    assert covered.end == minutes[110]
    assert covered.line_counts.lines == 15


# -- what it costs


def test_a_run_with_nothing_new_starts_one_journalctl_and_writes_nothing(path):
    machine = Machine()
    machine.mail()
    run(path, machine)
    before = os.stat(path).st_mtime_ns
    with open(path, "rb") as file:
        content = file.read()

    run(path, machine)

    assert len(Journalctl.started) == 1
    assert os.stat(path).st_mtime_ns == before
    with open(path, "rb") as file:
        assert file.read() == content


# -- what is lost


def test_what_was_vacuumed_before_it_was_read_is_a_gap(path):
    machine = Machine()
    machine.mail()
    run(path, machine)
    read = machine.minute
    for _ in range(5):
        machine.mail()
    first = machine.mail()
    machine.vacuum(6)

    covered = run(path, machine)

    assert covered.gaps == [(read, first)]
    assert set(counted(path)) == {read, first}


AHEAD = 60 * 1440


@pytest.mark.parametrize("off", [AHEAD, -AHEAD])
@pytest.mark.parametrize("goes_on", [True, False])
@pytest.mark.parametrize("quiet", [0, 1, 30])
def test_a_run_whose_clock_was_wrong_hides_no_loss_and_makes_none_up(path, off, goes_on, quiet):
    machine = Machine()
    read = machine.mail()
    run(path, machine)
    machine.minute += off
    run(path, machine)  # finds nothing new, and keeps until when there was nothing
    machine.minute -= off
    for _ in range(quiet):
        machine.other()
        assert run(path, machine).gaps == []
    lost = machine.minute
    machine.mail()
    machine.minute += 3
    machine.vacuum(len(machine.messages))
    first = machine.minute
    if goes_on:
        machine.mail()

    covered = run(path, machine)

    assert len(covered.gaps) == 1
    ((since, until),) = covered.gaps
    assert read <= since <= lost
    assert first - 1 <= until <= machine.minute


def test_a_quiet_journal_without_our_last_entry_is_not_written_about_each_time(path):
    machine = Machine()
    machine.mail()
    for _ in range(3):
        machine.other()
    run(path, machine)
    machine.vacuum(1)
    before = os.stat(path).st_mtime_ns

    covered = run(path, machine)

    assert os.stat(path).st_mtime_ns == before
    assert (covered.gaps, covered.line_counts.lines) == ([], 1)


def test_what_was_vacuumed_after_it_was_read_is_no_gap(path):
    machine = Machine()
    machine.other()
    machine.mail()
    machine.other()
    run(path, machine)
    machine.vacuum(2)
    machine.mail()

    covered = run(path, machine)

    assert covered.gaps == []
    assert len(counted(path)) == 2


def test_a_quiet_time_so_long_that_the_last_mail_was_vacuumed_is_no_gap(path):
    machine = Machine()
    machine.mail()
    run(path, machine)
    for _ in range(100):
        machine.other()
        machine.vacuum(len(machine.messages) - 50)
        covered = run(path, machine)
    machine.mail()

    covered = run(path, machine)

    assert covered.gaps == []
    assert len(counted(path)) == 2


def test_a_journal_that_was_emptied_is_one_gap_up_to_now(path):
    machine = Machine()
    machine.mail()
    run(path, machine)
    read = machine.minute
    machine.mail()
    machine.vacuum(2)
    machine.minute += 3

    for _ in range(3):
        covered = run(path, machine)

    assert covered.gaps == [(read, machine.minute)]


def test_lines_that_journald_dropped_are_a_gap(path):
    machine = Machine()
    before = machine.mail()
    machine.minute += 3
    machine.log(
        b"Suppressed 1234 messages from postfix@-.service",
        b"systemd-journald",
        _TRANSPORT=b"driver",
    )
    after = machine.mail()

    covered = run(path, machine)

    assert covered.gaps == [(before, after - 1)]
    assert covered.line_counts.lines == 2


@pytest.mark.parametrize(
    "more",
    [
        {"_TRANSPORT": b"syslog", "text": b"Suppressed 7 messages from postfix.service"},
        {"_TRANSPORT": b"driver", "text": b"Suppressed 7 messages from cron.service"},
    ],
)
def test_what_others_dropped_or_only_say_is_no_gap(path, more):
    machine = Machine()
    machine.mail()
    machine.log(more.pop("text"), b"systemd-journald", **more)

    assert run(path, machine).gaps == []


def test_gaps_that_touch_are_one(path):
    with Store(path, 1) as store, store.transaction():
        log = store.logs.add(JOURNAL)
        for gap in [(10, 12), (20, 22), (13, 13), (12, 19), (30, 31)]:
            store.gaps.extend(log, *gap)

        assert store.gaps.of(log, 0, 100) == [(10, 22), (30, 31)]


# -- what cannot be


def test_a_journalctl_that_is_silent_from_the_start_is_told(path):
    machine = Machine()
    machine.mail()

    with pytest.raises(LogError) as raised:
        run(path, machine, left=0)

    assert str(raised.value) == (
        "journalctl: silent for 60.0 s; see whether the disk hangs, or raise --timeout"
    )


@pytest.mark.parametrize("field", ["__CURSOR=rubbish\n__REALTIME_TIMESTAMP=1\n", "A=b\n"])
def test_entries_without_a_place_are_told(path, field, monkeypatch):
    machine = Machine()
    machine.mail()
    run(path, machine)
    monkeypatch.setattr(journal_model, "fields_of", lambda _: field.encode() + b"\n")

    with pytest.raises(LogError) as raised:
        run(path, machine)

    assert str(raised.value) == (
        "journalctl: an entry without __CURSOR and __REALTIME_TIMESTAMP as they are known;"
        f" run journalctl -o export by hand as {user.me()}"
    )


def test_a_store_whose_cursor_is_none_is_told(path):
    machine = Machine()
    machine.mail()
    run(path, machine)
    with Store(path, 1) as store, store.transaction():
        log = store.logs.of(JOURNAL)
        (stretch,) = store.journal_spans.of(log)
        stretch.newest = "rubbish"
        store.journal_spans.save(log, stretch)

    with pytest.raises(StoreError) as raised:
        run(path, machine)

    assert str(raised.value) == (
        f"{path}: holds a cursor that is none; remove the file, it will be built again from the log"
    )


# -- the promise


class Waiting(Store):
    """A store for which something happens before one of its transactions."""

    _left = 0

    def before(self, when, happening):
        """Let it happen before the transaction with this number."""
        self._left = when
        self._happening = happening
        return self

    def transaction(self):
        self._left -= 1
        if not self._left:
            self._happening()
        return super().transaction()


@pytest.mark.parametrize("when", [1, 2, 3])
@pytest.mark.parametrize("left", [1, 3, 100])
def test_a_run_that_another_one_overtakes_counts_nothing_again(path, when, left, monkeypatch):
    monkeypatch.setattr(journal_piece, "PIECE_ENTRIES", 2)
    machine = Machine()
    minutes = [machine.mail() for _ in range(10)]

    def other_run():
        minutes.append(machine.mail())
        run(path, machine, left=left)
        Journalctl.left = None

    with Waiting(path, 1).before(when, other_run) as store:
        journal_model.run(store, machine)
    covered = run(path, machine)

    assert counted(path) == dict.fromkeys(minutes, 1)
    assert covered.complete
    assert covered.gaps == []


def test_a_hole_that_was_vacuumed_before_it_was_closed_is_a_gap(path):
    machine = Machine()
    first = machine.mail()
    run(path, machine)
    lost = [machine.mail() for _ in range(5)]
    seen = machine.mail()
    run(path, machine, left=1)
    machine.vacuum(7)
    machine.other()
    last = machine.mail()

    covered = run(path, machine)

    assert set(counted(path)) == {first, seen, last}
    assert covered.gaps == [(first, last - 1)]
    assert covered.gaps[0][0] <= lost[0]
    assert covered.complete


class Killed(BaseException):
    """The run ends here and now."""


class Promise(RuleBasedStateMachine):
    """Whatever happens to the journal and to the runs, each entry is counted once or in a gap."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="journal-", dir=_WHERE)
        self.path = os.path.join(self.directory, "state")
        self.machine = Machine()
        self.vacuumed: set[int] = set()  # minutes of mails that are gone
        self.gaps: list[tuple[int, int]] = []
        self.is_whole = False  # whether the last run has read everything
        self.is_exact = True  # whether nothing was ever lost unread
        self.history: list[bytes] = []  # what Postfix has said of messages
        self.unfinished: list[bytes] = []  # their queue IDs

    def teardown(self) -> None:
        Journalctl.chunk = 4096
        journal.PIECE_BYTES = 20_000
        shutil.rmtree(self.directory)

    @rule(mails=st.lists(st.booleans(), min_size=1, max_size=8))
    def log(self, mails):
        for is_mail in mails:
            if is_mail:
                self.machine.mail()
            else:
                self.machine.other()
        self.is_whole = False

    @rule(sizes=st.lists(st.integers(1, 99), min_size=1, max_size=4), data=st.data())
    def deliver(self, sizes, data):
        """Some messages begin, go on or come to their end; queue IDs are used again."""
        for size in sizes:
            new = b"%06X" % (0xA0000 + data.draw(st.integers(0, 5)))
            if new not in self.unfinished:
                self.unfinished.append(new)
                self._say(b"postfix/smtpd", new + b": client=c.example[192.0.2.7]")
                continue
            self._say(
                b"postfix/qmgr", new + b": from=<a@b>, size=%d, nrcpt=1 (queue active)" % size
            )
            status = data.draw(st.sampled_from([b"sent (250 ok)", b"deferred (later)"]))
            self._say(
                b"postfix/smtp",
                new
                + b": to=<x@y.example>, relay=none, delay=1, delays=0/0/0/1, dsn=2.0.0, status="
                + status,
            )
            if status.startswith(b"sent"):
                self._say(b"postfix/qmgr", new + b": removed")
                self.unfinished.remove(new)
        self.is_whole = False

    def _say(self, tag, text):
        self.machine.log(text, tag)
        self.history.append(tag + b": " + text)

    @rule()
    def reboot(self):
        self.machine.reboot()

    @rule()
    def crash_of_journald(self):
        self.machine.begin_anew()

    @rule()
    def flush(self):
        self.machine.flush()

    @rule(entries=st.integers(1, 12))
    def vacuum(self, entries):
        before = self.machine.minutes()
        self.is_exact &= self.is_whole
        self.machine.vacuum(entries)
        self.vacuumed |= before - self.machine.minutes()

    @rule(
        piece=st.integers(1, 5),
        left=st.one_of(st.none(), st.integers(0, 6)),
        chunk=st.sampled_from([7, 300, 4096]),
        wanted=st.integers(0, 30),
    )
    def run(self, piece, left, chunk, wanted):
        journal.PIECE_BYTES = piece
        Journalctl.chunk = chunk
        with Store(self.path, 1) as store:
            try:
                covered = journal_model.run(store, self.machine, self.machine.minute - wanted, left)
            except LogError:
                assert left is not None
                return
            self.gaps = list(covered.gaps)
        if covered.complete:
            self.is_whole = True
        # What it says is covered is counted, as far as it still existed or is in no gap.
        if covered.start is not None:
            there = {m for m in self.machine.minutes() if m >= covered.start}
            assert there <= set(counted(self.path))

    @rule(when=st.integers(1, 4), piece=st.integers(1, 3))
    def killed_run(self, when, piece):
        left = when

        class Dying(JournalSpansTable):
            def save(self, *arguments):
                nonlocal left
                left -= 1
                if not left:
                    raise Killed
                super().save(*arguments)

        journal.PIECE_BYTES = piece
        with Store(self.path, 1) as store:
            store.journal_spans = Dying(store)
            try:
                self.gaps = list(journal_model.run(store, self.machine).gaps)
            except Killed:
                return
            self.is_whole = True

    @rule(when=st.integers(1, 4), piece=st.integers(1, 4), left=st.integers(1, 8))
    def two_runs_at_once(self, when, piece, left):
        """Another run happens while this one waits for the store."""
        machine, path = self.machine, self.path

        def other_run():
            machine.mail()
            with Store(path, 1) as other, suppress(LogError):
                journal_model.run(other, machine, left=left)
            Journalctl.left = None

        journal.PIECE_BYTES = piece
        with Waiting(path, 1).before(when, other_run) as store:
            self.gaps = list(journal_model.run(store, machine).gaps)
        self.is_whole = False

    @invariant()
    def nothing_is_counted_twice_and_nothing_that_never_was(self):
        if os.path.exists(self.path):
            found = counted(self.path)
            assert set(found.values()) <= {1}
            assert set(found) <= self.machine.minutes() | self.vacuumed

    @precondition(lambda self: self.is_whole)
    @invariant()
    def what_was_there_is_counted_and_what_was_lost_is_in_a_gap(self):
        found = set(counted(self.path))
        missed = (self.machine.minutes() | self.vacuumed) - found
        assert not missed & self.machine.minutes()
        for minute in missed & self._known_lost():
            assert any(first <= minute <= last for first, last in self.gaps), minute

    @precondition(lambda self: self.is_whole and self.is_exact)
    @invariant()
    def what_several_entries_tell_of_a_message_is_counted(self):
        sizes: dict[bytes, int] = {}
        pending = set()
        expected: Counter[str] = Counter()
        for said in self.history:
            queue_id, text = said.split(b": ")[1:3]
            if text.startswith(b"client="):
                pending.add(queue_id)
            elif b"size=" in text:
                sizes[queue_id] = int(text.partition(b"size=")[2].partition(b",")[0])
                if queue_id in pending:
                    pending.remove(queue_id)
                    expected.update(accepted=1, bytes_received=sizes[queue_id])
            elif b"sent" in text:
                expected["bytes_delivered"] += sizes[queue_id]
        found = totals(self.path)[("mx1", "postfix")] if self.history else {}
        assert {counter: found.get(counter, 0) for counter in expected} == expected

    def _known_lost(self) -> set[int]:
        """Return the minutes lost after the first run that counted anything."""
        found = counted(self.path)
        return {minute for minute in self.vacuumed if found and minute > min(found)}


TestPromise = Promise.TestCase
TestPromise.settings = settings(
    max_examples=effort.examples(100), stateful_step_count=25, deadline=None
)
