"""The mail log, from bytes to windows of counts.

errors < source < syntax < events < counts < store < window < ingest; a room imports only from
its left.

No room has heard of Nagios. README.md beside this file tells the way of the data.
"""
