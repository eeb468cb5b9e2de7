# SPDX-License-Identifier: GPL-3.0-or-later
"""The program backstage-certificates as the role lays it, and its units."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import yaml
from ansible_collections.backstage.django.plugins.plugin_utils import library

ROLE = Path(__file__).parents[4] / "roles/front_of_house"
VARIABLES = yaml.safe_load((ROLE / "vars/main.yml").read_text())


def test_the_program_needs_nothing_but_its_modules(tmp_path: Path) -> None:
    """On a host without a wish it has nothing to do, and says nothing."""
    for name, text in library.texts_of(VARIABLES["__front_of_house_library"]["modules"]).items():
        path = tmp_path / "backstage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    program = tmp_path / "program"
    text = (ROLE / "files/backstage_certificates.py").read_text()
    house = VARIABLES["__front_of_house_house"]
    assert f'HOUSE = "{house}"' in text
    program.write_text(text.replace(house, str(tmp_path)))
    _env, *options = VARIABLES["__front_of_house_interpreter"].split()
    ended = subprocess.run([sys.executable, *options, program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not list(tmp_path.rglob("*.pyc"))


def test_the_units() -> None:
    """The service may write where the program writes, and nowhere else."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string((ROLE / "templates/certificates.service.j2").read_text())
    assert unit["Service"]["ProtectSystem"] == "strict"
    written = unit["Service"]["ReadWritePaths"].replace("{{ __front_of_house_directory }}", "/etc/nginx/backstage")
    assert written.split() == [
        *("/var/lib/backstage", "/etc/backstage/certificates", "/etc/nginx/backstage"),
        *("/run", "/var/log/nginx", "-/srv/backstage"),
    ]
    timer = configparser.ConfigParser(interpolation=None)
    timer.read_string((ROLE / "templates/certificates.timer.j2").read_text())
    assert timer["Timer"]["Persistent"] == "true"
