# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act and its Venue that get other names, with a database in PostgreSQL; and their old names again."""

from __future__ import annotations

from typing import Any

from conftest import Choir


def called(choir: Choir, name: str, was: str) -> dict[str, Any]:
    """The manifest in which alto and its Venue have another name."""
    lists = {key: choir.manifest[key] for key in ("backstage_acts", "backstage_venues", "backstage_gigs")}
    acts = [{**act, "name": name, "was": was} if act["name"] == "alto" else act for act in lists["backstage_acts"]]
    venue = {"name": f"{name}.example.com", "was": f"{was}.example.com"}
    others = [one for one in lists["backstage_venues"] if one["name"] != "alto.example.com"]
    gigs = [gig for gig in lists["backstage_gigs"] if gig["act"] != "alto"]
    gigs.append({"act": name, "venue": venue["name"]})
    return {"backstage_acts": acts, "backstage_venues": [*others, venue], "backstage_gigs": gigs}


def traces(choir: Choir, name: str) -> list[str]:
    """What the host still calls by a name."""
    places = "/srv/backstage /etc/backstage /etc/nginx/backstage /etc/systemd/system /var/log/backstage /var/log/nginx"
    found = f"find {places} -name '*{name}*' -o -lname '*/{name}/*'"
    return choir.host.sh(f"{found}; {{ getent passwd; getent group; }} | grep {name} || :").splitlines()


def test_another_name(choir: Choir) -> None:
    """fault_35: its database comes along, the old host name leads to the new one, and no name is left behind."""
    songs = choir.ask("SELECT count(*) FROM busker_song", "choir-alto", "choir-alto")
    mezzo = called(choir, "mezzo", "alto")
    with choir.visitors("bass.example.com/") as visitors:
        verbs = choir.verbs(**mezzo)
    visitors.all_pleased()
    assert {"act mezzo: rename", "venue mezzo.example.com: rename", "sess mezzo: play"} <= set(verbs)
    assert not [verb for verb in verbs if ": build" in verb or ": migrate" in verb or ": create" in verb]
    assert choir.status("mezzo") == 200
    assert choir.status("alto") == 301
    assert choir.ask("SELECT count(*) FROM busker_song", "choir-mezzo", "choir-mezzo") == songs
    assert choir.left() == "choir-bass choir-bass choir-mezzo choir-mezzo"
    assert traces(choir, "alto") == []
    assert [line for line in choir.told()["drift"] if "mezzo" in str(line)] == []
    assert choir.verbs(**mezzo) == []


def test_the_old_name_again(choir: Choir) -> None:
    assert "act alto: rename" in choir.verbs(**called(choir, "alto", "mezzo"))
    assert (choir.status("alto"), choir.status("mezzo")) == (200, 301)
    assert set(choir.verbs()) == {"act alto: change", "sess alto: play", "venue alto.example.com: change"}
    assert traces(choir, "mezzo") == []
