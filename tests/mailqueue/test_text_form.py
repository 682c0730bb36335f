"""What `postqueue -p` prints, and what is no such listing."""

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.listing import QueuedMessage
from tests.support.listings import parse_text

NOW = datetime(2026, 11, 24, 17, 0, 0).timestamp()
SHORT_HEADER = b"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"
LONG_HEADER = b"----Queue ID-----  --Size-- ---Arrival Time---- --Sender/Recipient------\n"


def at(*when):
    return int(datetime(*when).timestamp())


def reason(text):
    return f"({text})".rjust(78) + "\n"


def short(rest, sender="ann@example.com"):
    """Return a message as the format S_SENDER_FORMAT of showq_compat.c prints it."""
    return f"{rest}  {sender}\n"


def to(address, column=41):
    return " " * column + address + "\n"


def listed(*lines, header=SHORT_HEADER):
    return header + "".join(lines).encode() + b"\n-- 3 Kbytes in 2 Requests.\n"


def test_each_mark_names_a_queue_and_none_means_deferred():
    data = listed(
        short("4ABCDEF012*     1234 Tue Nov 24 16:43:26"),
        to("bob@example.net"),
        "\n",
        short("4ABCDEF013!      255 Mon Nov 23 09:00:00"),
        to("held@example.net"),
        "\n",
        short("4ABCDEF014#       99 Fri Nov  6 00:00:59", "MAILER-DAEMON"),
        to("o@example.net"),
        "\n",
        short("4ABCDEF015!#      98 Fri Nov  6 00:00:59"),
        to("both@example.net"),
    )

    assert parse_text(data, NOW) == (
        QueuedMessage(
            "active", "4ABCDEF012", at(2026, 11, 24, 16, 43, 26), 1234, False, ("bob@example.net",),
            "", "ann@example.com",
        ),
        QueuedMessage("hold", "4ABCDEF013", at(2026, 11, 23, 9), 255, False,
                      ("held@example.net",), "", "ann@example.com"),
        QueuedMessage("deferred", "4ABCDEF014", at(2026, 11, 6, 0, 0, 59), 99, True,
                      ("o@example.net",), "", "MAILER-DAEMON"),
        QueuedMessage("hold", "4ABCDEF015", at(2026, 11, 6, 0, 0, 59), 98, True,
                      ("both@example.net",), "", "ann@example.com"),
    )  # fmt: skip


def test_long_queue_ids_move_the_columns():
    data = listed(
        "4XJ2Vw0dHbz9sK1*      1234 Tue Nov 24 16:43:26 ann@example.com\n",
        to("bob@example.net", 47),
        header=LONG_HEADER,
    )

    assert parse_text(data, NOW) == (
        QueuedMessage(
            "active",
            "4XJ2Vw0dHbz9sK1",
            at(2026, 11, 24, 16, 43, 26),
            1234,
            False,
            ("bob@example.net",),
            "",
            "ann@example.com",
        ),
    )


def test_an_empty_queue_says_so():
    assert parse_text(b"Mail queue is empty\n", NOW) == ()


def test_reasons_are_no_recipients_wherever_they_stand():
    data = listed(
        short("4ABCDEF012      1234 Tue Nov 24 16:43:26"),
        reason("connect to mx.example.net[192.0.2.1]:25: Connection refused"),
        to("one@example.net"),
        reason("lost"),
        to("two@example.net"),
        f"(host mx.example.org[192.0.2.7] said: 451 4.7.1 {'later ' * 12}(in reply to RCPT))\n",
        to("three@example.org"),
        reason("reason unavailable"),
        to("four@example.org"),
    )

    assert parse_text(data, NOW)[0].recipients == (
        "one@example.net",
        "two@example.net",
        "three@example.org",
        "four@example.org",
    )
    assert parse_text(data, NOW)[0].reason == (
        "connect to mx.example.net[192.0.2.1]:25: Connection refused"
    )


def test_no_reason_is_known_where_nobody_was_tried():
    data = listed(
        short("4ABCDEF012      1234 Tue Nov 24 16:43:26"),
        reason("reason unavailable"),
        to("one@example.net"),
    )

    assert parse_text(data, NOW)[0].reason == ""


def test_a_reason_is_measured_in_bytes():
    text = "450 4.7.1 sp\u00e4ter".encode()
    line = b" " * (76 - len(text)) + b"(" + text + b")\n"
    data = listed(short("4ABCDEF012      1234 Tue Nov 24 16:43:26")).replace(
        b"ann@example.com\n", b"ann@example.com\n" + line + to("bob@example.net").encode()
    )

    assert parse_text(data, NOW)[0].recipients == ("bob@example.net",)


def test_addresses_may_hold_blanks_and_parentheses():
    data = listed(
        short("4ABCDEF012      1234 Tue Nov 24 16:43:26", '"ann b"@example.com'),
        to('"bob (x)  y"@example.net'),
        to(" bob@example.net"),
        to("(bob)"),
    )

    assert parse_text(data, NOW)[0].recipients == (
        '"bob (x)  y"@example.net',
        " bob@example.net",
        "(bob)",
    )


def test_only_a_newline_ends_a_line():
    data = listed(
        short("4ABCDEF012      1234 Tue Nov 24 16:43:26"), to("a\u2028b\x85c@example.net")
    )

    assert parse_text(data, NOW)[0].recipients == ("a\u2028b\x85c@example.net",)


def test_a_message_may_have_no_recipients():
    data = listed(
        short("4ABCDEF012      1234 Tue Nov 24 16:43:26"),
        "\n",
        short("4ABCDEF013*       99 Tue Nov 24 16:43:27"),
    )

    assert [message.recipients for message in parse_text(data, NOW)] == [(), ()]


def test_before_postfix_3_0_a_message_that_showq_may_not_open_is_known_to_be_in_maildrop():
    data = listed("4ABCDEF012       345 Tue Nov 24 16:43:26  (maildrop queue, sender UID 1000)\n")

    assert parse_text(data, NOW) == (
        QueuedMessage("maildrop", "4ABCDEF012", at(2026, 11, 24, 16, 43, 26), 345, False, ()),
    )


@pytest.mark.parametrize(
    ("printed", "now", "arrival"),
    [
        # The newest past date: this year, or the last one.
        ("Tue Nov 24 16:59:59", at(2026, 11, 24, 17), at(2026, 11, 24, 16, 59, 59)),
        ("Thu Dec 31 23:59:59", at(2027, 1, 1, 0, 0, 1), at(2026, 12, 31, 23, 59, 59)),
        ("Wed Nov 26 17:00:00", at(2026, 11, 24, 17), at(2025, 11, 26, 17)),
        # It came while postqueue ran, or the clock was set back: that makes it no year old.
        ("Tue Nov 24 17:00:02", at(2026, 11, 24, 17), at(2026, 11, 24, 17, 0, 2)),
        ("Fri Jan  1 00:00:00", at(2026, 12, 31, 23, 59, 59), at(2027, 1, 1)),
        # The weekday tells of older ones, and a day that most years do not have.
        ("Sun Nov 24 16:59:59", at(2026, 11, 24, 17), at(2024, 11, 24, 16, 59, 59)),
        ("Thu Feb 29 12:00:00", at(2026, 11, 24, 17), at(2024, 2, 29, 12)),
    ],
)
def test_the_year_that_is_not_printed(printed, now, arrival):
    data = listed(short(f"4ABCDEF012      1234 {printed}"))

    assert parse_text(data, now)[0].arrival == arrival


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a header with 'Queue ID', got nothing more"),
        (b"{}\n", "expected a header with 'Queue ID', got '{}'"),
        (
            SHORT_HEADER + b"  bob@example.net\n",
            "expected a queue ID, size and arrival time, got '  bob@example.net'",
        ),
        (
            listed(short("4ABCDEF012      1234 Tue Nov 31 16:43:26")),
            "expected a queue ID, size and arrival time,"
            " got '4ABCDEF012      1234 Tue Nov 31 16:43:26  ann@example.com'",
        ),
        (
            listed(short("4ABCDEF012      1234 Tue Nov 24 16:43:26"), "    bob@example.net\n"),
            "expected a recipient, got '    bob@example.net'",
        ),
        (
            SHORT_HEADER + short("4ABCDEF012      1234 Tue Nov 24 16:43:26").encode(),
            "expected a last line '-- N Kbytes in N Requests.', got nothing more",
        ),
    ],
)
def test_what_is_no_listing_is_an_error_that_says_what_was_expected(data, message):
    with pytest.raises(QueueError) as error:
        parse_text(data, NOW)

    assert (
        str(error.value) == f"postqueue: {message}; see that this postqueue is the one of Postfix"
    )


PIECES = st.sampled_from(
    [
        SHORT_HEADER,
        LONG_HEADER,
        short("4ABCDEF012*     1234 Tue Nov 24 16:43:26").encode(),
        to("bob@example.net").encode(),
        reason("lost").encode(),
        b"\n",
        b"(",
        b" ",
        b"Mail queue is empty\n",
        b"-- 3 Kbytes in 2 Requests.\n",
        b"4ABCDEF012      1234 Sun Feb 29 23:59:60 x\n",
    ]
)


@given(st.binary() | st.lists(PIECES | st.binary(max_size=5)).map(b"".join))
def test_arbitrary_bytes_are_a_listing_or_a_short_printable_error(data):
    complaint = complaint_about(data)

    assert len(complaint) < 1000
    assert complaint.isprintable()


def complaint_about(data):
    """Return why data is no listing, nothing when it is one."""
    try:
        parse_text(data, NOW)
    except QueueError as error:
        return str(error)
    return ""


ADDRESSES = st.from_regex(r'("[a-z ()<>]{0,20}"|[a-z.]{1,20})@[a-z.]{1,20}', fullmatch=True)
REASONS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), min_size=1)


@given(
    recipients=st.lists(st.tuples(st.none() | REASONS, ADDRESSES)),
    arrival=st.integers(int(NOW) - 300 * 86400, int(NOW)),
    size=st.integers(0, 10**9),
    mark=st.sampled_from([("", "deferred"), ("*", "active"), ("!", "hold")]),
    long=st.booleans(),
)
def test_what_was_printed_is_what_is_read(recipients, arrival, size, mark, long):
    # The formats of postfix/src/postqueue/showq_compat.c.
    when = time.asctime(time.localtime(arrival)) + "\n"
    printed = (
        f"{'4ABCDEF012' + mark[0]:17} {size:8} {when:19.19} ann@example.com\n"
        if long
        else f"{'4ABCDEF012' + mark[0]:11} {size:7} {when:20.20} ann@example.com\n"
    )
    for why, address in recipients:
        if why is not None:
            printed += f"{'':{max(0, 76 - len(why))}}({why})\n"
        printed += to(address, 47 if long else 41)

    listing = parse_text(listed(printed, header=LONG_HEADER if long else SHORT_HEADER), NOW)

    # The hour that comes twice in autumn is printed the same both times.
    again = int(time.mktime((*time.localtime(arrival)[:6], 0, 0, -1)))
    reasons = [why for why, _ in recipients if why not in (None, "reason unavailable")]
    addresses = tuple(address for _, address in recipients)
    reason = reasons[0] if reasons else ""
    of_whom = addresses, reason, "ann@example.com"
    assert listing == (QueuedMessage(mark[1], "4ABCDEF012", again, size, False, *of_whom),)
