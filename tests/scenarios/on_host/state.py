# SPDX-License-Identifier: GPL-3.0-or-later
"""state.py PRODUCTION: print what is on this host of a Production and backstage_info does not return, as JSON.

It reads the documented files, and uses no code of the collection.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path("/srv/backstage")
VASSALS = Path("/etc/backstage/vassals")
VENUES = Path("/etc/nginx/backstage/venues")


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def data(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def digests(folder: Path) -> dict[str, str]:
    """Return a digest of each file, without the token, which differs in each Sess."""
    found = [name for name in names(folder) if name != "BACKSTAGE_TOKEN"]
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()[:16] for name in found}


def mode(path: Path) -> str:
    """Return mode, owner and group of a directory that outlives every release."""
    return f"{path.stat().st_mode & 0o7777:04o} {path.owner()}:{path.group()}"


def act(folder: Path, production: str) -> dict[str, Any]:
    live, releases = folder / "live", folder / "releases"
    record = data(live / "sess.json") if live.is_symlink() else {}
    prefix = f"backstage.{production}.{folder.name}."
    vassals = [name[len(prefix) : -len(".ini")] for name in names(VASSALS) if name.startswith(prefix)]
    return {
        "record": data(folder / "act.json"),
        "modes": {str(path): mode(path) for path in (folder / "data", folder / "media") if path.is_dir()},
        "unsealed": [name for name in names(releases) if not (releases / name / "release.json").exists()],
        "sesses": sorted({*names(folder / "sesses"), *vassals}),
        "vassals": vassals,
        "env": digests(live / "env") if live.is_symlink() else {},
        "secrets": record.get("secrets", []),
        "timeout": record.get("timeout"),
    }


def workers() -> list[int]:
    """Return the process ids of nginx's workers. A reload starts new ones."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_text(errors="replace")
        except OSError:
            continue
        if "nginx: worker process" in title and "shutting down" not in title:
            found.append(int(process.name))
    return sorted(found)


def state(production: str) -> dict[str, Any]:
    acts = ROOT / production / "acts"
    files = [name for name in names(VENUES) if name.startswith(production + ".")]
    return {
        "acts": {name: act(acts / name, production) for name in names(acts)},
        "files": {name: (VENUES / name).read_text(encoding="utf-8") for name in files},
        "workers": workers(),
        "root": (ROOT / production).is_dir(),
    }


if __name__ == "__main__":
    json.dump(state(sys.argv[1]), sys.stdout)
