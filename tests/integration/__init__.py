"""The project beside the real thing: Postfix, Dovecot and rsyslog in a namespace of their own."""
