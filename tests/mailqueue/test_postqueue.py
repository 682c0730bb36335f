"""Reading the queue through postqueue, whatever that does."""

import os
import time

import pytest

from check_postfix import user
from check_postfix.mailqueue import advice, postqueue
from check_postfix.mailqueue.errors import QueueError
from check_postfix.mailqueue.instances import Instance
from check_postfix.mailqueue.listing import Listing, QueuedMessage

NOW = time.mktime((2026, 11, 24, 17, 0, 0, 0, 0, -1))
A_LINE = (
    '{"queue_name": "active", "queue_id": "4ABCDEF012", "arrival_time": 1795540102,'
    ' "message_size": 255, "forced_expire": false, "sender": "ann@example.com",'
    ' "recipients": [{"address": "bob@example.net"}]}'
)
A_MESSAGE = QueuedMessage(
    "active", "4ABCDEF012", 1795540102, 255, False, ("bob@example.net",), "", "ann@example.com"
)
NOT_POSTFIX = "see that this postqueue is the one of Postfix"


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Return a function that makes a shell script the only postqueue."""
    monkeypatch.setattr(postqueue, "USUAL_PLACES", ())
    monkeypatch.setattr(advice, "SYSTEMD", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(script, mode=0o755):
        path = tmp_path / "postqueue"
        path.write_text(script)
        path.chmod(mode)
        return path

    return lambda script, mode=0o755: make(f"#!/bin/sh\n{script}\n", mode)


def listing(config_dir=None, timeout=20.0, command=None):
    return postqueue.read([Instance(config_dir, True)], timeout, NOW, command)


def read(config_dir=None):
    """Return the messages that the listing is made of."""
    taken = []

    class Kept(Listing):
        def take(self, messages, _=""):
            taken.extend(messages)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(postqueue, "Listing", Kept)
        listing(config_dir)
    return tuple(taken)


def failure(config_dir=None, timeout=20.0, command=None):
    with pytest.raises(QueueError) as error:
        listing(config_dir, timeout, command)
    return str(error.value)


def test_the_queue_is_read_as_json(fake):
    fake(f"[ \"$*\" = -j ] && echo '{A_LINE}'")

    assert read() == (A_MESSAGE,)


def test_silence_and_a_good_end_is_an_empty_queue(fake):
    fake("exit 0")

    assert read() == ()


def test_another_instance_is_asked_for_by_its_directory(fake):
    fake(f"[ \"$1 $2 $3\" = '-c /etc/postfix-out -j' ] && echo '{A_LINE}'")

    assert read("/etc/postfix-out") == (A_MESSAGE,)


def test_postqueue_speaks_english_and_hears_nothing(fake):
    fake(f"[ $LC_ALL = C ] && [ -z \"$(cat)\" ] && echo '{A_LINE}'")

    assert read() == (A_MESSAGE,)


def test_a_large_queue_comes_in_pieces(fake):
    fake(
        'awk \'BEGIN { for (i = 0; i < 5000; i++) printf "{\\"queue_name\\": \\"hold\\",'
        ' \\"queue_id\\": \\"%06X\\", \\"arrival_time\\": %d, \\"message_size\\": 7,'
        ' \\"recipients\\": []}\\n", i, i }\''
    )

    assert read() == tuple(QueuedMessage("hold", f"{i:06X}", i, 7, False, ()) for i in range(5000))


def test_warnings_are_no_failure_however_many(fake):
    fake(
        f"awk 'BEGIN {{ for (i = 0; i < 20000; i++) print \"postqueue: warning: x\" }}' >&2"
        f"\necho '{A_LINE}'"
    )

    assert read() == (A_MESSAGE,)


def test_before_postfix_3_1_the_text_form_is_read(fake):
    # What Postfix 3.0 says about -j (postfix/src/postqueue/postqueue.c).
    fake(
        """case $1 in -p) cat <<'LIST'
-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
4ABCDEF012*     1234 Tue Nov 24 16:43:26  ann@example.com
                                         bob@example.net

-- 1 Kbytes in 1 Request.
LIST
exit 0;; esac
cat >&2 <<'USAGE'
postqueue: invalid option -- 'j'
postqueue: fatal: usage: postqueue -f | postqueue -i queueid | postqueue -p | postqueue -s site
USAGE
exit 69"""
    )

    arrival = int(time.mktime((2026, 11, 24, 16, 43, 26, 0, 0, -1)))
    whom = ("bob@example.net",), "", "ann@example.com"
    assert read() == (QueuedMessage("active", "4ABCDEF012", arrival, 1234, False, *whom),)


def test_a_postqueue_that_knows_neither_form_is_no_endless_search(fake):
    fake("echo 'postqueue: fatal: usage: postqueue' >&2; exit 69")

    assert failure() == (
        f"postqueue: usage: postqueue (exit status 69); run 'postqueue -p' by hand as {user.me()}"
    )


DOWN_FOR_ROOT = "echo 'postqueue: warning: Mail system is down -- accessing queue directly' >&2"


@pytest.mark.parametrize("listing", ["", "Mail queue is empty", A_LINE])
def test_a_stopped_mail_system_is_no_queue_for_root_either(fake, listing):
    fake(f"{DOWN_FOR_ROOT}; printf '%s' '{listing}'")

    assert failure() == "postqueue: mail system is down; start it with 'postfix start'"


def test_a_stopped_mail_system_is_noticed_before_and_behind_any_number_of_warnings(fake):
    flood = "awk 'BEGIN { for (i = 0; i < 20000; i++) print \"postqueue: warning: x\" }' >&2"

    for script in (f"{DOWN_FOR_ROOT}; {flood}", f"{flood}; {DOWN_FOR_ROOT}"):
        fake(script)
        assert failure() == "postqueue: mail system is down; start it with 'postfix start'"


def test_a_failure_at_the_end_voids_what_was_listed(fake):
    fake(f"echo '{A_LINE}'; echo 'postqueue: fatal: malformed showq server response' >&2; exit 69")

    assert failure() == (
        "postqueue: malformed showq server response (exit status 69);"
        f" run 'postqueue -p' by hand as {user.me()}"
    )


def test_a_failure_explains_a_line_that_was_cut(fake):
    fake("printf '{\"queue_name\": '; echo 'postqueue: fatal: output write error' >&2; exit 69")

    assert failure() == (
        f"postqueue: output write error (exit status 69); run 'postqueue -p' by hand as {user.me()}"
    )


def test_a_cut_line_and_a_good_end_is_nonsense(fake):
    fake("printf '{\"queue_name\": '")

    assert failure() == (
        "postqueue: expected one JSON object a message (queue_name, queue_id, arrival_time,"
        f" message_size, recipients), got '{{\"queue_name\": '; {NOT_POSTFIX}"
    )


def test_endless_nonsense_is_refused_at_its_first_line(fake):
    fake("yes nonsense")

    assert failure() == (
        "postqueue: expected one JSON object a message (queue_name, queue_id, arrival_time,"
        f" message_size, recipients), got 'nonsense'; {NOT_POSTFIX}"
    )


def test_a_line_without_end_is_refused(fake, monkeypatch):
    monkeypatch.setattr(postqueue, "LONGEST_LINE", 100_000)
    fake("yes | tr -d '\\n'")

    assert failure() == (
        "postqueue: a line of more than 100000 bytes; see that this postqueue is the one of Postfix"
    )


@pytest.mark.parametrize(
    "hangs",
    [
        "sleep 60",
        f"echo '{A_LINE}'; sleep 60",
        "exec >&- 2>&-; sleep 60",
        "trap '' TERM HUP INT; sleep 60",
        # It is gone, but left a child that holds its output.
        "sleep 60 &",
    ],
)
def test_a_hanging_postqueue_is_given_up_and_killed_with_its_children(fake, tmp_path, hangs):
    fake(f"echo $$ > {tmp_path}/group; {hangs}")

    assert failure(timeout=0.3) == (
        "postqueue: no complete listing within 0.3 s;"
        " see whether showq or the disk hangs, or raise --timeout"
    )
    assert left_of(tmp_path / "group") == []


def test_nonsense_is_killed_with_its_children(fake, tmp_path):
    fake(f"echo $$ > {tmp_path}/group; echo nonsense; sleep 60")

    failure()

    assert left_of(tmp_path / "group") == []


def left_of(file):
    """Return who of the group in a file still runs when the kernel has had time to kill."""
    deadline = time.monotonic() + 5
    while (left := members(file.read_text().strip())) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def members(group):
    """Return the processes of a group that still run: zombies wait for their parent only."""
    running = []
    for process in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/stat") as stat:
                state, _, its_group = stat.read().rpartition(") ")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if its_group == group and state not in "ZX":
            running.append(process)
    return running


def test_a_postqueue_that_is_killed_is_said_to_be(fake):
    fake("kill -KILL $$")

    assert failure() == (
        "postqueue: killed by signal 9; see the system log, run 'postqueue -p' by hand as"
        f" {user.me()}"
    )


def test_a_postqueue_that_may_not_be_executed_names_the_file(fake):
    path = fake("exit 0", mode=0o644)

    assert failure() == (
        f"postqueue: cannot run {path}: permission denied; let {user.me()} execute it"
    )


def test_a_postqueue_that_is_no_program_names_the_file(fake):
    path = fake("exit 0")
    path.write_bytes(b"\0\0\0\0")

    assert failure() == (
        f"postqueue: cannot run {path}: exec format error; run it by hand as {user.me()}"
    )


def test_a_place_where_it_may_be_executed_goes_before_one_where_it_may_not(
    fake, tmp_path, monkeypatch
):
    fake("exit 1", mode=0o644)
    (tmp_path / "sbin").mkdir()
    good = tmp_path / "sbin" / "postqueue"
    good.write_text("#!/bin/sh\nexit 0\n")
    good.chmod(0o755)
    monkeypatch.setattr(postqueue, "USUAL_PLACES", (str(tmp_path / "sbin"),))

    assert read() == ()


def test_a_host_without_postfix_says_where_postqueue_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postqueue, "USUAL_PLACES", (f"{tmp_path}/a", f"{tmp_path}/b"))

    assert failure() == (
        f"postqueue: not found in PATH, {tmp_path}/a or {tmp_path}/b;"
        " run this check on the mail server, or add the directory of postqueue to PATH"
    )


def test_the_directory_of_the_caller_is_no_place_to_look(fake, tmp_path, monkeypatch):
    fake("exit 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ":.:")

    assert failure().startswith("postqueue: not found in PATH")


@pytest.mark.parametrize("search", [".", "", "bin", ":/nonexistent"])
def test_no_command_of_the_working_directory_is_run(search, fake, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    for planted in (fake("touch was_run"), tmp_path / "bin" / "postqueue"):
        planted.write_text(f"#!/bin/sh\ntouch {tmp_path}/was_run\n")
        planted.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", search)

    said = failure(command=["postqueue"])

    assert said.startswith("postqueue: cannot run postqueue: no such file or directory; run it")
    assert not (tmp_path / "was_run").exists()


def test_what_a_command_starts_is_not_of_the_working_directory(fake, tmp_path, monkeypatch):
    fake('echo "$PATH" >&2; exit 1')
    monkeypatch.setenv("PATH", f":.:{tmp_path}:bin:/usr/bin:/bin")

    assert f"{tmp_path}:/usr/bin:/bin (exit status 1)" in failure()


@pytest.mark.parametrize("argument", ["postqueue", "/usr/sbin/postqueue"])
def test_no_program_of_the_working_directory_is_run_for_a_command(tmp_path, monkeypatch, argument):
    planted = tmp_path / "sudo"
    planted.write_text(f"#!/bin/sh\ntouch {tmp_path}/was_run\n")
    planted.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ":.:")

    said = failure(command=["sudo", argument])

    assert said.startswith("postqueue: cannot run sudo: no such file or directory; run it by hand")
    assert not (tmp_path / "was_run").exists()
