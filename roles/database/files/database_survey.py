# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role database asks besides: which cluster of PostgreSQL is meant, and which Acts have a database in it."""

from typing import Any

from survey import reply, run

# The roles that the managers made say so in their comments.
KEPT = "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') LIKE 'Backstage %' ORDER BY rolname"


def clusters(listed: str) -> list[dict[str, Any]]:
    """The clusters that `pg_lsclusters --no-header` lists, but for those of a version that was removed."""
    rows = [line.split() for line in listed.splitlines()]
    return [
        {"version": row[0], "name": row[1], "port": int(row[2]), "online": "online" in row[3].split(",")}
        for row in rows
        if "binaries_missing" not in row[3].split(",")
    ]


def acts(port: int) -> list[str]:
    """The Acts with something in PostgreSQL; one that doesn't answer may have any."""
    psql = ("psql", "--no-psqlrc", "--no-align", "--tuples-only", "--no-password", "--dbname=postgres")
    asked = run("runuser", "-u", "postgres", "--", *psql, f"--port={port}", f"--command={KEPT}")
    return asked.stdout.split() if asked.returncode == 0 else ["those of a PostgreSQL that doesn't answer"]


def database(question: dict[str, Any]) -> dict[str, Any]:
    """Answer the role."""
    listed = run("pg_lsclusters", "--no-header")
    found = clusters(listed.stdout)
    # Debian gives the first one 5432, and whoever upgrades gives the new one the old one's.
    cluster = min(found, key=lambda one: one["port"], default=None)
    refusals = []
    if listed.returncode == 0 and cluster is None:
        refusals.append("PostgreSQL is installed, and has no cluster. Make one: pg_createcluster VERSION main --start.")
    return {
        "refusals": refusals,
        "cluster": cluster or {"version": "", "name": "", "port": 5432, "online": False},
        "kept": acts(cluster["port"]) if cluster and question["state"] == "absent" else [],
    }


if __name__ == "__main__":
    reply(database)
