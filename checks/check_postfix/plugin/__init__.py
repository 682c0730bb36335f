"""What makes a condition a Nagios plugin: options, thresholds, judging, output.

A condition is declared as a Check; nothing in here has heard of mail.
"""

from check_postfix.plugin.at_least import AtLeast
from check_postfix.plugin.check import Check, Remark, Source
from check_postfix.plugin.errors import Known, Unknown, Unreadable, UsageError
from check_postfix.plugin.label import Label
from check_postfix.plugin.option import Option
from check_postfix.plugin.run import run
from check_postfix.plugin.threshold import Least, Threshold

__all__ = [
    "AtLeast",
    "Check",
    "Known",
    "Label",
    "Least",
    "Option",
    "Remark",
    "Source",
    "Threshold",
    "Unknown",
    "Unreadable",
    "UsageError",
    "run",
]
