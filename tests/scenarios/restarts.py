# SPDX-License-Identifier: GPL-3.0-or-later
"""Many restarts of one Act: the first one by the playbook, the others by its module, called again on the hosts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from faults.host import PLACE, Host
from street import Street

CALL = "restart"


def restart(street: Street, act: str, number: int) -> None:
    """Switch the Act to another Sess of its release, so many times, and assert that each was another one."""
    for host in street.hosts:
        host.sh(f"rm -rf {PLACE}/keep {PLACE}/calls/{CALL}; mkdir -p {PLACE}/keep {PLACE}/calls")
    seen = [street.live(act)]
    assert street.play("restart", act=act, watched=True) == [f"play sess {act} (restart)"]
    for host in street.hosts:
        host.sh(f"mv {PLACE}/keep {PLACE}/calls/{CALL}")
    seen.append(street.live(act))
    for _again in range(number - 1):
        with ThreadPoolExecutor(len(street.hosts)) as pool:
            list(pool.map(_restart, street.hosts))
        seen.append(street.live(act))
    for of_host in zip(*seen):
        assert len(set(of_host)) == number + 1


def _restart(host: Host) -> None:
    done = host.script("replay.py", "call", CALL)
    assert not done.get("failed"), done.get("msg")
