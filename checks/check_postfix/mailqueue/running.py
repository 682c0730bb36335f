"""Whether Postfix runs, where postqueue cannot tell: does anybody hold the lock of its pid file?

So asks `master -t` as root (postfix/src/master/master.c). An ordinary user may not open that file,
but may see it, and /proc/locks tells everybody which files are locked. It tells of processes in
this PID namespace only: of a master in a container, ask the postqueue in that container.
"""

from __future__ import annotations

import os

from check_postfix.mailqueue import instances

LOCKS = "/proc/locks"
# Where Debian and Postfix itself put the queue (DEF_QUEUE_DIR of util/sys_defs.h).
_QUEUE = "/var/spool/postfix"
_PID_FILE = "pid/master.pid"


def is_running(config_dir: str | None) -> bool | None:
    """Tell whether the master of an instance runs; None if that cannot be seen.

    config_dir: of the instance, None for the default one
    """
    places = instances.USUAL_PLACES if config_dir is None else (config_dir,)
    queue = next(
        filter(None, (instances.parameter(place, "queue_directory") for place in places)), _QUEUE
    )
    if not queue.startswith("/") or "$" in queue:
        return None
    try:
        if not os.path.isdir(os.path.join(queue, os.path.dirname(_PID_FILE))):
            return None
        with open(LOCKS, encoding="ascii", errors="replace") as locks:
            # "1: FLOCK  ADVISORY  WRITE 12520 fe:00:3358822 0 EOF"; who waits for one has "->".
            held = {line.split()[5] for line in locks if "->" not in line and len(line.split()) > 5}
        found = os.stat(os.path.join(queue, _PID_FILE))
    except FileNotFoundError:
        # Master makes the file when it starts, and nobody removes it.
        return False if os.path.exists(LOCKS) else None
    except OSError:
        return None
    # Where the file system has subvolumes, its device has another number there.
    return any(one.rpartition(":")[2] == str(found.st_ino) for one in held)
