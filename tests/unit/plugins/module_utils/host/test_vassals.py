# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else keeps in the emperor's directory is named, by a deploy as by the role stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import layout, vassals
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions import options

from ...house import House
from ...told import told
from ..productions.test_manager import given, settled


@pytest.fixture
def directory(house: House) -> Path:
    """Ours, somebody else's, and what the emperor does not look at."""
    path = Path(house.host.vassals)
    for name, target in {
        "backstage.jazz.kittens.a.1.ini": f"{layout.ROOT}/jazz/acts/kittens/sesses/a.1/uwsgi.ini",
        "backstage.jazz.gone.a.1.ini": f"{layout.ROOT}/jazz/acts/gone/sesses/a.1/uwsgi.ini",
        "backstage.jazz.copy.a.1.ini": None,
        "shop.ini": None,
        "shop.yaml": "/home/shop/shop.yaml",
        "beside.json": f"{layout.ROOT}-of-others/x.json",
        ".hidden.ini": None,
        "shop.ini.disabled": None,
        "README": None,
    }.items():
        if target:
            (path / name).symlink_to(target)
        else:
            (path / name).write_text("[uwsgi]\n")
    return path


FOREIGN = ["backstage.jazz.copy.a.1.ini", "beside.json", "shop.ini", "shop.yaml"]


def test_foreign(directory: Path) -> None:
    assert vassals.foreign(str(directory)) == [str(directory / name) for name in FOREIGN]


def test_no_directory(tmp_path: Path) -> None:
    assert vassals.foreign(str(tmp_path / "none")) == []
    vassals.need_own(str(tmp_path / "none"))


def test_a_deploy_refuses_to_start_anything_beside_it(house: House) -> None:
    before = settled(house)
    assert told(production.check, options.for_production(before)) == ""
    path = Path(house.host.vassals, "shop.ini")
    path.write_text("[uwsgi]\n")
    said = told(production.check, options.for_production(before))
    assert said.startswith(f"{path}: not Backstage's, and the emperor would start it as root; move it elsewhere")


@pytest.mark.parametrize("more", [{"rollback": "kittens"}, {"state": "absent"}, {"sesses": [], "gigs": []}])
def test_what_starts_nothing_new_goes_on(house: House, more: dict[str, object]) -> None:
    """The way back is never barred, nor the way out."""
    settled(house)
    Path(house.host.vassals, "shop.ini").write_text("[uwsgi]\n")
    assert "shop.ini" not in told(production.check, options.for_production(given(**more)))
