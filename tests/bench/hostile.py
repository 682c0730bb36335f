"""How long a hostile line of 64 KiB takes, read by the scanner and by the recogniser.

Run by an interpreter that knows check_postfix; prints for each shape: milliseconds
for 64 KiB, and the growth when the line doubles.
"""

import time

from check_postfix.maillog.events.recogniser import recognise
from check_postfix.maillog.events.scanner import Scan
from check_postfix.maillog.syntax import frame
from check_postfix.maillog.syntax.timestamps import Timestamps

SIZE = 64 * 1024
STAMP = b"2026-11-24T16:43:26.123456+00:00 mx1 "
ID = b"4jQtMQqDqz2N: "
TAIL = b">, relay=x, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred ("

# what a line starts with, what is repeated, what it ends with
SHAPES = {
    "blanks": (b"postfix/smtp[1]: " + ID, b" ", b""),
    "blanks for a frame": (b"", b" ", b""),
    "digits for an ID": (b"postfix/smtp[1]: ", b"1A", b": to=<"),
    "letters for an ID": (b"postfix/smtp[1]: ", b"a", b": to=<"),
    "one long tag": (b"", b"a.", b"[1]: x"),
    "one long tag of slashes": (b"", b"postfix/", b"smtp[1]: x"),
    "nested [from": (b"postfix/smtpd[1]: NOQUEUE: reject: RCPT ", b"from x[from ", b""),
    "open quotes": (b"postfix/smtp[1]: " + ID + b'to=<"', b'\\"a', b""),
    "quoted local parts": (b"postfix/smtp[1]: " + ID + b"to=<", b'"a"', b"@x>"),
    "recipients": (b"postfix/smtp[1]: " + ID, b"to=<a@b", b""),
    "tails": (b"postfix/smtp[1]: " + ID + b"to=<a", TAIL, b"x)"),
    "tails in the reply": (b"postfix/smtp[1]: " + ID + b"to=<a@b" + TAIL, TAIL, b"x)"),
    "a word in the reply": (
        b"postfix/smtp[1]: " + ID + b"to=<a@b" + TAIL + b"host a[b] said: 450 ",
        b"a",
        b")",
    ),
    "halves of a tail": (b"postfix/smtp[1]: " + ID + b"to=<a", b">, relay=x, delay=1", b""),
    "relays": (b"postfix/smtp[1]: " + ID + b"to=<a@b" + TAIL, b", relay", b"=x"),
    "mechanisms": (b"postfix/smtpd[1]: warning: x[192.0.2.1]: SASL ", b"x authentication ", b""),
    "users at Dovecot": (b"dovecot: imap-login: Disconnected: ", b"x user=< (auth ", b""),
    "addresses at Dovecot": (
        b"dovecot: imap-login: Disconnected: x (auth failed, 1 attempts): user=<",
        b", rip=1.1.1.1",
        b"x",
    ),
    "senders that expire": (b"postfix/qmgr[1]: " + ID + b"from=<", b">, status=expired, ", b""),
    "faults": (b"postfix/smtpd[1]: warning: ", b"problem talking to ", b""),
    "docker": (b"", b'{"log":"\\"', b""),
    "structured data": (b"", b'<1>1 [a="\\"', b""),
    "repeated": (b"postfix/smtp[1]: ", b"message repeated 2 times: [ ", b"]"),
}


def line(shape, size):
    start, middle, end = SHAPES[shape]
    if shape not in ("docker", "structured data"):
        start = STAMP + start
    return start + middle * ((size - len(start) - len(end)) // len(middle)) + end


def seconds(data):
    best = 1.0
    for _ in range(9):
        start = time.process_time()
        Scan(Timestamps(None, 1 << 40)).block(b"\n" + data)
        record = frame.parse(data)
        if record:
            recognise(record)
        best = min(best, time.process_time() - start)
    return best


if __name__ == "__main__":
    for shape in SHAPES:
        half, whole, double = (seconds(line(shape, size)) for size in (SIZE // 2, SIZE, SIZE * 2))
        # below a millisecond, growth is noise
        growth = max(double / whole, whole / half) if whole > 0.001 else 0
        print(f"{whole * 1000:.2f}\t{growth:.2f}\t{shape}")
