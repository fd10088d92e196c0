"""The folder into which people lay files of labels, and where a file lies once it was read or refused.

```
labels/inbox/labels.csv    ->  read/labels.csv                     its rows stand in the table `labels`
labels/inbox/half.csv      ->  refused/half.csv, half.csv.why.txt  nothing of it was taken
```
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

SETTLED_SECONDS = 3.0
"""Without a change: a file that is still being copied waits for the next look."""

UNREAD = (".", "~$")
"""What the names of files begin with that programs keep beside an open one."""


@dataclass(frozen=True)
class LabelInbox:
    """The folders of one collection."""

    folder: Path
    """`<root>/labels`."""

    @property
    def inbox(self) -> Path:
        """Where people lay files."""
        return self.folder / "inbox"

    @property
    def refused_folder(self) -> Path:
        """Where those lie that could not be read."""
        return self.folder / "refused"

    def waiting(self, settled_seconds: float = SETTLED_SECONDS) -> list[Path]:
        """The files that nobody writes to any more, in folders too, the oldest first; hidden ones are none."""
        if not self.inbox.is_dir():
            return []
        now, found = time.time(), []
        for path in self.inbox.rglob("*"):
            if path.is_file() and not any(part.startswith(UNREAD) for part in path.relative_to(self.inbox).parts):
                changed = _changed(path)
                if now - changed >= settled_seconds:
                    found.append((changed, path.name, path))
        return [path for *_, path in sorted(found)]

    def lay(self, path: Path) -> Path:
        """A copy of a file in the inbox, which appears there whole; beside one of its name in a folder of its own, for
        where a file does not say who speaks, its name does."""
        folder, number = self.inbox, 2
        while (folder / path.name).exists():
            folder, number = self.inbox / str(number), number + 1
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / path.name
        partial = place.with_name(f".{place.name}.partial")
        shutil.copy2(path, partial)
        changed = path.stat().st_mtime
        os.utime(partial, (changed, min(changed, time.time() - SETTLED_SECONDS)))  # it is whole: nobody has to wait
        return partial.rename(place)

    def taken(self, path: Path) -> None:
        """Moves a file whose labels are in the table."""
        self._move(path, self.folder / "read")

    def refused(self, path: Path, why: str) -> None:
        """Moves a file that could not be read, and writes why beside it."""
        moved = self._move(path, self.refused_folder)
        moved.with_name(f"{moved.name}.why.txt").write_text(f"{why}\n", encoding="utf-8")

    def n_refused(self) -> int:
        """Files that lie refused."""
        if not self.refused_folder.is_dir():
            return 0
        return sum(not path.name.endswith(".why.txt") for path in self.refused_folder.iterdir())

    def _move(self, path: Path, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        moved = path.rename(_free(folder, path.name))
        if path.parent != self.inbox and not any(path.parent.iterdir()):
            path.parent.rmdir()
        return moved


def _changed(path: Path) -> float:
    """When a file changed last; of one whose time is yet to come, as some cameras' are, when it came here."""
    known = path.stat()
    return known.st_mtime if known.st_mtime <= time.time() else min(known.st_mtime, known.st_ctime)


def _free(folder: Path, name: str) -> Path:
    """A path of this name, or of one like it, that does not exist."""
    place, number = folder / name, 2
    while place.exists():
        place = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
    return place
