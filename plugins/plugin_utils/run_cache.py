# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run of Ansible found out once, for all its hosts.

Actions fork for every host and run again for every batch, so the answers are kept in a file of the
run's own temporary directory, under a lock; it goes with the run.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from ansible import constants


def directory() -> str:
    """Return a directory that exists as long as this run."""
    return str(vars(constants)["DEFAULT_LOCAL_TMP"])  # ansible.constants fills itself when it is imported


@contextmanager
def lock(name: str) -> Iterator[str]:
    """Hold a lock of this run; gives the path that it guards."""
    path = os.path.join(directory(), "backstage-" + name)
    with open(path + ".lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def once(name: str, find: Callable[[], Any]) -> Any:
    """Return the answer to a question, which is asked only once in a run."""
    with lock(name) as path:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                return json.load(file)
        answer = find()
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(answer, file)
        os.replace(path + ".new", path)
        return answer
