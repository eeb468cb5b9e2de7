# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's PostgreSQL cluster, and the Acts that have a database in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from . import programs

UNKNOWN = "those of a PostgreSQL that does not answer"
NO_CLUSTER = "PostgreSQL is installed but has no cluster. Create one: pg_createcluster VERSION main --start."
# the comments of these roles say that Backstage made them
_KEPT = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') LIKE 'Backstage %' ORDER BY rolname"
_PSQL = ("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--no-password", "--dbname=postgres")


@dataclass(frozen=True)
class Cluster:
    """A cluster. The defaults describe the cluster that an installation will create."""

    version: str = ""
    name: str = ""
    port: int = 5432
    online: bool = False

    def entry(self) -> dict[str, Any]:
        return asdict(self)

    def acts(self) -> list[str]:
        """Return the Acts that have something in it. If it does not answer, return a note that any Act may."""
        if not self.version:
            return []
        asked = programs.ask("runuser", "-u", "postgres", "--", *_PSQL, f"--port={self.port}", f"--command={_KEPT}")
        return asked.out.split() if asked.ok else [UNKNOWN]


def find() -> tuple[Cluster, list[str]]:
    """Return the host's cluster, and an error if PostgreSQL is installed and has none."""
    listed = programs.ask("pg_lsclusters", "--no-header")
    found = parse(listed.out)
    if found:
        # Debian gives port 5432 to the first cluster, and an upgrade gives the old port to the new cluster
        return min(found, key=lambda one: one.port), []
    return Cluster(), [NO_CLUSTER] if listed.ok else []


def parse(listed: str) -> list[Cluster]:
    """Return the clusters in the output of pg_lsclusters, except those whose version was removed."""
    rows = [(line.split()[:4], line.split()[3].split(",")) for line in listed.splitlines()]
    return [
        Cluster(version, name, int(port), "online" in status)
        for (version, name, port, _status), status in rows
        if "binaries_missing" not in status
    ]
