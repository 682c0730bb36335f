"""Called: what is said of what was called, whether that is one check or several together."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from check_postfix.plugin.label import Label
    from check_postfix.plugin.option import Option

    class Called(Protocol):
        """A check, or several together; the names mean what they mean of a Check."""

        @property
        def name(self) -> str: ...  # noqa: D102

        @property
        def executable(self) -> str: ...  # noqa: D102

        @property
        def unreadable(self) -> int: ...  # noqa: D102

        @property
        def options(self) -> Sequence[Option]: ...  # noqa: D102

        @property
        def labels(self) -> Sequence[Label]: ...  # noqa: D102
