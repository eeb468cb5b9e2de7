# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of a host: each fact of an Act as a sample, in the text format of Prometheus."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates.pairs import Pairs
from ansible_collections.backstage.django.plugins.module_utils.host import layout
from ansible_collections.backstage.django.plugins.module_utils.manifest.jobs import Worker
from ansible_collections.backstage.django.plugins.module_utils.productions import metrics

from ...emperors import Emperor
from ...house import KITTENS, A, House, wanted

WANT = wanted(replace(KITTENS, workers=[Worker("queue", run="celery worker")]))
SINCE = 1767225601  # 2026-01-01T00:00:01Z


@pytest.fixture
def host(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(metrics, "ROOT", layout.ROOT)
    monkeypatch.setattr(metrics, "NGINX_LOGS", str(house.root / "log"))
    house.build(WANT.release, graph={"cats.0001_initial": [], "cats.0002_tail": []}, pinned=False)
    house.record(WANT)
    house.log({"event": "migrated", "release": A, "database": "", "applied": ["cats.0001_initial"]})
    sess = house.play(WANT)
    os.unlink(os.path.join(house.host.vassals, f"backstage.jazz.kittens.{sess}.crew.ini"))  # its workers do not run
    with Emperor(Path(house.host.vassals), Path(house.host.stats)):
        yield house


def samples(house: House) -> dict[str, str]:
    """Each line but comments: name with its labels -> value."""
    text = metrics.text(metrics.samples(house.host))
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)  # type: ignore[misc]


def test_an_act_that_plays(host: House) -> None:
    found = samples(host)
    act = 'production="jazz",act="kittens"'
    assert abs(int(found.pop("backstage_metrics_seconds")) - time.time()) < 600
    assert int(found.pop(f"backstage_act_memory_bytes{{{act}}}")) >= 0
    assert int(found.pop(f"backstage_act_processes{{{act}}}")) >= 0
    about = f'release="{WANT.release}",source="v1",sess="{WANT.release}.1",by="ada"'
    assert found == {
        "backstage_emperor_up": "1",
        f"backstage_act_playing{{{act}}}": "1",
        f"backstage_act_held{{{act}}}": "0",
        f"backstage_act_stopped{{{act}}}": "0",
        f"backstage_act_info{{{act},{about}}}": "1",
        f"backstage_act_since_seconds{{{act}}}": str(SINCE),
        f"backstage_act_respawns{{{act}}}": "0",
        f"backstage_act_pinned{{{act}}}": "0",
        f"backstage_act_pending_migrations{{{act}}}": "1",
        f'backstage_worker_working{{{act},worker="queue"}}': "0",
        f'backstage_worker_restarts{{{act},worker="queue"}}': "0",
    }


def test_an_act_in_trouble(host: House) -> None:
    paths = host.act()
    Path(paths.hold).write_text(json.dumps({"release": A}))
    Path(paths.log).parent.mkdir(parents=True, exist_ok=True)
    Path(paths.log).write_text("2026-01-01T00:00:02+0000 Traceback (most recent call last):\n  x\nKeyError: 'x'\n")
    said = Path(paths.sess(f"{WANT.release}.1").crew, "said")
    (said / "queue.json").write_text(json.dumps({"restarts": 7}))
    os.makedirs(os.path.join(paths.timers, "said"))
    Path(paths.timers, "nightly.json").write_text("{}")
    ended = {"ended": {"at": "2026-01-01T01:00:01+0100", "status": 1}}
    Path(paths.timers, "said", "nightly.json").write_text(json.dumps(ended))
    os.unlink(os.path.join(host.host.vassals, f"backstage.jazz.kittens.{WANT.release}.1.ini"))
    time.sleep(0.1)
    found = samples(host)
    act = 'production="jazz",act="kittens"'
    assert found[f"backstage_act_held{{{act}}}"] == "1"
    assert found[f"backstage_act_playing{{{act}}}"] == "0"
    assert found[f"backstage_act_last_error_seconds{{{act}}}"] == str(SINCE + 1)
    assert found[f'backstage_worker_restarts{{{act},worker="queue"}}'] == "7"
    assert found[f'backstage_timer_last_status{{{act},timer="nightly"}}'] == "1"
    assert found[f'backstage_timer_last_end_seconds{{{act},timer="nightly"}}'] == str(SINCE)


def test_venues_and_certificates(host: House) -> None:
    at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    for name, status in (("jazz.a.example", 200), ("jazz._kittens", 502), ("jazzy.b.example", 200)):
        line = f'::1 - - [{at}] "GET / HTTP/1.1" {status} 1 "-" "x"\n'
        (host.root / "log" / f"backstage.{name}.log").write_text(line)
    Pairs.of(host.host, "jazz", "a.example").make_selfsigned(["a.example"])
    Pairs.of(host.host, "jazzy", "b.example").make_selfsigned(["b.example"])
    found = samples(host)
    venues = {name: value for name, value in found.items() if "venue=" in name}
    ends = int(venues.pop('backstage_certificate_end_seconds{production="jazz",venue="a.example"}'))
    assert abs(ends - time.time() - 3650 * 86400) < 600
    assert venues == {
        'backstage_venue_requests{production="jazz",venue="a.example"}': "1",
        'backstage_venue_requests{production="jazz",venue="_kittens"}': "1",
        'backstage_venue_errors{production="jazz",venue="a.example"}': "0",
        'backstage_venue_errors{production="jazz",venue="_kittens"}': "1",
    }


def test_a_sess_whose_stage_kind_is_unknown(host: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A later Backstage made it. What does not need the kind is told, and one line says what is missing."""
    known = samples(host)
    record = Path(host.act().sess(f"{WANT.release}.1").record)
    record.write_text(json.dumps({**json.loads(record.read_text()), "stage": "of-tomorrow"}))
    found = samples(host)
    assert capsys.readouterr().err.splitlines() == [
        "backstage-metrics: jazz/kittens: this Backstage has no Stage kind 'of-tomorrow': update the collection"
    ]
    missing = {f"backstage_act_{name}" for name in ("playing", "processes", "memory_bytes")}
    assert {name.partition("{")[0] for name in known.keys() - found.keys()} == missing


def test_samples_of_one_metric_stand_together_below_what_they_tell(host: House) -> None:
    host.build(A, "dogs")
    host.record(wanted(replace(KITTENS, name="dogs"), release=A))
    lines = metrics.text(metrics.samples(host.host)).splitlines()
    place = lines.index("# TYPE backstage_act_playing gauge")
    assert lines[place - 1].startswith("# HELP backstage_act_playing ")
    assert [line.partition("{")[0] for line in lines[place + 1 : place + 4]] == [
        "backstage_act_playing",
        "backstage_act_playing",
        "# HELP backstage_act_info What plays; always 1.",
    ]
    named = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(named) == len({*named})
    assert {*named} <= {*metrics.HELP}


def test_labels_are_escaped() -> None:
    """The name of a source is what people chose."""
    text = metrics.text(iter([("backstage_act_info", {"source": 'a"b\\c\nd'}, 1)]))
    assert text.splitlines()[2] == r'backstage_act_info{source="a\"b\\c\nd"} 1'


def test_it_changes_nothing(host: House) -> None:
    before = host.seen()
    samples(host)
    assert host.seen() == before
