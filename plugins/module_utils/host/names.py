# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names: the rules for names in the manifest, and the names derived from them.

No name contains the delimiter that follows it in a derived name, so two Acts or two Productions
never share a path, user or file.
"""

from __future__ import annotations

import hashlib
import re

PRODUCTION = re.compile(r"[a-z][a-z0-9]{0,14}\Z")
ACT = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z", re.ASCII)
CALLABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*\Z", re.ASCII)
RELEASE = re.compile(r"[0-9a-f]{12}\Z")
SESS = re.compile(r"(?P<release>[0-9a-f]{12})\.(?P<number>[1-9][0-9]{0,5})\Z")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+\Z")
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
URL_PREFIX = re.compile(r"/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)+\Z")

REHEARSAL = "rehearsal"
"""The Production in which an Act is rehearsed. Only packages stay afterwards."""

RESERVED_PRODUCTIONS = frozenset({"backstage", "www", "root", "systemd", REHEARSAL})
PROOF = "BACKSTAGE_TOKEN"
"""The variable with the token by which a Sess proves its identity; see stages.proofs."""
AGENT = "Backstage health check"
"""The user agent of requests by Backstage itself."""
LONGEST_USER = 32
LONGEST_HOST_NAME = 253
WWW_GROUP = "www-data"
LOG_GROUP = "adm"


def is_host_name(name: str) -> bool:
    """Return whether the name is a lower-case DNS host name in ASCII form (RFC 1123, section 2.1)."""
    return len(name) <= LONGEST_HOST_NAME and all(LABEL.match(label) for label in name.split("."))


def player(production: str, act: str) -> str:
    """Return the Unix user that plays the Act."""
    return _user(production + "-" + act)


def builder(production: str, act: str) -> str:
    """Return the Unix user that builds the Act's releases."""
    return _user(production + "_" + act)


def environment_builder(production: str) -> str:
    """Return the Unix user that makes the Production's shared environments."""
    return production + "__build"


def _user(name: str) -> str:
    if len(name) <= LONGEST_USER:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    # No player has "_" in its name. A builder or __build has "_" there only if its name is short.
    return name[: LONGEST_USER - 9].rstrip("-") + "_" + digest


def vassal(production: str, act: str, sess: str) -> str:
    """Return the file name of a Sess in the emperor's directory."""
    return f"backstage.{production}.{act}.{sess}.ini"


def unit(production: str, act: str, sess: str) -> str:
    """Return the name of the units of a Sess in systemd, without their ending."""
    return f"backstage.{production}.{act}.{sess}"


def crew_vassal(production: str, act: str, sess: str) -> str:
    """The file name of a Sess's workers there."""
    return f"backstage.{production}.{act}.{sess}.crew.ini"


def scope(production: str, act: str, sess: str) -> str:
    """Return the name of the cgroup of a Sess with limits. systemd's scope adds the number of its first process."""
    return f"backstage-{production}-{act}-{sess}"
