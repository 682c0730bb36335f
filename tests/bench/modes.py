"""The modes: in which ways a log is rotated, cut and damaged while somebody follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .scene import AT_ONCE, DELAYED, Scene

# Rotations in a scene, and further runs without one.
_ROTATIONS = 4
_LONG = 1500  # lines that take a while to read
# Where somebody is held: most open the log and read it twice, some look into archives before.
_PLACES = [1, 2, 3, 5, 8]


class Mode(NamedTuple):
    """One row of the table.

    name:   of the row
    play:   lets it happen
    old:    directory of the archives, as seen from the log's
    packed: whether an archive may be compressed before anybody has seen it
    many:   whether there is more than one archive that nobody has seen
    cuts:   whether the log is cut in place
    rotates: whether there are archives at all
    absent: whether the log may be missing
    partial: whether a line may be there only in part
    held:   whether somebody has to be held in the middle of a run
    """

    name: str
    play: Callable[[Scene], None]
    old: str = ""
    packed: bool = False
    many: bool = False
    cuts: bool = False
    rotates: bool = True
    absent: bool = False
    partial: bool = False
    held: bool = False


def _rounds(
    scene: Scene, rotate: Callable[[], None], times: int = 1, then: Callable[[], object] = bool
) -> None:
    """Rotate again and again, so many times between two runs."""
    scene.write()
    scene.look()
    for _ in range(_ROTATIONS):
        for _ in range(times):
            scene.write()
            rotate()
        if scene.choice.random() < 0.7:
            scene.write()
        then()
        scene.look()
        if scene.choice.random() < 0.3:
            scene.write()
            scene.look()
    scene.write()
    scene.look()


def _create(scene: Scene) -> None:
    _rounds(scene, scene.rename)


def _delaycompress(scene: Scene) -> None:
    _rounds(scene, lambda: scene.rename(DELAYED))


def _compress(scene: Scene) -> None:
    _rounds(scene, lambda: scene.rename(AT_ONCE))


def _dateext(scene: Scene) -> None:
    _rounds(scene, lambda: scene.rename(DELAYED, dated=True))


def _copytruncate(scene: Scene) -> None:
    def rotate() -> None:
        scene.copy()
        if scene.choice.random() < 0.3:
            scene.write()  # destroyed with the next step, unless it is looked at before
            if scene.choice.random() < 0.7:
                scene.look()
        scene.truncate()
        scene.compress()

    _rounds(scene, rotate)


def _nocreate(scene: Scene) -> None:
    _rounds(scene, lambda: scene.rename(DELAYED, create=False))


def _olddir(scene: Scene) -> None:
    _rounds(scene, lambda: scene.rename(DELAYED))


def _two(scene: Scene) -> None:
    _rounds(scene, lambda: scene.rename(DELAYED), times=2)


def _five(scene: Scene) -> None:
    _rounds(scene, lambda: scene.rename(DELAYED), times=5)


def _inode(scene: Scene) -> None:
    _rounds(scene, scene.recycle, then=lambda: scene.write(1, 30))


def _truncated(scene: Scene) -> None:
    scene.write()
    scene.look()
    for _ in range(_ROTATIONS):
        size = scene.log.stat().st_size
        scene.truncate()
        while scene.log.stat().st_size <= size:
            scene.write()
        scene.look()


def _times(scene: Scene) -> None:
    def restore() -> None:
        for path in (scene.log, *scene.archives):
            scene.touch(path)

    _rounds(scene, lambda: scene.rename(DELAYED), then=restore)


def _partial(scene: Scene) -> None:
    scene.write()
    for _ in range(_ROTATIONS):
        scene.write_in_part()
        scene.look()
        if scene.choice.random() < 0.5:
            scene.rename(DELAYED)
        scene.write()
        scene.look()


def _during(scene: Scene) -> None:
    scene.write()
    scene.look()
    for _ in range(_ROTATIONS):
        scene.write(5, 40)

        def meanwhile() -> None:
            scene.rename(DELAYED)
            scene.write()

        scene.look_while(meanwhile, at=scene.choice.choice(_PLACES))
        scene.look()


def _killed(scene: Scene) -> None:
    scene.write(_LONG, _LONG)
    scene.look()
    for _ in range(_ROTATIONS):
        scene.write(_LONG // 3, _LONG)
        scene.look_and_be_killed(scene.choice.random())
        if scene.choice.random() < 0.5:
            scene.rename(DELAYED)
        scene.look()


MODES = [
    Mode("create", _create),
    Mode("delaycompress", _delaycompress),
    Mode("compressed at once", _compress, packed=True),
    Mode("dateext", _dateext),
    Mode("copytruncate", _copytruncate, cuts=True),
    Mode("nocreate", _nocreate, absent=True),
    Mode("olddir", _olddir, old="old"),
    Mode("olddir elsewhere", _olddir, old="../elsewhere"),
    Mode("two rotations between runs", _two, packed=True, many=True),
    Mode("five rotations between runs", _five, packed=True, many=True),
    Mode("rotated during a run", _during, held=True),
    Mode("same inode used again", _inode, packed=True),
    Mode("truncated, grown past the offset", _truncated, cuts=True, rotates=False),
    Mode("equal mtimes", _times),
    Mode("partial last line", _partial, partial=True),
    Mode("kill -9 during a run", _killed),
]
