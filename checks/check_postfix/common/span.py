"""Span: which minutes are judged, by --window and --at."""

from __future__ import annotations

from check_postfix.common.log_options import AT
from check_postfix.maillog.store.retention import USUAL
from check_postfix.plugin import UsageError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


class AskedSpan:
    """From which minute to which.

    now:   seconds since 1970
    at:    the end that is asked for, in seconds since 1970
    start: first minute
    end:   the minute after the last
    """

    def __init__(self, options: Namespace, now: float) -> None:
        """Work it out.

        Raises: UsageError
        """
        self.now = now
        self.at = now if options.at is None else self._moment(options)
        # Whole minutes; the one that is still running is the last, from its first instant.
        self.end = int(now) // 60 + 1 if options.at is None else -(-int(self.at) // 60)
        self.start: int = self.end - options.window // 60
        kept: int = options.keep_totals or USUAL.totals * 60
        if not options.no_state and self.start < (int(now) - kept) // 60:
            raise UsageError(
                f"the window begins more than {values.span(kept)} ago, and counts are kept no"
                " longer; read the log afresh with --no-state"
            )

    def _moment(self, options: Namespace) -> float:
        from check_postfix.plugin import moment  # most runs judge now

        try:
            zone = None if options.timezone is None else values.zone(options.timezone)
            at = moment.read(options.at, zone).timestamp()
        except ValueError as error:
            raise AT.fault(options.at, error) from None
        if at > self.now:
            raise UsageError(
                f"{AT.flag} {options.at}: lies in the future; leave {AT.flag} out to judge now"
            )
        return at
