"""The project against the real thing: a private Postfix, Dovecot and rsyslog, alone in a namespace."""
