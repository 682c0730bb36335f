"""postfix-log report: what happened to mail in some hours or days, problems first."""
