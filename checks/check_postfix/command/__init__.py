"""The command postfix-log: from an alarm to its cause. No check imports this room."""
