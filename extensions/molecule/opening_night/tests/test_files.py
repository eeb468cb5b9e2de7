# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on a host: owners and modes, and where secrets are."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import house
import pytest
import yaml

testinfra_hosts = ["ansible://backstage_stage"]

PRODUCTION = "jazz"
ACTS = ["ballot", "busker", "jamsession", "polls", "wagtail"]
SECRETS = Path(__file__).parents[1] / "inventory" / "group_vars" / "all" / "secrets.yml"

HOST = {
    "/etc/backstage": "root:root 0755",
    "/etc/backstage/stage.json": "root:root 0644",
    "/etc/backstage/front_of_house.json": "root:root 0644",
    "/etc/backstage/stage.files": "root:root 0644",
    "/etc/backstage/front_of_house.files": "root:root 0644",
    "/etc/backstage/vassals": "root:root 0755",
    "/etc/nginx/backstage/venues": "root:root 0755",
    "/usr/local/lib/backstage/wrapper/backstage_questions.py": "root:root 0644",
    "/usr/local/lib/backstage/wrapper/backstage_timer.py": "root:root 0644",
    "/usr/local/lib/backstage/wrapper/backstage_worker.py": "root:root 0644",
    "/usr/local/lib/backstage/wrapper/backstage_wrapper.py": "root:root 0644",
    "/srv/backstage": "root:root 0755",
    "/srv/backstage/jazz": "root:root 0755",
    "/srv/backstage/jazz/acts": "root:root 0755",
    "/srv/backstage/jazz/cache": "jazz__build:jazz__build 0700",
    "/run/backstage": "root:root 0700",
    "/var/log/backstage": "root:adm 0750",
    "/var/log/backstage/jazz": "root:adm 0750",
}


def secrets() -> dict[str, str]:
    values: dict[str, str] = yaml.safe_load(SECRETS.read_text(encoding="utf-8"))
    return values


def test_the_hosts_own_directories(host: Any) -> None:
    assert {path: str(about) for path, about in house.found(host, *HOST).items()} == HOST


@pytest.mark.parametrize("name", ACTS)
def test_an_acts_directories(host: Any, name: str) -> None:
    act = house.acts(host, PRODUCTION)[name]
    wanted = {
        act.root: "root:root 0711",
        act.root / "act.json": "root:root 0600",
        act.root / "history.jsonl": "root:root 0600",
        act.root / "live": "root:root 0777",
        act.root / "media": f"{act.player}:www-data 2750",
        act.root / "data": f"{act.player}:{act.player} 0700",
        act.root / "releases": "root:root 0711",
        act.release_root: "root:root 0711",
        act.release_root / "code": f"root:{act.player} 0750",
        act.release_root / "static": "root:root 0755",
        act.release_root / "release.json": f"root:{act.player} 0640",
        act.root / "sesses": "root:root 0711",
        act.sess_root: "root:root 0711",
        act.sess_root / "uwsgi.ini": f"root:{act.player} 0640",
        act.sess_root / "sess.json": "root:root 0600",
        act.sess_root / "env": f"root:{act.player} 0750",
        act.sess_root / "door": "root:www-data 0750",
        act.sess_root / "door/s": "root:www-data 0660",
        act.log: "root:adm 0640",
    }
    found = {path: str(about) for path, about in house.found(host, *wanted).items()}
    assert found == {str(path): about for path, about in wanted.items()}


@pytest.mark.parametrize("name", ACTS)
def test_an_acts_variables_are_for_its_player_only(host: Any, name: str) -> None:
    act = house.acts(host, PRODUCTION)[name]
    files = house.lines(host, "find", str(act.sess_root / "env"), "-type", "f")
    assert len(files) > 10
    assert {str(about) for about in house.found(host, *files).values()} == {f"root:{act.player} 0640"}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_can_not_write_its_own_code(host: Any, name: str) -> None:
    act = house.acts(host, PRODUCTION)[name]
    places = [f"{act.root}/releases", f"{act.root}/sesses", f"/srv/backstage/{PRODUCTION}/environments"]
    foreign = ["!", "-user", "root", "-o", "!", "-type", "l", "-perm", "/6022"]
    sealed = house.lines(host, "find", *places, "(", *foreign, ")", "!", "-type", "s")
    assert sealed == []


def test_nothing_is_writable_for_everybody(host: Any) -> None:
    places = ["/srv/backstage", "/etc/backstage", "/etc/nginx", "/var/log/backstage", "/usr/local/lib/backstage"]
    closed = ["-path", "/srv/backstage/*/cache", "-prune"]  # nobody but its builder enters it
    assert house.lines(host, "find", *places, *closed, "-o", "!", "-type", "l", "-perm", "-o=w", "-print") == []


def test_users_are_backstages_and_can_not_log_in(host: Any) -> None:
    wanted = {f"{PRODUCTION}{mark}{name}" for name in ACTS for mark in "-_"} | {f"{PRODUCTION}__build"}
    entries = [line.split(":") for line in house.lines(host, "getent", "passwd")]
    found = {entry[0]: entry for entry in entries if entry[0].startswith(PRODUCTION)}
    assert set(found) == wanted
    assert {entry[6] for entry in found.values()} == {"/usr/sbin/nologin"}
    assert all(entry[4].startswith("Backstage ") for entry in found.values())


@pytest.mark.parametrize(
    "place", ["{other.release_root}/code", "{other.sess_root}/env", "{other.root}/data", "{other.sess_root}/door"]
)
def test_one_act_can_not_enter_another(host: Any, place: str) -> None:
    playing = house.acts(host, PRODUCTION)
    path = place.format(other=playing["wagtail"])
    look = f"runuser -u {playing['ballot'].player} -- ls {shlex.quote(path)}"
    assert "Permission denied" in host.run(look).stderr


def test_generated_files_say_whose_they_are(host: Any) -> None:
    found = "find /etc/backstage /etc/nginx/backstage /etc/nginx/conf.d -type f -print0"
    told = house.lines(host, "sh", "-c", f"{found} | xargs -0 grep -L -i 'backstage'")
    assert told == []
    markers = house.lines(host, "sh", "-c", f"{found} | xargs -0 grep -L -e 'Managed by Backstage' -e managed_by")
    assert markers == []


@pytest.mark.parametrize("name", sorted(secrets()))
def test_a_secret_is_where_its_act_reads_it_and_nowhere_else(host: Any, name: str) -> None:
    """Not in a readable file, a log, an old release, a temporary file of Ansible (fault_53)."""
    places = "/etc /home /opt /root /run /srv /tmp /usr/local /var"
    found = host.run(f"grep -rlsF --devices=skip -e {shlex.quote(secrets()[name])} {places}").stdout.split()
    act, _word, kind = name.removeprefix("vault_").partition("_")
    playing = house.acts(host, PRODUCTION)[act]
    assert found == ([f"{playing.sess_root}/env/SECRET_KEY"] if kind == "secret_key" else [])


def test_no_secret_is_seen_in_the_process_list(host: Any) -> None:
    said = host.check_output("ps axeww") + host.check_output("runuser -u www-data -- ps axeww")
    assert [name for name, value in secrets().items() if value in said] == []
