"""What programs of Postfix die of when main.cf is wrong: none of them starts with it then.

All read the same parameters first (mail_params_init() of postfix/src/global/mail_params.c). The
words were read off Postfix 3.7. That main.cf is not there, or that a user may not read it, is
another thing: it may be the caller's `-c`.
"""

FATAL = (
    r"(?:config variable [a-z0-9_]+: "
    r"|bad (?:string length [0-9]+ [<>] [0-9]+: |(?:numerical|boolean) configuration: )"
    r"|(?:file [^\s:]+/main\.cf: )?parameter [A-Za-z0-9_]+: "
    r"|[^\s:]+/main\.cf, line [0-9-]+: "
    r"|dictionary mail_dict: "
    r"|invalid [a-z0-9_]+ parameter value "
    r"|unknown (?:inet_protocols|mynetworks mask style) value \""
    r"|malformed compatibility level syntax: )"
)
