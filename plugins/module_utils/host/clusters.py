# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's cluster of PostgreSQL, and the Acts that have a database in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import programs

UNKNOWN = "those of a PostgreSQL that doesn't answer"
NO_CLUSTER = "PostgreSQL is installed, and has no cluster. Make one: pg_createcluster VERSION main --start."
# the roles that the managers made say so in their comments
_KEPT = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') LIKE 'Backstage %' ORDER BY rolname"
_PSQL = ("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--no-password", "--dbname=postgres")


@dataclass(frozen=True)
class Cluster:
    """A cluster; the defaults say what there will be where none is yet."""

    version: str = ""
    name: str = ""
    port: int = 5432
    online: bool = False

    def entry(self) -> dict[str, Any]:
        return asdict(self)

    def acts(self) -> list[str]:
        """The Acts with something in it; one that does not answer may have any."""
        if not self.version:
            return []
        asked = programs.ask("runuser", "-u", "postgres", "--", *_PSQL, f"--port={self.port}", f"--command={_KEPT}")
        return asked.out.split() if asked.ok else [UNKNOWN]


def find() -> tuple[Cluster, list[str]]:
    """The host's cluster, and what is wrong where PostgreSQL is installed and has none."""
    listed = programs.ask("pg_lsclusters", "--no-header")
    found = parse(listed.out)
    if found:
        # Debian gives the first one 5432, and whoever upgrades gives the new one the old one's
        return min(found, key=lambda one: one.port), []
    return Cluster(), [NO_CLUSTER] if listed.ok else []


def parse(listed: str) -> list[Cluster]:
    """The clusters that pg_lsclusters lists, but for those of a version that was removed."""
    rows = [(line.split()[:4], line.split()[3].split(",")) for line in listed.splitlines()]
    return [
        Cluster(version, name, int(port), "online" in status)
        for (version, name, port, _status), status in rows
        if "binaries_missing" not in status
    ]
