# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's system, and what its kernel allows."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from . import files

SUPPORTED = {"debian": ("12", "13")}
_UNKNOWN = "an unknown system"


@dataclass(frozen=True)
class System:
    """The system of this host.

    Args:
        distribution: its id, such as ``debian``.
        version: its version, such as ``13``.
        name: both, for people.
        systemd: whether PID 1 is systemd.
        ipv6: whether the kernel supports IPv6.
        somaxconn: the kernel's maximum for a listen queue; uWSGI refuses to start with a longer one.
    """

    distribution: str
    version: str
    name: str
    systemd: bool
    ipv6: bool
    somaxconn: int

    @classmethod
    def read(cls, release: str = "/etc/os-release") -> System:
        lines = (files.read(release) or "").splitlines()
        pairs = {key: value.strip("\"'") for key, _equals, value in (line.partition("=") for line in lines)}
        return cls(
            distribution=pairs.get("ID", ""),
            version=pairs.get("VERSION_ID", ""),
            name=pairs.get("PRETTY_NAME", _UNKNOWN),
            systemd=os.path.isdir("/run/systemd/system"),  # as sd_booted(3) asks
            ipv6=os.path.exists("/proc/net/if_inet6"),
            somaxconn=int(files.read("/proc/sys/net/core/somaxconn") or 4096),
        )

    def refusals(self) -> list[str]:
        """Return why Backstage does not support this host; nothing if it does."""
        if self.version in SUPPORTED.get(self.distribution, ()):
            return []
        return [f"This host runs {self.name}; Backstage plays on Debian 12 and 13."]

    def entry(self) -> dict[str, Any]:
        return asdict(self)
