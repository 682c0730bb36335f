"""What the last words of postqueue mean to an operator."""

import os
from types import SimpleNamespace

import pytest

from check_postfix import user
from check_postfix.mailqueue import advice, running
from check_postfix.mailqueue.errors import DownError
from check_postfix.mailqueue.failure import explain, is_usage

POSTQUEUE = ["/usr/sbin/postqueue"]
DOWN = "postqueue: fatal: Queue report unavailable - mail system is down\n"
NO_ACCESS = "postqueue: fatal: Connect to the Postfix showq service: Permission denied\n"
USAGE_OF_3_0 = (
    "postqueue: invalid option -- 'j'\n"
    "postqueue: fatal: usage: postqueue -f | postqueue -i queueid | postqueue -p"
    " | postqueue -s site\n"
)


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch, tmp_path):
    """Let systemd not run here, and no_new_privs not be set."""
    monkeypatch.setattr(advice, "SYSTEMD", str(tmp_path / "none"))
    monkeypatch.setattr(advice, "PROCESS", str(tmp_path / "status"))


@pytest.mark.parametrize(
    ("status", "stderr", "message"),
    [
        (
            69,
            "postqueue: fatal: Queue report unavailable - mail system is down"
            " (Connect to the Postfix showq service: Connection refused)\n",
            "postqueue: mail system is down"
            " (Connect to the Postfix showq service: Connection refused);"
            " start it with 'postfix start'",
        ),
        # Before Postfix 3.1 it gives no reason.
        (
            69,
            "postqueue: fatal: Queue report unavailable - mail system is down\n",
            "postqueue: mail system is down; start it with 'postfix start'",
        ),
        # Root is shown what lies in the spool, with exit status 0.
        (
            0,
            "postqueue: warning: Mail system is down -- accessing queue directly"
            " (Connect to the Postfix showq service: No such file or directory)\n",
            "postqueue: mail system is down"
            " (Connect to the Postfix showq service: No such file or directory);"
            " start it with 'postfix start'",
        ),
        (
            0,
            "postqueue: warning: /etc/postfix/main.cf: unused parameter: x=y\n"
            "postqueue: warning: Mail system is down -- accessing queue directly\n",
            "postqueue: mail system is down; start it with 'postfix start'",
        ),
        (
            69,
            "postqueue: fatal: User nobody(65534) is not allowed to view the mail queue\n",
            "postqueue: user nobody is not allowed to view the mail queue;"
            " add that user to authorized_mailq_users in main.cf",
        ),
        (
            69,
            "postqueue: error: unauthorized configuration directory name: /etc/postfix-out\n"
            'postqueue: fatal: specify "alternate_config_directories = /etc/postfix-out" or'
            ' "multi_instance_directories = /etc/postfix-out" in /etc/postfix/main.cf\n',
            "postqueue: configuration directory /etc/postfix-out is not authorized;"
            " add it to alternate_config_directories in the default main.cf",
        ),
        (
            69,
            "postqueue: fatal: Connect to the Postfix showq service: Permission denied\n",
            "postqueue: Connect to the Postfix showq service: Permission denied;"
            " run 'postfix set-permissions' as root",
        ),
        (
            69,
            "postqueue: warning: something else\n"
            "postqueue: fatal: open /etc/postfix/main.cf: No such file or directory\n",
            "postqueue: open /etc/postfix/main.cf: No such file or directory; Postfix is not"
            " configured here: configure it (on Debian 'dpkg-reconfigure postfix'), or leave"
            " check_postfix_queue out",
        ),
        (
            1,
            "\n",
            "postqueue: failed without a word (exit status 1);"
            f" run 'postqueue -p' by hand as {user.me()}",
        ),
        (
            127,
            "sh: 1: \x1b[31mexec\x07: not found",
            "postqueue: sh: 1: ?[31mexec?: not found (exit status 127);"
            f" run 'postqueue -p' by hand as {user.me()}",
        ),
        (
            -9,
            "",
            "postqueue: killed by signal 9; see the system log,"
            f" run 'postqueue -p' by hand as {user.me()}",
        ),
    ],
)
def test_a_failure_is_said_as_thing_cause_and_fix(status, stderr, message):
    assert str(explain(status, stderr, POSTQUEUE, None)) == message


WRONG = [
    "config variable inet_interfaces: host not found: nosuchif",
    "bad string length 0 < 1: mydomain = ",
    "bad numerical configuration: default_process_limit = abc",
    "bad boolean configuration: soft_bounce = maybe",
    "parameter max_idle: bad time value or unit: 5x",
    "file /etc/postfix/main.cf: parameter mail_owner: unknown user name value: nosuch",
    'unknown inet_protocols value "ipv9" in "ipv9"',
    'unknown mynetworks mask style value "foo" in "foo"',
    "dictionary mail_dict: macro processing error",
    'malformed compatibility level syntax: "x"',
    "/etc/postfix/main.cf, line 8: missing '=' after attribute name: \"garbage line\"",
    "invalid delay_logging_resolution_limit parameter value 99 > 6",
]


@pytest.mark.parametrize("said", WRONG)
def test_postfix_that_main_cf_keeps_from_running_is_down(monkeypatch, said):
    monkeypatch.setattr(running, "is_running", lambda _: False)

    error = explain(69, f"postqueue: warning: x\npostqueue: fatal: {said}\n", POSTQUEUE, None)

    assert isinstance(error, DownError)
    assert str(error) == (
        "postqueue: mail system is down, and cannot start, for main.cf is wrong:"
        f" {said.rstrip()}; run 'postfix check' as root, and mend it, then 'postfix start'"
    )


@pytest.mark.parametrize(
    ("runs", "still"),
    [
        (True, "Postfix still runs, but can start nothing new"),
        (None, "whether Postfix runs cannot be seen"),
    ],
)
def test_a_wrong_main_cf_is_told_as_such_where_postfix_may_run(monkeypatch, runs, still):
    monkeypatch.setattr(running, "is_running", lambda _: runs)

    error = explain(69, f"postqueue: fatal: {WRONG[0]}\n", POSTQUEUE, "/x")

    assert not isinstance(error, DownError)
    assert str(error) == (
        "postqueue: main.cf is wrong, no program of Postfix starts with it:"
        f" {WRONG[0]} ({still}); run 'postfix -c /x check' as root, and mend it"
    )


def test_of_a_postfix_elsewhere_a_wrong_main_cf_is_to_be_mended_there():
    error = explain(69, f"postqueue: fatal: {WRONG[0]}\n", ["docker"], None, is_ours=False)

    assert str(error) == (
        "postqueue: main.cf is wrong, no program of Postfix starts with it:"
        f" {WRONG[0]}; run 'postfix check' there as root, and mend it"
    )


def test_the_fix_names_the_instance():
    error = explain(69, DOWN, POSTQUEUE, "/x")

    assert str(error) == "postqueue: mail system is down; start it with 'postfix -c /x start'"


def test_the_fix_by_hand_names_the_instance():
    assert str(explain(2, "", POSTQUEUE, "/x")) == (
        "postqueue: failed without a word (exit status 2);"
        f" run 'postqueue -c /x -p' by hand as {user.me()}"
    )


def test_a_directory_without_main_cf_is_another_one_s():
    said = "postqueue: fatal: open /x/main.cf: No such file or directory\n"

    assert str(explain(69, said, POSTQUEUE, "/x")) == (
        "postqueue: open /x/main.cf: No such file or directory; name the directory with that"
        " instance's main.cf with --config-dir"
    )
    assert "by hand as" in str(explain(69, said, ("docker", "exec", "m", "postqueue"), None, False))


def test_a_failure_quotes_two_hundred_characters_at_most():
    assert str(explain(69, f"postqueue: fatal: {'x' * 5000}\n", POSTQUEUE, None)) == (
        f"postqueue: {'x' * 197}... (exit status 69); run 'postqueue -p' by hand as {user.me()}"
    )


@pytest.mark.parametrize(
    "stderr",
    [
        "",
        "postqueue: warning: /etc/postfix/main.cf: unused parameter: x=y\n",
        # Somebody else's words after the fixed beginning of a line.
        "postqueue: warning: x: Mail system is down -- accessing queue directly\n",
        "postqueue: warning: 4ABCDEF012: malformed size record: mail system is down\n",
    ],
)
def test_warnings_of_a_postqueue_that_ended_well_are_no_failure(stderr):
    assert explain(0, stderr, POSTQUEUE, None) is None


def test_an_unknown_option_is_known_by_the_usage():
    assert is_usage(USAGE_OF_3_0)
    assert not is_usage("postqueue: fatal: Cannot flush mail queue - see usage: x\n")


def test_where_systemd_runs_it_starts_postfix(monkeypatch, tmp_path):
    monkeypatch.setattr(advice, "SYSTEMD", str(tmp_path))

    assert str(explain(69, DOWN, POSTQUEUE, None)) == (
        "postqueue: mail system is down; start it with 'systemctl start postfix'"
    )


def test_that_postfix_is_down_is_an_error_of_its_own():
    assert isinstance(explain(69, DOWN, POSTQUEUE, None), DownError)
    assert not isinstance(explain(69, NO_ACCESS, POSTQUEUE, None), DownError)


def test_under_no_new_privileges_set_gid_has_no_effect_and_the_group_helps(monkeypatch, tmp_path):
    (tmp_path / "status").write_text("Name:\tpython\nNoNewPrivs:\t1\nSeccomp:\t0\n")
    program = tmp_path / "postqueue"
    program.touch()
    monkeypatch.setattr("grp.getgrgid", lambda _: SimpleNamespace(gr_name="postdrop"))

    assert str(explain(69, NO_ACCESS, [str(program)], None)) == (
        "postqueue: Connect to the Postfix showq service: Permission denied"
        " (NoNewPrivileges keeps it from its group postdrop);"
        " add SupplementaryGroups=postdrop to the unit that starts this check"
    )


def test_on_a_file_system_mounted_nosuid_set_gid_has_no_effect(monkeypatch, tmp_path):
    program = tmp_path / "postqueue"
    program.touch()
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOSUID))
    monkeypatch.setattr("grp.getgrgid", lambda _: SimpleNamespace(gr_name="postdrop"))

    assert str(explain(69, NO_ACCESS, [str(program)], None)) == (
        "postqueue: Connect to the Postfix showq service: Permission denied"
        " (it lies on a file system mounted nosuid, which keeps it from its group postdrop);"
        f" mount that with suid, or add {user.me()} to group postdrop"
    )


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        (DOWN, "postqueue: mail system is down; start it there"),
        (
            NO_ACCESS,
            "postqueue: Connect to the Postfix showq service: Permission denied;"
            " see who may enter Postfix's queue there",
        ),
        (
            "Error response from daemon: No such container: mail\n",
            "postqueue: Error response from daemon: No such container: mail (exit status 69);"
            f" run 'docker exec mail postqueue -p' by hand as {user.me()}",
        ),
    ],
)
def test_advice_for_a_postqueue_elsewhere_is_not_about_this_machine(stderr, message):
    command = ["docker", "exec", "mail", "postqueue"]

    assert str(explain(69, stderr, command, None, is_ours=False)) == message
