# SPDX-License-Identifier: GPL-3.0-or-later
"""dropped.py ROOT: the jobs that two libraries of the Act jobs took from their queue and never began; as JSON.

Both end at once if the signal to end comes in the milliseconds between taking a job and beginning it. Their own records
say so: db_worker of django-tasks leaves such a job RUNNING, and rq leaves it in its intermediate queue.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

RUNNING = "SELECT args_kwargs FROM django_tasks_database_dbtaskresult WHERE status = 'RUNNING'"
REDIS = ("redis-cli", "-n", "4")
TAKEN = "rq:queue:default:intermediate"


def by_tasks(database: str) -> list[str]:
    owner = os.stat(database)
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)  # files beside the database stay its owner's
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return [str(json.loads(told)["args"][0]) for (told,) in connection.execute(RUNNING)]


def asked(*words: str) -> str:
    return subprocess.run([*REDIS, *words], check=True, capture_output=True, text=True).stdout


def by_rq() -> list[str]:
    """The numbers of the jobs, whose descriptions are such as ``jobs.work.do('rq', 17, 0.2)``."""
    told = [asked("HGET", f"rq:job:{job}", "description") for job in asked("LRANGE", TAKEN, "0", "-1").split()]
    return [found[1] for found in (re.search(r"\('rq', (\d+), ", one) for one in told) if found]


def main(root: str) -> None:
    print(json.dumps({"rq": by_rq(), "tasks": by_tasks(f"{root}/data/db.sqlite3")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
