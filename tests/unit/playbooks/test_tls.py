# SPDX-License-Identifier: GPL-3.0-or-later
"""What `site` finds in the manifest of certificates from an authority: packages are installed for no other host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
HTTP = {"mode": "acme"}
DNS = {"mode": "acme", "challenge": "dns-01"}


def challenges(**manifest: Any) -> list[str]:
    """Return what the play tells the role."""
    plays = yaml.safe_load((PLAYBOOKS / "site.yml").read_text())
    (play,) = [play for play in plays if play["name"] == "Prepare nginx"]
    loader = DataLoader()
    variables = {f"backstage_{key}": value for key, value in manifest.items()}
    for file in play["vars_files"]:
        variables.update(loader.load_from_file(str(PLAYBOOKS / file), trusted_as_template=True))
    trusted = loader.load_from_file(str(PLAYBOOKS / "site.yml"), trusted_as_template=True)
    (role,) = trusted[plays.index(play)]["roles"]
    found: list[str] = Templar(loader, variables=variables).template(role["vars"]["front_of_house_challenges"])
    return sorted(found)


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({}, []),
        ({"venues": None, "venue_defaults": None}, []),
        ({"venues": [{"name": "a.example"}, {"name": "b.example", "tls": None}]}, []),
        ({"venues": [{"name": "a.example", "tls": {"mode": "selfsigned"}}]}, []),
        ({"venues": [{"name": "a.example", "tls": {"hsts": 1}}], "venue_defaults": {"tls": HTTP}}, ["http-01"]),
        ({"venues": [{"name": "a.example", "tls": HTTP}, {"name": "b.example"}]}, ["http-01"]),
        ({"venues": [{"name": "a.example", "tls": DNS}]}, ["dns-01", "http-01"]),
        ({"venue_defaults": {"tls": DNS}}, ["dns-01", "http-01"]),
    ],
)
def test_challenges(manifest: dict[str, Any], found: list[str]) -> None:
    assert challenges(**manifest) == found
