"""Tests of postfix-log report."""
