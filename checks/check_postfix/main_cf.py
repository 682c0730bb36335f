"""What programs of Postfix die of when main.cf is wrong: none of them starts with it then.

All read the same parameters first (mail_params_init() of postfix/src/global/mail_params.c), and go
to the queue's directory. The words were read off Postfix 3.7. That main.cf is not there, or that a
user may not read it or go there, is another thing: it may be the caller's `-c`, or the caller.
"""

FATAL = (
    r"(?:config variable [a-z0-9_]+: "
    r"|bad (?:string length [0-9]+ [<>] [0-9]+: |(?:numerical|boolean) configuration: )"
    r"|(?:file [^\s:]+/main\.cf: )?parameter [A-Za-z0-9_]+: "
    r"|[^\s:]+/main\.cf, line [0-9-]+: "
    r"|dictionary mail_dict: "
    r"|invalid [a-z0-9_]+ parameter value "
    r"|unknown (?:inet_protocols|mynetworks mask style) value \""
    r"|malformed compatibility level syntax: "
    # Daemons, commands and postfix(1) write it in three ways.
    r"|chdir(?:\(\"[^\"\n]+\"\)|\([^)\n]+\)| [^\s:]+): "
    r"(?!Permission denied|Operation not permitted))"
)
MISSING = r"open [^\s:]+/main\.cf: No such file or directory"

# Which of it is wrong: a parameter, a line, or a directory that parameters name
_NAMED = (
    r"config variable ([a-z0-9_]+)",
    r"bad string length [0-9]+ [<>] [0-9]+: ([A-Za-z0-9_]+) = ",
    r"bad (?:numerical|boolean) configuration: ([A-Za-z0-9_]+) = ",
    r"(?:file [^\s:]+/main\.cf: )?parameter ([A-Za-z0-9_]+): ",
    r"[^\s:]+/main\.cf, (line [0-9-]+): ",
    r"invalid ([a-z0-9_]+) parameter value ",
    r"unknown (inet_protocols|mynetworks mask style) value ",
    r"malformed (compatibility level) syntax: ",
    r"(chdir)[( ]",
)
_IN_OTHER_WORDS = {
    "mynetworks mask style": "mynetworks_style",
    "compatibility level": "compatibility_level",
    "chdir": "queue_directory",
}


def wrong_part(said: str) -> str:
    """Return what of main.cf is wrong; nothing where the words do not tell.

    said: what begins as FATAL does
    """
    # Few runs have any.
    import re

    for words in _NAMED:
        if found := re.match(words, said):
            return _IN_OTHER_WORDS.get(found[1], found[1])
    return ""
