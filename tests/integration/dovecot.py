"""A real Dovecot: passwords for Postfix's submission service, and an IMAP login of its own."""

import os
import signal
import subprocess
from pathlib import Path

from .waiting import wait_until

USERS = {"alice": "secret", "bob": "hidden"}
HOME = Path("/run/dovecot-home")
SOCKET = Path("/var/spool/postfix/private/auth")
CONFIGURATION = Path("/run/dovecot.conf")
PASSWORDS = Path("/run/dovecot-users")

# 2.4 renamed most settings; what is named alike stands in COMMON.
BEFORE_2_4 = f"""
disable_plaintext_auth = no
mail_location = maildir:{HOME}
passdb {{
  driver = passwd-file
  args = {PASSWORDS}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={HOME}
}}
"""
SINCE_2_4 = f"""
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {HOME}
passdb passwd-file {{
  passwd_file_path = {PASSWORDS}
}}
userdb static {{
  fields {{
    uid = nobody
    gid = nogroup
    home = {HOME}
  }}
}}
"""
COMMON = f"""
protocols = imap
listen = 192.0.2.1
ssl = no
base_dir = /run/dovecot
state_dir = /run/dovecot
auth_mechanisms = plain login
# The scenario guesses passwords by the dozen and has no time to be slowed down for it.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {SOCKET} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""


class Dovecot:
    """The running daemon."""

    def start(self) -> None:
        """Start it; Postfix must have made its spool directory, in which the socket stands."""
        HOME.mkdir()
        subprocess.run(["chown", "nobody:nogroup", HOME], check=True)
        users = [f"{name}:{{PLAIN}}{password}" for name, password in USERS.items()]
        PASSWORDS.write_text("\n".join(users) + "\n")
        CONFIGURATION.write_text((SINCE_2_4 if _version() >= (2, 4) else BEFORE_2_4) + COMMON)
        command = ["dovecot", "-F", "-c", str(CONFIGURATION)]
        self._process = subprocess.Popen(command, start_new_session=True)
        wait_until(SOCKET.exists, "Dovecot's socket")

    def crash(self) -> None:
        """End all its processes at once; the socket stays behind, with nobody at the other end."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _version() -> tuple[int, ...]:
    said = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True)
    return tuple(int(part) for part in said.stdout.split()[0].split(".")[:2])
