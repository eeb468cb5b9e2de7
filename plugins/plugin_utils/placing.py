# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Acts play on which hosts of the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ..module_utils.certificates import account
from ..module_utils.manifest.nouns import STAGE_GROUP, Act, Manifest, Sess
from ..module_utils.manifest.problems import Problems

Groups = Mapping[str, Sequence[str]]
Item = Mapping[str, Any]


def expand(places: Sequence[str], groups: Groups) -> list[str]:
    """Return the hosts of these groups and hosts, each once, in the order in which plays take them."""
    found = dict.fromkeys(host for place in places for host in _hosts(place, groups))
    order = {host: number for number, host in enumerate(groups.get(STAGE_GROUP, []))}
    return sorted(found, key=lambda host: order.get(host, len(order)))


def _hosts(place: str, groups: Groups) -> Sequence[str]:
    return groups.get(place, [place] if place in groups.get("all", []) else [])


def hosts_of(act: str, sesses: Optional[Sequence[Item]], sess_defaults: Optional[Item], groups: Groups) -> list[str]:
    """Return the hosts of an Act, from variables that nobody has checked yet."""
    own = [sess.get("hosts") for sess in sesses or [] if sess.get("act") == act]
    places = next((one for one in own if one), None) or (sess_defaults or {}).get("hosts") or STAGE_GROUP
    return expand(places.split(",") if isinstance(places, str) else places, groups)


def acts_on(
    acts: Optional[Sequence[Item]],
    host: str,
    sesses: Optional[Sequence[Item]],
    sess_defaults: Optional[Item],
    groups: Groups,
) -> list[Item]:
    """Return those Acts of a list that play on a host."""
    return [act for act in acts or [] if host in hosts_of(str(act.get("name")), sesses, sess_defaults, groups)]


def placed(wanted: Manifest, groups: Groups, problems: Problems) -> dict[str, list[str]]:
    """Return the hosts of each Act that has a Sess. The first host of an Act leads: it runs what runs once.

    Args:
        wanted: the manifest.
        groups: the groups of the inventory.
        problems: takes Acts without a host, and Acts that can't play on several.
    """
    found = {}
    for name, sess in wanted.sesses.items():
        for place in sess.hosts:
            if not _hosts(place, groups):
                said = f"is no group or host of the inventory; use one, such as {STAGE_GROUP}"
                problems.add(f"backstage_sesses[{name}].hosts", place, said)
        found[name] = expand(sess.hosts, groups)
        if len(found[name]) > 1 and name in wanted.acts:
            _check_shared(wanted.acts[name], sess, found[name], problems)
    _check_turns(wanted, found, problems)
    _check_account(wanted, found, problems)
    return found


def _check_turns(wanted: Manifest, places: Mapping[str, list[str]], problems: Problems) -> None:
    """Check that Acts that take turns at a place play on the same hosts: another one would be closed meanwhile."""
    first: dict[str, str] = {}
    for gig in wanted.gigs:
        place = gig.venue + gig.path
        if gig.state == "absent" or gig.act not in places:
            continue
        other = first.setdefault(place, gig.act)
        if places[other] != places[gig.act]:
            where, hosts = f"backstage_gigs[{gig.act} at {gig.venue}]", ", ".join(places[gig.act])
            said = f"'{other}' plays at {place} at other times, on {', '.join(places[other])}, and this Act on {hosts}"
            problems.add(where, None, f"{said}; give both the same hosts (backstage_sesses)")


def _check_account(wanted: Manifest, places: Mapping[str, list[str]], problems: Problems) -> None:
    """Check that hosts of one Venue have one account: an authority may ask any of them, which answers with its own."""
    if wanted.acme and wanted.acme.account_key:
        return
    for venue in wanted.venues.values():
        acts = {gig.act for gig in wanted.gigs if gig.venue == venue.name and gig.state == "present"}
        hosts = sorted({host for act in acts for host in places.get(act, ())})
        by_http = (venue.tls.mode, venue.tls.challenge) == ("acme", "http-01")
        if by_http and len(hosts) > 1 and venue.state != "absent":
            plays = f"{venue.name} gets certificates from an authority on {len(hosts)} hosts ({', '.join(hosts)})"
            said = f"is missing, and {plays}: the authority may ask any of them, so they need one key; {account.CURE}"
            cure = f"encrypt it with ansible-vault, or use backstage_venues[{venue.name}].tls.challenge: dns-01"
            problems.add("backstage_acme.account_key", None, f"{said}, {cure}")


def _check_shared(act: Act, sess: Sess, hosts: Sequence[str], problems: Problems) -> None:
    """Check what an Act on several hosts can't have: data that lies on one of them."""
    if act.state == "absent" or sess.state == "absent":
        return
    where, plays = f"backstage_acts[{act.name}]", f"the Act plays on {len(hosts)} hosts ({', '.join(hosts)})"
    if act.database:
        cure = "name a database that all of them reach in secrets (DATABASE_URL), and leave 'database' out"
        problems.add(f"{where}.database.engine", act.database, f"is a database of one host, and {plays}: {cure}")
    if act.media == "local":
        cure = "'external' (a storage that all of them reach, such as S3) or 'none' (no uploads)"
        problems.add(f"{where}.media", act.media, f"keeps uploads on the host that got them, and {plays}: use {cure}")
