# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Debian packages `site` installs on which host: those of the Acts that play there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
GROUPS = {"all": ["h1", "h2"], "backstage_stage": ["h1", "h2"], "left": ["h1"]}
ACTS = [
    {"name": "polls", "packages": ["npm", "gcc"]},
    {"name": "wagtail", "packages": ["gcc"]},
    {"name": "plain"},
]


def packages(host: str, **manifest: Any) -> list[str]:
    """Return the packages that the play gives the role on a host."""
    plays = yaml.safe_load((PLAYBOOKS / "site.yml").read_text())
    (play,) = [play for play in plays if play["name"] == "Prepare the stage"]
    loader = DataLoader()
    variables = {
        "inventory_hostname": host,
        "groups": GROUPS,
        "group_names": [name for name, hosts in GROUPS.items() if host in hosts and name != "all"],
        **{f"backstage_{key}": value for key, value in manifest.items()},
    }
    for file in play.get("vars_files", []):
        variables.update(loader.load_from_file(str(PLAYBOOKS / file), trusted_as_template=True))
    (role,) = loader.load_from_file(str(PLAYBOOKS / "site.yml"), trusted_as_template=True)[1]["roles"]
    found: list[str] = Templar(loader, variables=variables).template(role["vars"]["stage_packages"])
    return sorted(found)


ON_HOSTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    # (the manifest, packages of h1, packages of h2)
    ({"acts": ACTS}, ["gcc", "npm"], ["gcc", "npm"]),
    ({"acts": ACTS, "sesses": [{"act": "polls", "hosts": "h2"}]}, ["gcc"], ["gcc", "npm"]),
    ({"acts": ACTS, "sesses": [{"act": "polls", "hosts": "left"}]}, ["gcc", "npm"], ["gcc"]),
    ({"acts": ACTS, "sesses": [{"act": "polls", "port": 8001}], "sess_defaults": {"hosts": "h2"}}, [], ["gcc", "npm"]),
    (
        {"acts": ACTS, "sesses": [{"act": "polls", "hosts": "left"}], "sess_defaults": {"hosts": "h2"}},
        ["gcc", "npm"],
        ["gcc"],
    ),
    ({"acts": ACTS, "sesses": [{"act": "polls", "hosts": None}]}, ["gcc", "npm"], ["gcc", "npm"]),
    ({"acts": ACTS[:1], "sesses": [{"act": "polls", "hosts": "all"}]}, ["gcc", "npm"], ["gcc", "npm"]),
    ({"acts": ACTS[:1], "sesses": [{"act": "polls", "hosts": "h3"}]}, [], []),
    ({"acts": [{**ACTS[0], "state": "absent"}], "sesses": [{"act": "polls", "hosts": "h1"}]}, ["gcc", "npm"], []),
    (
        {"acts": ACTS[2:], "act_defaults": {"packages": ["jq"]}, "sesses": [{"act": "plain", "hosts": "h1"}]},
        ["jq"],
        [],
    ),
    ({}, [], []),
    ({"acts": None, "sesses": None, "act_defaults": None, "sess_defaults": None}, [], []),
]


@pytest.mark.parametrize(("manifest", "first", "second"), ON_HOSTS)
def test_packages_of_a_host(manifest: dict[str, Any], first: list[str], second: list[str]) -> None:
    assert (packages("h1", **manifest), packages("h2", **manifest)) == (first, second)
