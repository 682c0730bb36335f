"""The mail server under test: who is who, how Postfix is configured, and all of it running."""

from pathlib import Path

from .dovecot import Dovecot
from .milter import Milter
from .namespace import furnish
from .peer import Peer
from .postfix import Postfix
from .rsyslog import Rsyslog

PACKAGES = ["postfix", "dovecot-core", "dovecot-imapd", "rsyslog", "iproute2"]

MX1, MX2, OUT = "192.0.2.1", "192.0.2.2", "192.0.2.3"
SUBMISSION = 587
MILTER_PORT = 8891
HOSTS = {
    "mx1.example.com": MX1,
    "mx2.example.com": MX2,
    "out.example.com": OUT,
    "mail.example.net": "198.51.100.25",
    "mail.example.org": "198.51.100.26",
    "busy.example.net": "198.51.100.27",
    "slow.example.net": "198.51.100.28",
    "down.example.net": "198.51.100.99",
    # Clients.
    "client5.example.org": "203.0.113.5",
    "client6.example.org": "203.0.113.6",
    "client7.example.org": "203.0.113.7",
    "client8.example.org": "203.0.113.8",
}
# Clients without a name; the log calls them unknown.
SPAMMER, GUESSER = "203.0.113.66", "203.0.113.77"

ACCESS = {
    "recipient_access": """\
blocked@example.net REJECT
busy-list@example.net DEFER
held@example.net HOLD waiting for the postmaster
drop@example.net DISCARD
""",
    "sender_access": "spammer@example.org REJECT not you again\n",
    "dubious_access": "dubious@example.org REJECT\n",
    "helo_access": "localhost.localdomain REJECT\n",
    "client_access": "203.0.113.66 REJECT\n",
    "denylist": "203.0.113.66 reject\n",
    "header_checks": """\
/^Subject: .*cheap watches/ REJECT
/^Subject: .*odd/ WARN
/^Subject: .*keep/ HOLD
""",
    "body_checks": "/cheap watches/ REJECT no advertising\n",
    "transport": """\
example.net smtp:[mail.example.net]
example.org relay:[mail.example.org]
soft.example.net soft:[mail.example.net]
""",
    "aliases": """\
team ann@example.net, ben@example.net
archive /run/archive/mbox
printer "|exit 69"
fax "|exit 75"
""",
}

MAIN = {
    "myhostname": "mx1.example.com",
    "inet_interfaces": f"{MX1}, {MX2}",
    "mynetworks": "192.0.2.0/24",
    "relay_domains": "example.net, example.org",
    "transport_maps": "texthash:/etc/postfix/transport",
    "alias_maps": "texthash:/etc/postfix/aliases",
    "header_checks": "regexp:/etc/postfix/header_checks",
    "body_checks": "regexp:/etc/postfix/body_checks",
    "smtpd_milters": f"inet:{MX1}:{MILTER_PORT}",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, "
    "reject_unauth_destination",
    "smtpd_client_restrictions": "check_client_access texthash:/etc/postfix/client_access",
    "smtpd_helo_restrictions": "check_helo_access texthash:/etc/postfix/helo_access",
    "smtpd_sender_restrictions": "check_sender_access texthash:/etc/postfix/sender_access, "
    "warn_if_reject check_sender_access texthash:/etc/postfix/dubious_access",
    "smtpd_recipient_restrictions": "check_recipient_access texthash:/etc/postfix/recipient_access",
    "smtpd_data_restrictions": "reject_multi_recipient_bounce",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "postscreen_access_list": "cidr:/etc/postfix/denylist",
    "postscreen_denylist_action": "enforce",
    "postscreen_greet_action": "enforce",
    "postscreen_greet_wait": "1s",
    # One failure to connect is enough for a server to be down, and mail for it to be suspended.
    "initial_destination_concurrency": "1",
    # In memory: no file format that one Debian knows and the next one does not.
    "postscreen_cache_map": "internal:postscreen_cache",
    # Lets anybody ask the second instance for its queue.
    "multi_instance_directories": "/run/postfix-out/etc",
}
MAIN_SERVICES = f"""\
{MX1}:25  inet n - n - - smtpd
{MX2}:25  inet n - n - 1 postscreen
smtpd     pass - - n - - smtpd
{MX1}:{SUBMISSION} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_auth_rate_limit=8
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
soft      unix - - n - - smtp
  -o soft_bounce=yes
"""

SECOND = {
    "myhostname": "out.example.com",
    "multi_instance_name": "postfix-out",
    "multi_instance_enable": "yes",
    "inet_interfaces": OUT,
    "mynetworks": "192.0.2.0/24, 203.0.113.0/24",
    "enable_long_queue_ids": "yes",
    "transport_maps": "texthash:/etc/postfix/transport",
    "smtpd_recipient_restrictions": "check_recipient_access texthash:/etc/postfix/recipient_access",
    # So small that messages have to wait in the incoming queue.
    "qmgr_message_active_limit": "4",
    "qmgr_clog_warn_time": "0",
}
SECOND_SERVICES = f"{OUT}:25 inet n - n - - smtpd\n"


class Machine:
    """Everything that runs. It lives as long as the namespace it is made in."""

    def __init__(self, log: Path) -> None:
        """Start all of it.

        log: the directory that shall hold mail.log and mail.iso.log
        """
        furnish(log, HOSTS, [SPAMMER, GUESSER], "mx1")
        archive = Path("/run/archive")
        archive.mkdir()
        archive.chmod(0o777)
        self.rsyslog = Rsyslog()
        self.rsyslog.start()
        self.peers = [Peer(HOSTS["mail.example.net"]), Peer(HOSTS["mail.example.org"])]
        Peer(HOSTS["busy.example.net"], greeting="421 4.3.2 busy.example.net: come back later")
        Peer(HOSTS["slow.example.net"], greeting=None)
        Milter(MX1, MILTER_PORT)
        self.postfix = Postfix(
            "postfix", Path("/etc/postfix"), Path("/var/spool/postfix"), Path("/var/lib/postfix")
        )
        self.postfix.lay_out(MAIN, MAIN_SERVICES, ACCESS)
        out = Path("/run/postfix-out")
        self.out = Postfix("postfix-out", out / "etc", out / "spool", out / "data")
        self.out.lay_out(SECOND, SECOND_SERVICES, {})
        self.postfix.start()
        self.out.start()
        self.dovecot = Dovecot()
        self.dovecot.start()
