"""Found: what one expression finds in each line of a block of an ordinary log.

That is either a shape so plain that its few fields can be taken as they stand, or a text that the
recogniser must read. The expression is built from the recogniser's own openings, so it passes over
only what the recogniser would pass over too. A line with another frame than the ordinary one is
found whole.
"""

from __future__ import annotations

import re
from collections import namedtuple

from check_postfix.maillog.events import fields
from check_postfix.maillog.events.recogniser import (
    ANY_WARNING,
    COMMANDS,
    DOVECOT,
    POSTFIX,
    active,
    connection,
    delivery,
    health,
    intake,
    login,
    loss,
    reject,
    screen,
)
from check_postfix.maillog.syntax import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from check_postfix.maillog.events.recogniser import Shape

# A command's line is an odd one: it is read whole, so that all of them are seen.
_POST = b"post"
_COMMAND = (
    rb"(?:[A-Za-z0-9_.-]++/)*(?:post(?:"
    + rb"|".join(sorted(name[len(_POST) :] for name in COMMANDS if name.startswith(_POST)))
    + rb")|"
    + rb"|".join(sorted(name for name in COMMANDS if not name.startswith(_POST)))
    + rb")[:\[]"
)
# What nearly every line starts with: a stamp, one host name, one tag. Only a tag with a
# path is Postfix's.
_FRAME = (
    rb"(?P<stamp>" + frame.ISO_MINUTE + rb"|" + frame.BSD_MINUTE + rb")" + frame.SECONDS
    + rb"(?P<zone_host_tag>(?:" + frame.ZONE + rb"|) [A-Za-z0-9._-]++ [A-Za-z0-9_.-]++"
    rb"(?:(?P<path>/)(?!" + _COMMAND + rb")[A-Za-z0-9_./-]*+(?<!/)|))(?:\[[0-9]++\]|): "
)  # fmt: skip


def _any(expressions: Iterable[bytes]) -> bytes:
    return rb"(?:" + rb"|".join(expressions) + rb")"


def _whole(expressions: Iterable[bytes]) -> bytes:
    """Return the expression of a text that the recogniser must read, to its end."""
    return _any(expressions) + rb"[^\n]*+"


def _openings(shapes: Iterable[Shape]) -> list[bytes]:
    """Return expressions; each text that these shapes read starts with one of them."""
    return list(dict.fromkeys(opening for shape in shapes for opening in shape.openings))


def _first_letters(words: Iterable[bytes]) -> bytes:
    """Return the expression of a set: the first letters of some words."""
    return rb"[" + b"".join(sorted({re.escape(word[:1]) for word in words})) + rb"]"


# Stands where a queue ID stands in other lines.
NO_ID = b"NOQUEUE"
# A delivery is plain if its addresses cannot hold a tail and no second tail follows. The
# reply is kept where it says why the delivery failed. The name of the server that gave it
# and the recipient before it are left out: nobody looks at them, and where much mail is
# deferred they would make each reply a different one.
_REPLY_START = (
    rb"host [^\s\[\]]++\[[^\]\s]++\](?P<reply_start> said: [245]\d\d[ -](?:"
    + fields.ENHANCED_CODE + rb" |))(?:<[^\s@<>]++@[^\s@<>]++>: |)"
)  # fmt: skip
_DOMAIN = rb"(?:@" + fields.DOMAIN_NAME + rb"|)"
_DELIVERY = (
    rb"to=<(?<!" + NO_ID + rb": to=<)(?P<recipient>" + fields.UNQUOTED_LOCAL
    + rb"(?P<domain>" + _DOMAIN + rb">))(?:, orig_to=<(?P<orig_to>" + fields.UNQUOTED_LOCAL
    + _DOMAIN + rb">)|)(?P<relay>, relay=[^\t-\r ,\[]++)(?P<socket>" + delivery.SOCKET
    + rb"|)[^\t-\r ,]*+"
    + fields.BEFORE_TIMES + rb"(?P<times>" + fields.BEFORE_STAGES + rb"(?:(?P<retry>"
    + fields.RETRY + rb")|" + fields.SECONDS + rb")" + fields.LATER_STAGES + rb")"
    + fields.MORE_FIELDS + rb", dsn=(?![^\n]*, relay=)(?:"
    rb"(?P<sent>" + fields.ENHANCED_CODE
    + rb", status=sent \((?:" + delivery.COMES_AGAIN + rb"|))(?:" + delivery.QUEUED_AS
    + rb"(?P<queued_as>" + fields.OTHER_ID + rb")\)(?=\r?(?:\n|\Z))|)"
    rb"|(?P<failed>" + fields.ENHANCED_CODE + rb", status=(?:deferred|bounced) \()"
    rb"(?:" + _REPLY_START + rb"|)(?P<reply_rest>[^\n]*+))"
)  # fmt: skip
_ACTIVE = (
    rb"from=<(?<!" + NO_ID + rb": from=<)" + fields.UNQUOTED_LOCAL + _DOMAIN
    + rb">, size=(?P<size_recipients>" + active.SIZE + rb", nrcpt=" + active.RECIPIENTS
    + rb") \(queue active\)(?=\r?(?:\n|\Z))"
)  # fmt: skip
REJECT = b"reject: "
_REMOVED = rb"removed(?=\r?(?:\n|\Z))"
# A reject, without whom it is about and how it ends
_REFUSED = (
    REJECT + rb"(?P<refused>[A-Z][A-Z-]++(?: content|)) from (?P<refused_client>(?:"
    + fields.CLIENT_NAME
    # postscreen, which always names the port
    + rb"|(?=\[[0-9A-Fa-f.:]++\]:\d))\[(?:" + fields.CLIENT_ADDRESS + rb"))\]"
    rb"(?::\d++|)(?P<reply_code>: [245]\d\d )(?:" + fields.ENHANCED_CODE + rb" |)"
    + reject.PLAIN_MESSAGE
)  # fmt: skip
_LOGIN = (
    rb"warning: (?P<login_client>" + fields.CLIENT_NAME + rb"\[(?:" + fields.CLIENT_ADDRESS
    + rb"))\]" + login.PLAIN_FAILED
)  # fmt: skip

# By how a text starts: with an ID, with a warning, or with anything else.
_WARNING = health.WARNING
_ANY_WORD = (b"",)
_SHAPES_WITHOUT_ID = [
    shape for shape in (*POSTFIX, *DOVECOT) if not shape.id and shape.words != _ANY_WORD
]
_WITH_ODD_ID = _whole(
    _openings(shape for shape in POSTFIX if not shape.id and shape.words == _ANY_WORD)
)
_WITH_ID = _whole(_openings(shape for shape in POSTFIX if shape.id))
# Of these texts nothing but their opening is looked at; each client has one.
_CONNECTED = (connection.SMTPD, connection.POSTSCREEN)
_WITHOUT_ID = _openings(
    # a screen.FINDING reads the texts of the one, and there is nothing to be read in the others'
    shape for shape in _SHAPES_WITHOUT_ID
    if shape.words != screen.WORDS and shape.words[0] not in _CONNECTED and shape is not ANY_WARNING
)  # fmt: skip
_WARNINGS = _WARNING + _whole(
    opening.removeprefix(_WARNING) for opening in _WITHOUT_ID if opening.startswith(_WARNING)
)
_OTHERS = _whole(
    [opening for opening in _WITHOUT_ID if not opening.startswith(_WARNING)] + [frame.WRAPPER]
)
# Nearly all texts that nobody counts start with other letters.
FIRST_LETTERS = _first_letters(
    [*frame.WRAPPERS, *(words for shape in _SHAPES_WITHOUT_ID for words in shape.words)]
)
# A line whose tag has no path is Dovecot's or another program's; this finds all of them.
_WITHOUT_PATH = _any(
    [
        login.DOVECOT_LOGIN,
        rb"(?P<text_without_path>" + login.DOVECOT_IDLE + rb"|"
        + login.DOVECOT_LOGGED_IN_FROM_NOWHERE
        + rb"|"
        + _whole(
            [
                *_openings(DOVECOT), *loss.OPENINGS, frame.WRAPPER, frame.STAMPED,
                health.BEFORE_MAIN_CF,
            ]
        ) + rb"|)",
    ]
)  # fmt: skip
_COUNTED_LETTER = rb"(?=" + FIRST_LETTERS + rb")"
# The engine passes over an alternative sooner if it starts with a letter.
_AFTER_ID = rb"(?!message-id=)" + _any(
    [
        _DELIVERY,
        _ACTIVE,
        intake.PLAIN,
        _REFUSED,
        rb"(?P<text_after_id>" + _any([_REMOVED, _WITH_ID]) + rb")",
    ]
)  # fmt: skip
_WITHOUT_AN_ID = _any(
    [
        rb"(?P<connected>" + _any(map(re.escape, _CONNECTED)) + rb")",
        _COUNTED_LETTER + _any([screen.FINDING, _LOGIN]),
        rb"(?P<text>" + _COUNTED_LETTER + _any([_WARNINGS, _OTHERS]) + rb"|" + _WITH_ODD_ID
        + rb")",
        rb"(?P<warned>" + _WARNING + rb")",
    ]
)  # fmt: skip
_WITH_PATH = (
    rb"(?>(?P<queue_id>" + NO_ID + rb"|" + fields.QUEUE_ID + rb"): |)"
    rb"(?(queue_id)" + _AFTER_ID + rb"|" + _WITHOUT_AN_ID + rb")"
)

_expression = re.compile(
    rb"\n(?>" + _FRAME + rb"|)(?(zone_host_tag)(?(path)" + _WITH_PATH + rb"|" + _WITHOUT_PATH
    + rb")|(?P<odd_line>[^\n]*+))"
)  # fmt: skip
find = _expression.findall


class Found(
    namedtuple(
        "Found",
        "stamp zone_host_tag path queue_id recipient domain orig_to relay socket times retry sent"
        " queued_as failed reply_start reply_rest size_recipients received logged_in earlier_id"
        " refused refused_client reply_code reply_text reply_end text_after_id connected finding"
        " found_client login_client login account text warned dovecot_login user client"
        " text_without_path odd_line",
    )
):
    """What the expression finds in one line: its groups, in their order; nothing for the others.

    Of a line with an ordinary frame
    stamp, zone_host_tag: its frame, without seconds and process ID
    path:           whether the tag has one
    queue_id:       also NOQUEUE
    recipient, domain, relay: `LOCAL@DOMAIN>`, `@DOMAIN>` and `, relay=HOST` of a delivery
    orig_to:        `ADDRESS>` that it was for before aliases
    socket:         `[/` where its relay is a socket
    times:          `T, delays=A/B/C/D`: how long it took
    retry:          A if it is not the first try
    sent, failed:   `DSN, status=WORD (` of one that was sent or failed
    queued_as:      queue ID that the server says it has now
    reply_start, reply_rest: why it failed: code and enhanced code of another server, the rest
    size_recipients: `SIZE, nrcpt=NUMBER` of a message taken up by the queue manager
    received, logged_in: `NAME[ADDRESS` of who has handed a message in, and the account that had
                    logged in
    earlier_id:     queue ID that it had before
    refused, refused_client: stage and `NAME[ADDRESS` of a reject
    reply_code, reply_text, reply_end: of that reject; an address after the text is left out
    text_after_id:  what the recogniser must read after the queue ID
    connected:      how the text begins of a client that has connected
    finding, found_client: of postscreen
    login_client, login, account: `NAME[ADDRESS` of a login that failed at Postfix, what follows,
                    and whose it was
    text:           what the recogniser must read, without a queue ID
    warned:         how a warning starts that is none of these
    dovecot_login, user, client: of a login at Dovecot: what became of it, whose it was, and its
                    address
    text_without_path: what the recogniser must read, where the tag has no path

    odd_line:       a line with another frame, as a whole
    """

    __slots__ = ()


assert Found._fields == tuple(_expression.groupindex)
