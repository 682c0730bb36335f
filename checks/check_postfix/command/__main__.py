"""python -m check_postfix.command: the same as postfix-log."""

from check_postfix.command.cli import main

main()
