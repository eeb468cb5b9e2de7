# SPDX-License-Identifier: GPL-3.0-or-later
"""A host writes the answer to a challenge with its key, as docs/dns.md describes it."""

from __future__ import annotations

import shlex

from conftest import NAMES, ZONE, Almanac
from faults.host import Host

KEY = 'key "backstage-web1" { algorithm hmac-sha256; secret "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTAwMTE="; };'
PLACE = f"acme.{ZONE}"
ANSWER = f"{NAMES[0]}.{PLACE}."


def answers_challenges(almanac: Almanac, primary: Host, other: Host) -> None:
    """Assert that the key writes in the zone of challenges and nowhere else, and that nobody writes without it."""
    address = primary.sh("hostname -I").split()[0]
    other.sh("DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends bind9-dnsutils >/dev/null")
    other.write("/root/tsig.key", KEY, "600")
    asked = {
        "production": almanac.production,
        "zones": [ZONE],
        "name_servers": [{"name": f"ns1.{ZONE}", "addresses": [address]}],
        "challenges": [NAMES[0]],
        "challenge_keys": [KEY],
    }
    assert almanac.write(primary, **asked)["changed"]
    assert not almanac.write(primary, **asked)["changed"]
    add = f'add {ANSWER} 1 TXT "the answer"'
    assert _update(other, address, PLACE, add, "-k /root/tsig.key") == ""
    assert '"the answer"' in other.sh(f"dig +short @{address} TXT _acme-challenge.{NAMES[0]}")
    wrong = [(other, ZONE, "-k /root/tsig.key"), (other, PLACE, ""), (primary, ZONE, ""), (primary, PLACE, "")]
    primary.sh(
        "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends bind9-dnsutils >/dev/null"
    )
    for host, zone, key in wrong:
        line = add if zone == PLACE else f"add {NAMES[0]}. 60 A 192.0.2.66"
        for server in (address, "127.0.0.1") if host is primary else (address,):
            assert "REFUSED" in _update(host, server, zone, line, key), (host.name, server, zone, key)
    assert almanac.write(primary, **{**asked, "challenges": [], "challenge_keys": []})["changed"]
    assert "REFUSED" in _update(other, address, PLACE, add, "-k /root/tsig.key")


def _update(host: Host, server: str, zone: str, line: str, key: str) -> str:
    """Return what nsupdate prints; nothing if the server made the change."""
    text = shlex.quote(f"server {server}\nzone {zone}.\nupdate {line}\nsend\n")
    return host.sh(f"printf %b {text} | nsupdate -t 20 {key} 2>&1", check=False).strip()
