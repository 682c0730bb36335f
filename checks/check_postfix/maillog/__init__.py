"""The mail log, from bytes to windows of counts.

    bytes > lines > records > events > counts > store > window

Each step is a module that imports only from its left; nothing in here has heard
of Nagios.
"""
