"""Named: which logs a subcommand reads, as the checks find them."""

from __future__ import annotations

from argparse import Namespace

from check_postfix.common import named_logs
from check_postfix.maillog.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.common.named_logs import NamedLog

# In seconds
_STORE_TIMEOUT = 1


def of(options: Namespace, without: str = "") -> list[NamedLog]:
    """Return the logs to read.

    options: log, archives, journal and journal_match
    without: what --log may say and is no log
    Raises:  LogError, UsageError
    """
    paths = [path for path in options.log if path != without]
    if options.log and not paths and not options.journal and not options.journal_match:
        return []
    chosen = Namespace(**{**vars(options), "log": paths})
    with Store(None, _STORE_TIMEOUT) as store:
        return named_logs.of(chosen, store)[0]
