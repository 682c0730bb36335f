"""What `postqueue -j` prints, and what is no such listing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.listing import QUEUES, QueuedMessage
from tests.support.listings import parse_json

# Printed by Postfix 3.7.11.
A_HELD_MESSAGE = (
    b'{"queue_name": "hold", "queue_id": "56FB32541BC", "arrival_time": 1795540102,'
    b' "message_size": 255, "forced_expire": false, "sender": "f@x.test",'
    b' "recipients": [{"address": "held@b.test", "delay_reason":'
    b' "connect to 127.0.0.1[127.0.0.1]:10099: Connection refused"}]}\n'
)
REFUSED = "connect to 127.0.0.1[127.0.0.1]:10099: Connection refused"

NO_MESSAGE = (
    "postqueue: expected one JSON object a message (queue_name, queue_id, arrival_time,"
    " message_size, recipients), got {}; see that this postqueue is the one of Postfix"
)


def test_a_message_as_postfix_prints_it():
    listing = parse_json(A_HELD_MESSAGE)

    assert listing == (
        QueuedMessage(
            "hold", "56FB32541BC", 1795540102, 255, False, ("held@b.test",), REFUSED, "f@x.test"
        ),
    )


def test_an_empty_queue_is_no_line_at_all():
    assert parse_json(b"") == ()


def test_a_message_may_have_no_recipients_yet():
    line = A_HELD_MESSAGE.partition(b'"recipients"')[0] + b'"recipients": []}\n'

    assert parse_json(line) == (
        QueuedMessage("hold", "56FB32541BC", 1795540102, 255, False, (), "", "f@x.test"),
    )


def test_before_postfix_3_5_no_message_is_said_to_be_forced_to_expire():
    line = A_HELD_MESSAGE.replace(b' "forced_expire": false,', b"")

    assert parse_json(line)[0].forced_expire is False


def test_a_message_forced_to_expire_says_so():
    line = A_HELD_MESSAGE.replace(b"false", b"true")

    assert parse_json(line)[0].forced_expire is True


def test_keys_that_are_not_known_are_ignored():
    line = A_HELD_MESSAGE.replace(b'{"', b'{"new": [1, {"deep": null}], "')

    assert parse_json(line) == parse_json(A_HELD_MESSAGE)


def test_recipients_who_have_bounced_already_are_not_waiting_any_more():
    # Postfix 3.11 lists them until the sender has been notified.
    line = A_HELD_MESSAGE.replace(
        b"[{", b'[{"orig_address": "gone@b.test", "address": "gone@b.test",'
        b' "bounce_reason": "no such user"}, {'
    )  # fmt: skip

    assert parse_json(line)[0].recipients == ("held@b.test",)


def test_the_reason_is_that_of_the_first_recipient_who_was_tried():
    recipients = [
        {"address": "a@b.test"},
        {"address": "b@b.test", "delay_reason": "first"},
        {"address": "c@b.test", "delay_reason": "second"},
    ]
    line = json.dumps(json.loads(A_HELD_MESSAGE) | {"recipients": recipients}).encode()

    assert parse_json(line)[0].reason == "first"


def test_only_a_newline_ends_a_message():
    # U+2028, U+0085 and U+001C end a line for str.splitlines().
    address = "a\u2028b\x85c@b.test"
    line = A_HELD_MESSAGE.replace(b"held@b.test", address.encode())

    assert parse_json(line)[0].recipients == (address,)


def test_bytes_that_are_no_utf8_are_replaced():
    line = A_HELD_MESSAGE.replace(b"held@", b"h\xc3ld@")

    assert parse_json(line)[0].recipients == ("h\ufffdld@b.test",)


@pytest.mark.parametrize(
    ("line", "got"),
    [
        (b"Mail queue is empty", "'Mail queue is empty'"),
        (b"-Queue ID-  --Size--", "'-Queue ID-  --Size--'"),
        (b"42", "'42'"),
        (b"[]", "'[]'"),
        (b"{}", "'{}'"),
        (b"\xff\x00|<b>", "'\\ufffd\\x00|<b>'"),
        (b"[" * 100_000, "'" + "[" * 60 + "'"),
        (b'{"queue_name": ' + b"9" * 5000, '\'{"queue_name": ' + "9" * 45 + "'"),
    ],
)
def test_what_is_no_message_is_an_error_that_shows_its_beginning(line, got):
    with pytest.raises(QueueError) as error:
        parse_json(A_HELD_MESSAGE + line + b"\n")

    assert str(error.value) == NO_MESSAGE.format(got)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("queue_name", None),
        ("queue_name", 5),
        ("queue_id", ["A1"]),
        ("arrival_time", "1795540102"),
        ("arrival_time", 1.5),
        ("arrival_time", True),
        ("arrival_time", 2**63),
        ("message_size", None),
        ("message_size", -1),
        ("message_size", -(2**63)),
        ("forced_expire", 1),
        ("recipients", None),
        ("recipients", {"address": "a@b.test"}),
        ("recipients", ["a@b.test"]),
        ("recipients", [{}]),
        ("recipients", [{"address": None}]),
        ("recipients", [None]),
        ("recipients", [{"address": "a@b.test", "delay_reason": 1}]),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error_and_not_guessed(key, value):
    entry = json.loads(A_HELD_MESSAGE) | {key: value}

    with pytest.raises(QueueError):
        parse_json(json.dumps(entry).encode())


@given(st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_are_a_listing_or_a_short_printable_error(data):
    complaint = complaint_about(data)

    assert len(complaint) < 1000
    assert complaint.isprintable()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(json.loads(A_HELD_MESSAGE))), JSON_VALUES))
def test_any_json_object_is_a_message_or_a_printable_error(changes):
    entry = json.loads(A_HELD_MESSAGE) | changes

    assert complaint_about(json.dumps(entry).encode()).isprintable()


def complaint_about(data):
    """Return why data is no listing, nothing when it is one."""
    try:
        parse_json(data)
    except QueueError as error:
        return str(error)
    return ""


MESSAGES = st.lists(
    st.builds(
        QueuedMessage,
        queue=st.sampled_from(QUEUES),
        queue_id=st.from_regex(r"[0-9A-F]{6,12}", fullmatch=True),
        arrival=st.integers(0, 2**40),
        size=st.integers(0, 2**40),
        forced_expire=st.booleans(),
        recipients=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1).map(
            tuple
        ),
        reason=st.text(st.characters(exclude_categories=["Cs"])),
        sender=st.text(st.characters(exclude_categories=["Cs"])),
    ),
    unique_by=lambda message: message.queue_id,
)


@given(MESSAGES)
def test_what_was_printed_is_what_is_read(messages):
    printed = "".join(
        json.dumps(
            {
                "queue_name": message.queue,
                "queue_id": message.queue_id,
                "arrival_time": message.arrival,
                "message_size": message.size,
                "forced_expire": message.forced_expire,
                "sender": message.sender,
                "recipients": [
                    {"address": address, "delay_reason": message.reason}
                    for address in message.recipients
                ],
            },
            ensure_ascii=False,
        )
        + "\n"
        for message in messages
    )

    assert parse_json(printed.encode()) == tuple(messages)
