# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role is told of its host, and what is refused before it changes anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.backstage.django.plugins.module_utils.host import (
    clusters,
    default_site,
    host_info,
    host_specs,
    listeners,
    nginx_dump,
    packages,
)
from ansible_collections.backstage.django.plugins.module_utils.host.clusters import Cluster
from ansible_collections.backstage.django.plugins.module_utils.host.nginx_dump import Dump
from ansible_collections.backstage.django.plugins.module_utils.host.system import System
from ansible_collections.backstage.django.plugins.modules import backstage_host_info

CONSTANTS, VENUES = "/etc/nginx/conf.d/backstage.conf", "/etc/nginx/backstage/venues"
LIMITS, MAIN = "/etc/nginx/modules-enabled/90-backstage.conf", "/etc/nginx/nginx.conf"
NGINX = {"port": 80, "ours": [CONSTANTS, LIMITS], "venues": VENUES, "facts": "/none.json"}
PRODUCER = {"listen": ["::"], "ours": [], "key": "/none"}
DEBIAN = System("debian", "13", "Debian GNU/Linux 13 (trixie)", True, True, 4096)
STRIKE = "Take these Productions down first (playbook backstage.django.strike)."


@pytest.fixture(autouse=True)
def _debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine runs."""
    monkeypatch.setattr(System, "read", lambda: DEBIAN)


def ask(**questions: Any) -> dict[str, Any]:
    """Ask as the module does, with its defaults."""
    checked = ArgumentSpecValidator(host_specs.info()).validate(questions)
    assert not checked.error_messages
    return host_info.read(checked.validated_parameters)


def nginx(monkeypatch: pytest.MonkeyPatch, dump: Dump, site: str = default_site.UNTOUCHED, holder: str = "") -> None:
    """A host whose nginx says so, and whose port is somebody's."""
    monkeypatch.setattr(nginx_dump.Dump, "read", lambda: dump)
    monkeypatch.setattr(default_site, "state", lambda: site)
    monkeypatch.setattr(listeners, "holder", lambda _sockets, _known: holder)


def test_nothing_is_read_that_was_not_asked_for() -> None:
    assert set(ask()) == {"system", "missing", "python_apt", "refusals"}


def test_the_module_documents_what_it_returns() -> None:
    returned = yaml.safe_load(backstage_host_info.RETURN)
    found = ask(
        service={"name": "nginx"}, record="/none", uv="/none", nginx=NGINX, postgresql=True, leaving=True,
        emperor={"vassals": "/none", "ini": "/none.ini"}, producer=PRODUCER,
    )  # fmt: skip
    assert set(returned) == set(found)
    for subject in ("system", "service", "emperor", "nginx", "postgresql", "producer"):
        assert set(returned[subject]["contains"]) == set(found[subject])


def test_powerdns_needs_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(producer=PRODUCER)["refusals"] == []
    monkeypatch.setattr(System, "read", lambda: replace(DEBIAN, systemd=False))
    assert "systemd is not PID 1 here" in ask(producer=PRODUCER)["refusals"][0]
    assert ask(producer=PRODUCER, leaving=True)["refusals"] == []


def test_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the only refusal: what else is wrong there does not matter."""
    fedora = System("fedora", "44", "Fedora Linux 44", True, True, 4096)
    monkeypatch.setattr(System, "read", lambda: fedora)
    found = ask(emperor={"vassals": "no path", "ini": ""})
    assert found["refusals"] == ["This host runs Fedora Linux 44; Backstage plays on Debian 12 and 13."]
    assert ask(leaving=True)["refusals"] == []


@pytest.mark.parametrize(
    ("missing", "apt"), [([], True), (["nginx"], True), (["python3-apt"], False), (["nginx", "python3-apt"], False)]
)
def test_whether_apt_works_in_check_mode(monkeypatch: pytest.MonkeyPatch, missing: list[str], apt: bool) -> None:
    monkeypatch.setattr(packages, "missing", lambda wanted: [name for name in wanted if name in missing])
    assert ask(packages=["nginx", "python3-apt"])["python_apt"] is apt


def test_the_emperors_directory(tmp_path: Path) -> None:
    question = {"vassals": str(tmp_path), "ini": "/none.ini"}
    (tmp_path / "shop.ini").touch()
    found = ask(emperor=question)
    assert found["emperor"] == {"playing": []}
    assert [str(tmp_path / "shop.ini") in line for line in found["refusals"]] == [True]
    assert ask(emperor=question, leaving=True)["refusals"] == []
    (tmp_path / "backstage.jazz.kittens.a.1.ini").symlink_to("/srv/backstage/jazz/acts/kittens/uwsgi.ini")
    assert ask(emperor=question, leaving=True)["refusals"] == [
        f"Still playing here: backstage.jazz.kittens.a.1.ini. {STRIKE}"
    ]


BROKEN = [
    # (the file with the mistake, whether it is refused, whether it is ours)
    ("/etc/nginx/sites-enabled/shop", True, False),
    (CONSTANTS, False, True),
    (LIMITS, False, True),
    (f"{VENUES}/jazz.a.conf", False, False),
]


@pytest.mark.parametrize(("path", "refused", "ours"), BROKEN)
def test_a_broken_configuration(monkeypatch: pytest.MonkeyPatch, path: str, refused: bool, ours: bool) -> None:
    """A stranger's mistake is refused before anything changes; our own is what this run mends."""
    fault = f"unexpected end of file in {path}:3"
    nginx(monkeypatch, Dump({}, fault))
    found = ask(nginx=NGINX)
    message = f"nginx's configuration was broken before this run: {fault}. Repair it first: nothing was changed."
    assert found["refusals"] == ([message] if refused else [])
    assert found["nginx"]["broken"] is ours


SERVERS = [
    # (the file with the default server, the package's own site, whether it is refused)
    (default_site.LINK, default_site.UNTOUCHED, False),
    (default_site.LINK, default_site.CHANGED, True),
    (CONSTANTS, default_site.NONE, False),
    ("/etc/nginx/sites-enabled/shop", default_site.NONE, True),
]


@pytest.mark.parametrize(("path", "site", "refused"), SERVERS)
def test_a_default_server_of_somebody_else(
    monkeypatch: pytest.MonkeyPatch, path: str, site: str, refused: bool
) -> None:
    """The package's own site will be taken out, ours is ours, and any other is named."""
    nginx(monkeypatch, Dump({path: "server { listen 80 default_server; }"}), site)
    assert [path in refusal for refusal in ask(nginx=NGINX)["refusals"]] == ([True] if refused else [])
    assert ask(nginx={**NGINX, "port": 8080})["refusals"] == []


def test_a_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    nginx(monkeypatch, Dump({}), holder="apache2 (process 4711)")
    found = ask(nginx=NGINX)
    assert found["nginx"]["taken_by"] == "apache2 (process 4711)"
    message = "Port 80 is taken by apache2 (process 4711). Stop it, or set front_of_house_http_port to another port."
    assert found["refusals"] == [message]
    nginx(monkeypatch, Dump({}), holder="nginx")
    assert (ask(nginx=NGINX)["nginx"]["taken_by"], ask(nginx=NGINX)["refusals"]) == ("", [])


ELSEWHERE = "front_of_house_https_port to another port, or to 0 where no Venue has TLS"


def test_the_port_for_tls_that_is_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by name, and not looked at where the role wants none."""
    nginx(monkeypatch, Dump({"/etc/nginx/sites-enabled/shop": "server { listen 443 ssl default_server; }"}))
    monkeypatch.setattr(listeners, "sockets", lambda port, _table: {str(port)})
    monkeypatch.setattr(listeners, "holder", lambda found, _ours: "haproxy (process 12)" if found == {"443"} else "")
    default, taken = ask(nginx={**NGINX, "tls_port": 443})["refusals"]
    assert default.startswith("/etc/nginx/sites-enabled/shop already declares a default server for port 443")
    assert taken == f"Port 443 is taken by haproxy (process 12). Stop it, or set {ELSEWHERE}."
    assert default.endswith(f"or set {ELSEWHERE}.")
    assert ask(nginx=NGINX)["refusals"] == []


LIMITED = [
    # (the files that nginx reads, whether somebody else limits files, who sets how many connections)
    ({}, False, {"path": MAIN, "number": 512}),
    ({MAIN: "events { worker_connections 768; }"}, False, {"path": MAIN, "number": 768}),
    ({LIMITS: "worker_rlimit_nofile 16384;"}, False, {"path": MAIN, "number": 512}),
    ({MAIN: "worker_rlimit_nofile 999;"}, True, {"path": MAIN, "number": 512}),
]


@pytest.mark.parametrize(("files", "limited", "connections"), LIMITED)
def test_what_others_say_already(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], limited: bool, connections: dict[str, Any]
) -> None:
    nginx(monkeypatch, Dump(files))
    found = ask(nginx=NGINX)["nginx"]
    assert (found["limits_files"], found["connections"]) == (limited, connections)


def test_venues_keep_the_front_of_house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nginx(monkeypatch, Dump({}, "broken"), holder="apache2 (process 4711)")
    question = {**NGINX, "venues": str(tmp_path)}
    assert ask(nginx=question, leaving=True)["refusals"] == []
    (tmp_path / "jazz.a.conf").touch()
    (tmp_path / "jazz.a.conf.new").touch()
    assert ask(nginx=question, leaving=True)["refusals"] == [f"Still booked here: jazz.a.conf. {STRIKE}"]


def test_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Acts are asked for by a role that leaves: they keep the note of where it answers."""
    monkeypatch.setattr(clusters, "find", lambda: (Cluster("15", "main", 5433, True), ["no cluster"]))
    monkeypatch.setattr(Cluster, "acts", lambda _self: ["jazz-kittens"])
    found = ask(postgresql=True)
    assert found["postgresql"] == {"version": "15", "name": "main", "port": 5433, "online": True, "acts": []}
    assert found["refusals"] == ["no cluster"]
    found = ask(postgresql=True, leaving=True)
    assert (found["postgresql"]["acts"], found["refusals"]) == (["jazz-kittens"], [])
