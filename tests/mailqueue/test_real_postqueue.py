"""The real programs: a private Postfix is listed, and its table of ages compared with qshape's.

The instance lives in namespaces of its own (network, mounts, processes) and dies with them.
"""

import calendar
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from check_postfix.mailqueue.age import render, table
from check_postfix.mailqueue.listing import Listing, QueuedMessage
from tests.integration import namespace, packages
from tests.integration.postfix import POSTLOG, Postfix
from tests.support.listings import parse_json, parse_text

NOON = 1_795_600_800
SOURCES = os.path.join(os.path.dirname(__file__), "..", "..", "checks")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a Postfix of its own"),
]

PARAMETERS = {
    "mydestination": "",
    "myhostname": "mx.example.test",
    "inet_interfaces": "127.0.0.1",
    "smtp_connection_cache_on_demand": "no",
    "default_transport": "smtp:[127.0.0.1]:9",
    "transport_maps": "inline:{stuck.test=smtp:[127.0.0.1]:10099}",
    # What has no room in active stays in incoming.
    "qmgr_message_active_limit": "3",
}

# Mail for it stays in active.
SILENT_SERVER = """\
import signal, socket
server = socket.create_server(("127.0.0.1", 10099), backlog=100)
signal.pause()
"""

# What read() returns or raises, for a user who is not ours.
READ = """\
import sys, time
from check_postfix.mailqueue import errors, postqueue
from check_postfix.mailqueue.instances import Instance
try:
    listing = postqueue.read([Instance(sys.argv[1], True)], 20, time.time())
    print(sorted((n, sums.messages, sums.size) for n, sums in listing.queues.items()))
except errors.QueueError as error:
    print(error)
"""

PROJECT = namespace.PROJECT
# Run by root: this Python and the sources may lie where only root can go.
OPEN_THE_WAY = """
import sys
from tests.integration.namespace import PROJECT, open_the_way
open_the_way([PROJECT, sys.prefix, sys.base_prefix])
"""

NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--")


@pytest.fixture(scope="module")
def root():
    """Return a directory that the users postfix and nobody can reach: pytest's own is closed."""
    path = tempfile.mkdtemp(prefix="queue.")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def inside(root):
    """Return a function that runs a command in the private namespaces and returns its stdout."""
    packages.install("postfix", "perl", "faketime", "util-linux")
    keeper = subprocess.Popen(
        [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("--propagation", "private", "--"),
            *("sh", "-c", "ip link set lo up && mount -t tmpfs tmpfs /run && echo up && sleep 999"),
        ],
        cwd=root,
        stdout=subprocess.PIPE,
    )
    assert keeper.stdout.readline() == b"up\n"
    with open(f"/proc/{keeper.pid}/task/{keeper.pid}/children") as children:
        first = children.read().split()[0]
    enter = ("nsenter", "--target", first, "--net", "--mount", "--pid", "--root", "--")

    def run(*command, stdin=b""):
        done = subprocess.run(
            [*enter, *command], input=stdin, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    run("env", f"PYTHONPATH={PROJECT}", sys.executable, "-B", "-c", OPEN_THE_WAY)
    yield run
    # With the first process of the namespace all others die, and then its parent ends.
    os.kill(int(first), signal.SIGKILL)
    keeper.wait()
    keeper.stdout.close()


@pytest.fixture(scope="module")
def silent_server(inside):
    """Keep a server that takes connections and never says a word."""
    inside("sh", "-c", f"{sys.executable} -c '{SILENT_SERVER}' >&- 2>&- &")


@pytest.fixture(scope="module")
def instance(root, inside):
    """Return a function that makes a Postfix instance and returns its directory."""
    # postqueue lets others than root name a directory only if the default main.cf does.
    inside("cp", "-a", "/etc/postfix", f"{root}/default")
    inside("mount", "--bind", f"{root}/default", "/etc/postfix")
    directories = []

    def make(name, *, long_queue_ids="no"):
        place = Path(root, name)
        postfix = Postfix(name, place / "etc", place / "spool", place / "data")
        log = {"maillog_file": f"{place}/mail.log", "maillog_file_prefixes": f"{place}"}
        parameters = {**PARAMETERS, **log, "enable_long_queue_ids": long_queue_ids}
        postfix.lay_out(parameters, POSTLOG, {})
        shutil.copy("/etc/postfix/dynamicmaps.cf", postfix.config)
        config_dir = str(postfix.config)
        directories.append(config_dir)
        with open(f"{root}/default/main.cf", "w") as main_cf:
            main_cf.write(f"alternate_config_directories = {','.join(directories)}\n")
        inside("postfix", "-c", config_dir, "check")
        return config_dir

    return make


@pytest.fixture(scope="module", params=["no", "yes"], ids=["short queue IDs", "long queue IDs"])
def busy(request, inside, instance, silent_server):  # noqa: ARG001  (it is there)
    """Return the directory of a running instance with mail in each queue but maildrop."""
    config_dir = instance(f"busy-{request.param}", long_queue_ids=request.param)
    inside("postfix", "-c", config_dir, "start")

    def send(*recipients, sender="ann@example.test", size=100):
        text = b"Subject: x\n\n" + b"x" * size + b"\n"
        inside("sendmail", "-C", config_dir, "-f", sender, "-i", *recipients, stdin=text)

    def wait_for(**wanted):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            messages = parse_json(inside("postqueue", "-c", config_dir, "-j"))
            counts = Listing(messages, time.time()).counts()
            if all(counts[queue] == number for queue, number in wanted.items()):
                return messages
            time.sleep(0.05)
        raise AssertionError((wanted, counts))

    send("a@one.test", "b@ONE.test", "c@two.test")
    wait_for(deferred=1)
    send('"blank (x)"@three.test', sender="", size=50_000)
    wait_for(deferred=2)
    send("held@four.test")
    held = newest(wait_for(deferred=3))
    inside("postsuper", "-c", config_dir, "-h", held)
    send("expired@five.test")
    expired = newest(wait_for(deferred=3, hold=1))
    inside("postsuper", "-c", config_dir, "-e", expired)
    for number in range(5):
        send(f"{number}@stuck.test", "x@Stuck.Test")
    wait_for(deferred=3, hold=1, active=3, incoming=2)
    return config_dir


def newest(messages):
    return max(messages, key=lambda message: (message.arrival, message.queue_id)).queue_id


def test_the_json_form_and_the_text_form_tell_the_same(inside, busy):
    from_json = parse_json(inside("postqueue", "-c", busy, "-j"))
    from_text = parse_text(inside("postqueue", "-c", busy, "-p"), time.time())

    unmarked = {"active": "active", "hold": "hold"}
    assert len(from_json) == 9
    assert from_text == tuple(
        message._replace(queue=unmarked.get(message.queue, "deferred")) for message in from_json
    )


def test_each_user_reads_the_same_queue(inside, busy):
    as_root = read(inside, busy)
    as_nobody = read(inside, busy, *NOBODY)

    listing = Listing(parse_json(inside("postqueue", "-c", busy, "-j")), time.time())
    there = sorted((name, sums.messages, sums.size) for name, sums in listing.queues.items())
    assert as_root == as_nobody == f"{there}\n"


@pytest.mark.parametrize(
    "queues",
    [("incoming", "active"), ("deferred",), ("hold",), ("incoming", "active", "deferred", "hold")],
)
def test_the_table_of_a_real_queue_is_the_one_of_qshape(inside, busy, queues):
    messages = parse_json(inside("postqueue", "-c", busy, "-j"))
    printed = inside("qshape", "-c", busy, *queues)

    assert_the_same_table(render(table(Listing(messages, time.time()), queues), 100), printed)


def test_the_table_of_a_real_queue_grows_old_as_the_one_of_qshape(inside, busy):
    messages = parse_json(inside("postqueue", "-c", busy, "-j"))

    for hours in (0.25, 1, 2, 4, 8, 16, 32):
        printed = inside("faketime", "-f", f"+{hours}h", "qshape", "-c", busy, "deferred")
        later = Listing(messages, time.time() + 3600 * hours)
        lines = render(table(later, ("deferred",)), 100)

        assert_the_same_table(lines, printed)


def test_a_stopped_postfix_is_no_empty_queue(inside, instance):
    config_dir = instance("stopped")

    down = (
        "postqueue: mail system is down"
        " (Connect to the Postfix showq service: No such file or directory);"
        f" start it with 'postfix -c {config_dir} start'\n"
    )
    assert read(inside, config_dir) == down
    assert read(inside, config_dir, *NOBODY) == down


def test_a_directory_that_the_default_main_cf_does_not_name_is_refused(inside, instance, tmp_path):
    instance("named")

    assert read(inside, str(tmp_path), *NOBODY) == (
        f"postqueue: configuration directory {tmp_path} is not authorized;"
        " add it to alternate_config_directories in the default main.cf\n"
    )


def test_a_user_who_may_not_look_is_told_what_to_change(inside, instance):
    config_dir = instance("private")
    inside("postconf", "-c", config_dir, "authorized_mailq_users = root")

    assert read(inside, config_dir, *NOBODY) == (
        "postqueue: user nobody is not allowed to view the mail queue;"
        " add that user to authorized_mailq_users in main.cf\n"
    )


NO_ACCESS = "postqueue: Connect to the Postfix showq service: Permission denied"
WITH_GROUP = (*NOBODY[:3], "--groups=postdrop")


def test_under_no_new_privileges_the_advice_is_true_and_helps(inside, busy):
    new = "--no-new-privs"

    assert read(inside, busy, *NOBODY[:-1], new, "--") == (
        f"{NO_ACCESS} (NoNewPrivileges keeps it from its group postdrop);"
        " add SupplementaryGroups=postdrop to the unit that starts this check\n"
    )
    assert read(inside, busy, *WITH_GROUP, new, "--") == read(inside, busy)


def test_on_a_file_system_mounted_nosuid_the_advice_is_true_and_helps(inside, busy, root):
    place = f"{root}/nosuid"
    inside("mkdir", "-p", place)
    inside("mount", "-t", "tmpfs", "-o", "nosuid,mode=0755", "tmpfs", place)
    inside("cp", "-a", "/usr/sbin/postqueue", place)
    path = ("env", f"PATH={place}:/usr/bin:/bin")

    try:
        assert read(inside, busy, *path, *NOBODY) == (
            f"{NO_ACCESS} (it lies on a file system mounted nosuid, which keeps it from its group"
            " postdrop); mount that with suid, or add user nobody to group postdrop\n"
        )
        assert read(inside, busy, *path, *WITH_GROUP, "--") == read(inside, busy)
    finally:
        inside("umount", place)


def test_a_retry_takes_old_mail_into_active_with_its_first_arrival_time(
    inside,
    instance,
    silent_server,  # noqa: ARG001  (it is there)
):
    # What the rule about mail in active stands on.
    config_dir = instance("retry")
    inside("postconf", "-c", config_dir, "transport_maps=inline:{old.test=smtp:[127.0.0.1]:9}")
    inside("postfix", "-c", config_dir, "start")
    inside("sendmail", "-C", config_dir, "-f", "a@b.test", "-i", "x@old.test", stdin=b"x\n\nx\n")
    put_off = one_message(inside, config_dir, "deferred")
    time.sleep(1.1)  # arrival is in whole seconds
    inside("postconf", "-c", config_dir, "transport_maps=inline:{old.test=smtp:[127.0.0.1]:10099}")
    inside("postfix", "-c", config_dir, "reload")
    inside("postqueue", "-c", config_dir, "-f")

    tried = one_message(inside, config_dir, "active")

    assert put_off.reason
    assert tried == put_off._replace(queue="active", reason="")


def one_message(inside, config_dir, queue):
    """Return the only message of an instance once it is in this queue."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        messages = parse_json(inside("postqueue", "-c", config_dir, "-j"))
        if [message.queue for message in messages] == [queue]:
            return messages[0]
        time.sleep(0.05)
    raise AssertionError(messages)


ADDRESSES = (
    *("a@one.test", "b@ONE.test", "c@.one.test.", "d@two..test", "e@a...b", "f@..c.."),
    *("i@", "lonely", "j@" + "long." * 20 + "test", '"k@l"@two.test', "m@[192.0.2.1]"),
)


@pytest.mark.parametrize("numerous", [1, 1200])
def test_ages_and_names_are_counted_as_qshape_does_up_to_the_second(tmp_path, numerous):
    packages.install("postfix", "perl", "faketime", "util-linux")
    ages = [0, 299, *(60 * minutes + by for minutes in (5, 10, 20, 40, 80, 160, 320, 640, 1280)
                      for by in (-1, 0, 1)), 10**7, -600]  # fmt: skip
    messages = [
        QueuedMessage("active", f"A{number:06}", NOON - age, 5, False, ADDRESSES[number % 3 :])
        for number, age in enumerate(ages)
    ]
    messages.append(QueuedMessage("active", "B000001", NOON, 5, False, ("n@many.test",) * numerous))
    messages.append(QueuedMessage("active", "B000002", NOON, 5, True, ("o@expired.test",)))
    os.mkdir(tmp_path / "active")
    for message in messages:
        write_queue_file(tmp_path / "active" / message.queue_id, message)

    stopped = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOON))
    printed = subprocess.run(
        ["faketime", "-f", stopped, "qshape", str(tmp_path / "active")],
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert printed.stderr == b""
    assert_the_same_table(render(table(Listing(messages, NOON + 0.9)), 100), printed.stdout)


def read(inside, config_dir, *as_user):
    command = ("env", f"PYTHONPATH={SOURCES}", sys.executable, "-B", "-c", READ, config_dir)
    return inside(*as_user, *command).decode()


def assert_the_same_table(lines, printed):
    """Compare lines with what qshape printed, where rows of equal rank stand in any order."""
    theirs = printed.decode().splitlines()
    assert sorted(lines) == sorted(theirs)
    assert ranks(lines) == ranks(theirs)


def ranks(lines):
    """Return total and length of name of each row: what qshape sorts by."""
    assert lines[0].split()[0] == "T"
    cells = [line.rsplit(maxsplit=11) for line in lines[1:]]
    return [(row[-11], len("".join(row[:-11]).strip())) for row in cells]


def write_queue_file(path, message):
    """Write what qshape reads of a queue file (postfix/src/global/rec_type.h)."""
    records = [
        (b"C", b"%15d %15d %15d" % (message.size, 0, len(message.recipients))),
        (b"T", b"%d 0" % message.arrival),
        (b"S", b"ann@example.test"),
        *((b"R", recipient.encode()) for recipient in message.recipients),
        (b"M", b""),
    ]
    with open(path, "wb") as file:
        for kind, data in records:
            file.write(kind + bytes([len(data) & 0x7F | 0x80, len(data) >> 7]) + data)
        file.write(b"x" * message.size + b"X\x00E\x00")
    os.chmod(path, 0o710 if message.forced_expire else 0o700)


def told(inside, config_dir, *options):
    """Return what postfix-log queue says of an instance."""
    command = ("env", f"PYTHONPATH={SOURCES}", "TZ=UTC", sys.executable, "-B", "-m")
    asked = ("check_postfix.command", "queue", "--config-dir", config_dir)
    return inside(*command, *asked, *options).decode().splitlines()


def test_the_command_tells_what_waits_with_the_numbers_of_qshape(inside, busy):
    lines = told(inside, busy, "--no-log", "--rows", "100")

    assert lines[0].startswith("9 messages, ")
    printed = inside("qshape", "-c", busy, "incoming", "active", "deferred", "hold")
    head, total, *domains = printed.decode().splitlines()
    start = lines.index(next(line for line in lines if line.split() == head.split()))
    table_told = [line.split() for line in lines[start + 1 : start + 2 + len(domains)]]
    assert table_told[-1] == total.split()
    assert sorted(table_told[:-1]) == sorted(line.split() for line in domains)
    assert any(re.fullmatch(r" +1 .*  MAILER-DAEMON", line) for line in lines)
    assert any(re.fullmatch(r" +8 .*  ann@example\.test", line) for line in lines)
    assert any(
        re.search(r"connect to 127\.0\.0\.1:\d+: Connection refused$", line) for line in lines
    )
    assert any("postsuper -H" in line for line in lines)


def test_the_next_attempt_is_the_one_that_the_queue_manager_has_planned(inside, instance):
    # It keeps that as the time of the file's last change (postfix/src/qmgr/qmgr_move.c).
    config_dir = instance("planned")
    inside("postfix", "-c", config_dir, "start")
    inside("sendmail", "-C", config_dir, "-f", "a@b.test", "-i", "x@old.test", stdin=b"x\n\nx\n")
    message = one_message(inside, config_dir, "deferred")
    place = Path(config_dir).parent
    (file,) = (place / "spool" / "deferred").glob(f"*/{message.queue_id}")
    planned = file.stat().st_mtime

    lines = told(inside, config_dir, "--log", f"{place}/mail.log")

    (said,) = [line for line in lines if line.startswith("next attempt: about ")]
    when = said.removeprefix("next attempt: about ")
    next_time = calendar.timegm(time.strptime(when, "%Y-%m-%d %H:%M"))
    assert planned > time.time() + 200
    # told in minutes
    assert -2 <= planned - next_time < 62
