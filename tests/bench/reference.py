"""The reference scanner: what pure Python can do at all with a log like this.

One expression, blocks of bytes, a loop over what it found: counts per minute and
kind, delays by power of two, and the keys that a check could want (client address,
recipient domain, DSN). It knows no rotation, no other frames, no ambiguous lines,
keeps nothing on disk and is used by nobody but the benchmark.

    python reference.py FILE[.gz]    prints KIND NUMBER
"""

import re
import sys
import zlib
from collections import Counter

BLOCK = 128 * 1024

_find = re.compile(
    rb"\n(\d{4}-\d\d-\d\dT\d\d:\d\d|[A-Z][a-z][a-z] [ \d]\d \d\d:\d\d):\S++ \S++ (?:"
    rb"postfix[^/]*+/[^\[]++\[\d++\]: (?:"
    rb"[0-9A-Za-z]++: (?:to=<[^>@]*+@?+([^>]*+)>, (?:orig_to=<[^>]*+>, )?relay=[^,]++,"
    rb"(?: conn_use=\d++,)? delay=([0-9.]++), delays=[0-9./]++, dsn=([0-9.]++),"
    rb" status=(sent|deferred|bounced) |(client)=)"
    rb"|NOQUEUE: (reject): [A-Z]++ from [^\[]*+\[([0-9A-Fa-f.:]++)\]"
    rb"|warning: [^\[]++\[([0-9A-Fa-f.:]++)\]: (SASL) \S++ authentication failed"
    rb"|(PREGREET|DNSBL) )"
    rb"|dovecot: imap-login: (?:(Login): user=|Disconnected: [^(\n]*+\((auth) failed, (\d++) "
    rb"[^\n]*? rip=([0-9A-Fa-f.:]++))"
    rb")"
).findall


def count(read):
    """Return kind -> number of all that `read` yields, having kept what a product would keep."""
    totals, keys, delays, buckets = Counter(), Counter(), Counter(), {}
    rest = b"\n"
    while data := read(BLOCK):
        data = rest + data
        cut = data.rfind(b"\n")
        for (
            minute, domain, delay, dsn, status, received, rejected, rejected_client,
            guesser, sasl, screen, login, failed, attempts, rip,
        ) in _find(data[:cut]):  # fmt: skip
            if status:
                totals[minute, status] += 1
                bucket = buckets.get(delay)
                if bucket is None:
                    bucket = buckets[delay] = int(float(delay)).bit_length()
                delays[status, bucket] += 1
                if status != b"sent":
                    keys[minute, status, domain] += 1
                    keys[minute, status, dsn] += 1
            elif received:
                totals[minute, received] += 1
            elif rejected:
                totals[minute, rejected] += 1
                keys[minute, rejected, rejected_client] += 1
            elif sasl:
                totals[minute, sasl] += 1
                keys[minute, sasl, guesser] += 1
            elif login or screen:
                totals[minute, login or screen] += 1
            elif failed:
                totals[minute, failed] += int(attempts)
                keys[minute, failed, rip] += int(attempts)
        rest = data[cut:]
    sums = Counter()
    for (_, kind), number in totals.items():
        sums[kind.decode()] += number
    return sums


def gunzipped(file):
    """Return a `read` of the uncompressed bytes of a gzip file of one member."""
    member = zlib.decompressobj(31)

    def read(size):
        data = b""
        while not data and not member.eof:
            data = member.decompress(member.unconsumed_tail or file.read(65536), size)
        return data

    return read


if __name__ == "__main__":
    with open(sys.argv[1], "rb", buffering=0) as file:
        read = gunzipped(file) if sys.argv[1].endswith(".gz") else file.read
        for kind, number in sorted(count(read).items()):
            print(kind, number)
