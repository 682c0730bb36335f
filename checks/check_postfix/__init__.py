"""Checks for the Postfix mail server, one condition each."""

__version__ = "0.2.0"
