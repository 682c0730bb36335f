"""postfix-log doctor: what was found of log, state, Postfix and monitoring, and what mends it."""
