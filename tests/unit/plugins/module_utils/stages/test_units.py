# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sess as a socket and a service: its text, as systemd itself reads it, and its life with a real gunicorn."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.acts import drift
from ansible_collections.backstage.django.plugins.module_utils.host import files, names
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest import stage_kinds
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Worker
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Health, Limits, Manifest, Sess
from ansible_collections.backstage.django.plugins.module_utils.stages import kinds, wants
from ansible_collections.backstage.django.plugins.module_utils.stages import manager as sesses
from ansible_collections.backstage.django.plugins.module_utils.stages.interface import Look, Part

from ...house import KITTENS, A, B, House, wanted
from ...systemds import Systemd
from .test_http_servers import PROJECT
from .wishes import carry_out, fails, fronted, on_the_host

SESS = f"{A}.2"
UNIT = f"backstage.jazz.kittens.{SESS}"
PART = Part(
    release=A,
    project=f"/srv/backstage/jazz/acts/kittens/releases/{A}/code/site",
    environment="/srv/backstage/jazz/environments/" + "e" * 16,
    variables={"KEY": "purrpurr", "EVIL": "$(id) %h\nUser=root"},
    secrets=frozenset({"KEY"}),
    processes=3,
    threads=4,
    timeout=60,
    limits=Limits(memory="512M", cpu="50%", tasks=100),
    stage="gunicorn",
)


def texts(house: House, part: Part) -> dict[str, str]:
    found = kinds.of(part.stage, house.host, house.act()).files(part, SESS)
    return {name.rpartition(".")[2]: file.text for name, file in found.items() if file}


def options(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _equals, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_units(house: House) -> None:
    found = texts(house, PART)
    service, door = options(found["service"]), options(found["socket"])
    own = house.act().sess(SESS)
    assert door["ListenStream"] == [own.door + "/h"]
    assert (door["SocketUser"], door["SocketGroup"], door["SocketMode"]) == (["root"], ["www-data"], ["0660"])
    assert (service["Type"], service["User"], service["Group"]) == (["notify"], ["jazz-kittens"], ["jazz-kittens"])
    assert service["StandardOutput"] == ["append:" + house.act().log]
    assert service["TimeoutStopSec"] == ["70"]
    assert (service["MemoryMax"], service["CPUQuota"], service["TasksMax"]) == ([str(512 << 20)], ["50%"], ["100"])
    assert service["BindPaths"] == [f"{house.act().media} {house.act().data}"]
    assert "purrpurr" not in "".join(found.values())
    assert "EVIL" not in "".join(found.values())


SYNC = "--worker-class sync"
GTHREAD = "--worker-class gthread --threads 4 --worker-connections 4"
GEVENT = "--worker-class gevent --worker-connections 100"
COMMANDS = [
    ("gunicorn", "", GTHREAD, "wsgi"),
    ("gunicorn", "gthread", GTHREAD, "wsgi"),
    ("gunicorn", "sync", SYNC, "wsgi"),
    ("gunicorn", "gevent", GEVENT, "wsgi"),
    ("asgi", "", "--worker-class backstage_uvicorn.Worker", "asgi"),
]


@pytest.mark.parametrize(("stage", "worker_class", "worker", "interface"), COMMANDS)
def test_the_command(house: House, stage: str, worker_class: str, worker: str, interface: str) -> None:
    part = replace(PART, stage=stage, worker_class=worker_class)
    wrapper = house.host.wrapper
    assert options(texts(house, part)["service"])["ExecStart"] == [
        f"/usr/bin/python3 -IS {wrapper}/backstage_env.py {house.act().sess(SESS).env} {PART.environment}/bin/python"
        f" -m gunicorn --config {wrapper}/gunicorn.conf.py --pythonpath {wrapper} --name jazz/kittens/{SESS}"
        f" --workers 3 --timeout 60 --graceful-timeout 65 {worker} backstage_http:{interface}()"
    ]


@pytest.mark.parametrize("project", ["/srv/a b", "/srv/%h", "/srv/$HOME", "/srv/x\nUser=root", '/srv/"'])
def test_no_value_breaks_out_of_a_unit(house: House, project: str) -> None:
    with pytest.raises(BackstageError, match="can't be written into a unit of systemd"):
        texts(house, replace(PART, project=project))


def written(house: House, part: Part = PART) -> list[str]:
    """The units as files, for systemd's own tools."""
    paths = []
    for ending, text in texts(house, part).items():
        path = house.root / f"{UNIT}.{ending}"
        path.write_text(text)
        paths.append(str(path))
    return paths


def test_systemd_has_nothing_to_say_about_the_units(house: House) -> None:
    """It warns of each line that it does not know, and of each value that it can't read."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *written(house)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if UNIT in line] == []


def test_the_service_is_hardened(house: House) -> None:
    service = next(path for path in written(house) if path.endswith(".service"))
    argv = ["systemd-analyze", "security", "--offline=true", "--no-pager", service]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found.group(1)) <= 2.0


ACT = replace(KITTENS, secrets={"KEY": "purrpurr"}, timeout=5, health=Health(timeout=20))


def built(house: House, release: str, stage: str = "gunicorn", **files_: str) -> None:
    """A sealed release with a Django project, for a Stage kind."""
    server = stage_kinds.server(stage)
    inputs = {"server": server} if server else {}
    application = f"band.{stage_kinds.KINDS[stage].interface}:application"
    house.build(release, settings="band.settings", application=application, inputs=inputs)
    for name, text in {**PROJECT, **files_}.items():
        path = Path(house.act().release(release).code, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def want(release: str = A, **more: Any) -> sesses.Want:
    act = replace(ACT, settings="band.settings")
    return sesses.Want(Sess("kittens", stage="gunicorn", **more), wanted(act, play=release))


def test_an_earlier_release_of_this_kind_neither_sleeps_nor_stands_by(house: House) -> None:
    """The manifest says so of uWSGI, for which it was not built."""
    built(house, A)
    sess = Sess("kittens", state="asleep", standby=15)
    part = wants.part(sesses.Want(sess, wanted(ACT, play=A)), house.state(), house.host)
    assert part
    assert (part.stage, part.idle, part.standby) == ("gunicorn", 0, 0)


def test_a_switch(crewed: House, systemd: Systemd) -> None:
    for release in (A, B):
        built(crewed, release)
    assert carry_out(crewed, want()) == []
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    stage = kinds.of("gunicorn", crewed.host, crewed.act())
    look = Look(crewed.host)
    assert (stage.is_playing(f"{A}.1", look), stage.is_playing(f"{A}.2", look)) == (True, False)
    assert stage.remembered() == [f"{A}.1"]
    assert sesses.plan(want(), crewed.state(), crewed.host, print, fronted()) == []

    assert carry_out(crewed, want(B)) == []
    assert on_the_host(crewed) == (f"{B}.1", [f"{B}.1"], [f"{B}.1"])
    assert [*systemd.services] == [names.unit(crewed.production, "kittens", f"{B}.1")]
    assert not Path(crewed.act().sess(f"{A}.1").root).exists()
    assert sorted(os.listdir(crewed.host.units)) == sorted(
        [*(os.path.basename(path) for path in stage.links(f"{B}.1") if "wants" not in path), *WANTS]
    )

    sesses.stop_all(crewed.state(), crewed.host, print)
    assert (on_the_host(crewed), systemd.services) == ((None, [], []), {})


WANTS = ["multi-user.target.wants", "sockets.target.wants"]


def test_an_import_error_is_known_at_once(crewed: House, systemd: Systemd) -> None:
    built(crewed, A)
    carry_out(crewed, want())
    built(crewed, B, **{"band/urls.py": "import brass\n"})
    error = fails(crewed, want(B))
    assert "brass" in error.message
    assert "ModuleNotFoundError: No module named 'brass'" in error.log
    assert on_the_host(crewed) == (f"{A}.1", [f"{A}.1"], [f"{A}.1"])
    assert len(systemd.services) == 1


def test_an_import_that_hangs_is_killed(crewed: House, systemd: Systemd) -> None:
    hangs = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n"
    built(crewed, A, **{"band/settings.py": hangs})
    wish = want()
    short = replace(wish, act=replace(wish.act, act=replace(wish.act.act, health=Health(timeout=2))))
    error = fails(crewed, short)
    assert error.message.startswith("the Sess was not ready within 2 s: raise health.timeout")
    assert (on_the_host(crewed), systemd.services) == ((None, [], []), {})


def test_a_killed_server_is_a_dark_sess(crewed: House, systemd: Systemd) -> None:
    built(crewed, A)
    carry_out(crewed, want())
    (service,) = systemd.services.values()
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    stage = kinds.of("gunicorn", crewed.host, crewed.act())
    assert stage.is_playing(f"{A}.1", Look(crewed.host)) is False


def test_a_link_that_is_missing_is_mended(crewed: House, systemd: Systemd) -> None:
    """Also one of those by which only a boot starts the Sess."""
    built(crewed, A)
    carry_out(crewed, want())
    stage = kinds.of("gunicorn", crewed.host, crewed.act())
    for path in stage.links(f"{A}.1"):
        live = crewed.state().live or ""
        files.remove(path.replace(f"{A}.1", live))
        (change,) = sesses.plan(want(), crewed.state(), crewed.host, print, fronted())
        assert change.step.after == {"release": A, "because": ["it is not started"]}
        assert change.make
        change.make()
    assert len(systemd.services) == 1


def test_a_unit_that_others_may_write_is_drift(crewed: House, systemd: Systemd) -> None:
    built(crewed, A)
    carry_out(crewed, want())
    path = Path(crewed.act().sess(f"{A}.1").root, f"{names.unit(crewed.production, 'kittens', f'{A}.1')}.service")
    assert (os.lstat(path).st_mode & 0o777, len(systemd.services)) == (0o644, 1)
    path.chmod(0o666)
    found = [one.line() for one, _place in drift.of_places(crewed.state())]
    assert any(line.startswith(f"drift: act kittens: {path}: 0666 root:root, not 0644 root:root") for line in found)


def test_an_earlier_release_plays_by_the_kind_that_it_was_built_for(crewed: House, systemd: Systemd) -> None:
    """A rollback to it, or a hold, must not end in an environment that lacks the server."""
    built(crewed, A)
    carry_out(crewed, want())
    warnings: list[str] = []
    wish = replace(want(), sess=Sess("kittens", stage="uwsgi"))
    assert sesses.plan(wish, crewed.state(), crewed.host, warnings.append, fronted()) == []
    assert warnings == [f"act kittens: release {A} was built for stage 'gunicorn', and plays by it"]


def test_another_worker_class_is_another_sess(crewed: House, systemd: Systemd) -> None:
    built(crewed, A)
    carry_out(crewed, want())
    assert carry_out(crewed, want(worker_class="sync")) == []
    assert crewed.state().live_record["worker_class"] == "sync"
    (change,) = sesses.plan(want(threads=3), crewed.state(), crewed.host, print, fronted())
    because = ["worker_class: sync -> gthread", "threads: 1 -> 3"]
    assert change.step.after == {"release": A, "because": because}
    assert sesses.plan(want(worker_class="sync", threads=3), crewed.state(), crewed.host, print, fronted()) == []


def test_workers_beside_a_service_have_its_limits(crewed: House, systemd: Systemd) -> None:
    """They are a vassal of the emperor, which reads a file; the service has lines."""
    part = replace(PART, workers=(Worker("work", "work"),))
    stage = kinds.of("gunicorn", crewed.host, crewed.act())
    assert stage.files(PART, SESS)["limits.json"] is None
    found = stage.files(part, SESS)["limits.json"]
    assert found
    assert json.loads(found.text).keys() == {"scope", "uid", "memory", "cpu", "tasks"}
    assert stage.files(replace(part, limits=Limits()), SESS)["limits.json"] is None


def test_a_host_that_a_role_of_today_has_not_prepared(crewed: House, systemd: Systemd) -> None:
    manifest = Manifest(crewed.production, sesses={"kittens": Sess("kittens", stage="asgi")})
    assert kinds.refusals(manifest, crewed.host) == {}
    os.remove(os.path.join(crewed.host.wrapper, "backstage_env.py"))
    (error,) = list(kinds.refusals(manifest, crewed.host).values())
    assert error.message.startswith("this host's stage is of an earlier Backstage (")
    assert kinds.refusals(manifest, replace(crewed.host, has_stage=False)) == {}


def test_units_whose_directory_is_gone(crewed: House, systemd: Systemd) -> None:
    """Nothing but their symlinks says that they run; a run ends them, and plays another Sess."""
    built(crewed, A)
    carry_out(crewed, want())
    shutil.rmtree(crewed.act().sess(f"{A}.1").root)
    carry_out(crewed, want())
    assert on_the_host(crewed) == (f"{A}.2", [f"{A}.2"], [f"{A}.2"])
    assert [*systemd.services] == [names.unit(crewed.production, "kittens", f"{A}.2")]


def test_a_host_without_systemd(crewed: House, systemd: Systemd) -> None:
    shutil.rmtree(crewed.root / "run")
    built(crewed, A)
    said = "stage 'gunicorn' needs systemd, which is not PID 1 of this host: use stage 'uwsgi'"
    manifest = Manifest(crewed.production, sesses={"kittens": Sess("kittens", stage="gunicorn")})
    assert {name: error.message for name, error in kinds.refusals(manifest, crewed.host).items()} == {"kittens": said}
    assert fails(crewed, want()).message == said
    assert (on_the_host(crewed), systemd.calls) == ((None, [], []), [])
