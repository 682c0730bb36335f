"""A report as JSON: the same numbers, not rounded, by names that stay."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from check_postfix.command.report.section import Report


def text(report: Report) -> str:
    """Return a report as one JSON object.

    title, says, unread: sentences
    totals:   name -> number; `counters`: kind of the recogniser -> number
    problems: urgent, says, next
    sections: key -> title, says, rows (column -> value), left_out
    """
    return json.dumps(
        {
            "title": report.title,
            "says": report.says,
            "problems": [
                {"urgent": problem.weight > 1, "says": problem.says, "next": problem.then}
                for problem in report.problems
            ],
            "totals": report.totals,
            "counters": report.counters,
            "sections": {
                section.key: {
                    "title": section.title,
                    "says": section.says,
                    "rows": [
                        dict(zip([column.key for column in section.columns], row, strict=True))
                        for row in section.rows
                    ],
                    "left_out": section.more,
                }
                for section in report.sections
            },
            "unread": report.unread,
        },
        ensure_ascii=False,
        indent=1,
    )
