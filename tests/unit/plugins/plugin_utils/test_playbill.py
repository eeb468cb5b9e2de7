# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal prints: YAML that is the manifest, with a reason for every line."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from ansible.template import trust_as_template
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest
from ansible_collections.backstage.django.plugins.plugin_utils import playbill

CONTENT = 'import os\n\nfrom kittens.settings import *\n\n# it was needed: "so"\nDEBUG = False\n'
ACT = {
    "writable": ["db.sqlite3", "logs/"],
    "health": {"path": "/admin/"},
    "secrets": {"SECRET_KEY": "{{ vault_kittens_secret_key }}"},
    "files": [{"path": "kittens/stage.py", "content": CONTENT}],
    "source": {"path": "/home/ada/it's: mine"},
    "settings": "kittens.stage",
    "name": "kittens",
    "env": {"DEBUG": "0", "THEME": "yes", "TEXT": "a\nb"},
    "timeout": 30,
}
FOUND: dict[str, Any] = {
    "plays": True,
    "act": ACT,
    "because": {"writable": ["the database\ncan't be written: name it"], "health": ["nothing at /"]},
    "lacking": [],
    "found": {"settings": "kittens.settings", "requirements": ["requirements.txt"], "manage": "manage.py"},
    "tried": [],
    "missing": [],
    "error": "",
    "step": "",
    "log": "",
    "applied": ["a.0001", "a.0002"],
    "pending": [],
    "unwritten": [],
    "warnings_of_django": [],
    "plan": [],
}
OPTIONS: dict[str, Any] = {
    "path": "/home/ada/it's: mine",
    "venues": [{"name": "kittens.example.com"}],
    "gigs": [{"act": "kittens", "venue": "kittens.example.com"}],
}


def told(exact: bool = False, **more: Any) -> dict[str, Any]:
    options = {"path": None} if exact else OPTIONS
    return playbill.told({**copy.deepcopy(FOUND), **more}, options, "web1")


def block(text: str) -> str:
    """The YAML of a text, as somebody would copy it."""
    lines = text.splitlines()
    start = lines.index("backstage_acts:")
    end = next(n for n, line in enumerate(lines[start:], start) if line and line[0] not in " b")
    return "\n".join(lines[start:end])


def test_what_is_printed_is_the_manifest() -> None:
    found = told()
    assert yaml.safe_load(block(found["stdout"])) == found["manifest"]
    assert found["manifest"] == {
        "backstage_acts": [ACT],
        "backstage_venues": OPTIONS["venues"],
        "backstage_gigs": OPTIONS["gigs"],
    }
    variables = {name.removeprefix("backstage_"): value for name, value in found["manifest"].items()}
    variables["acts"][0]["secrets"]["SECRET_KEY"] = "purr-purr-purr"
    assert manifest.parse({"production": "cats", **variables}).acts["kittens"].timeout == 30


def test_every_reason_is_one_line_above_its_own() -> None:
    lines = told()["stdout_lines"]
    at = lines.index("    writable: [db.sqlite3, logs/]")
    assert lines[at - 1] == "    # the database can't be written: name it"
    assert lines[lines.index("    health: {path: /admin/}") - 1] == "    # nothing at /"
    assert "    # found, and needs no line: requirements: [requirements.txt], manage: manage.py" in lines
    assert lines.index("  - name: kittens") < lines.index("    settings: kittens.stage") < at
    assert '          # it was needed: "so"' in lines


def test_an_act_that_plays() -> None:
    text = told()["stdout"]
    first = "Rehearsal of kittens (/home/ada/it's: mine) on web1: it plays. It was asked for /admin/ at its own door.\n"
    assert text.startswith(first)
    assert "2 migrations were applied to an empty database of the rehearsal's own." in text
    assert text.endswith("its packages are left on web1, for the next one; -e keep=false leaves nothing.")
    nothing = playbill.told(copy.deepcopy(FOUND), {**OPTIONS, "keep": False}, "web1")["stdout"]
    assert nothing.endswith("\n\nNothing of this rehearsal is left on web1.")
    assert "in vain" not in text
    assert "\nTried, in vain:\n  - DEBUG = False: no\n" in told(tried=["DEBUG = False: no"])["stdout"]
    assert "What is missing" not in text
    assert "pending" not in text


def test_an_act_that_does_not_play_yet() -> None:
    text = told(plays=False, error="the module 'x' is missing", step="check", log="Traceback\nEnd", missing=["add x"])[
        "stdout"
    ]
    assert (
        "on web1: it does not play yet. check: the module 'x' is missing\n\n--- end of the log ---\nTraceback\nEnd\n"
        in text
    )
    assert "\nWhat is missing:\n  - add x\n" in text
    assert "migrations" not in text


PLAN = [
    {"noun": "act", "name": "kittens", "verb": "build", "before": "0" * 12, "after": "1" * 12},
    {"noun": "act", "name": "kittens", "verb": "migrate", "before": None, "after": "1" * 12},
    {"noun": "act", "name": "kittens", "verb": "change", "before": {"a": 1}, "after": {"a": 2}},
    {
        "noun": "sess",
        "name": "kittens",
        "verb": "play",
        "before": None,
        "after": {"release": "1" * 12, "because": ["release"]},
    },
    {"noun": "sess", "name": "kittens", "verb": "sweep", "before": "x", "after": None},
]


def test_warnings_that_are_many_of_a_kind() -> None:
    """Dozens of one kind would hide the few that matter."""
    many = [f"schema.W001: the view {number}" for number in range(5)]
    lines = told(warnings_of_django=[*many, "security.W004: x", "no identifier"])["stdout_lines"]
    assert lines[lines.index("Django's check --deploy says:") + 1 :][:6] == [
        *(f"  - {line}" for line in many[:2]),
        "  - schema.W001: 3 more",
        "  - security.W004: x",
        "  - no identifier",
        "",
    ]


def test_the_manifests_own_act() -> None:
    """No line is printed where none is lacking, and the plan of a deploy is."""
    found = told(exact=True, plan=PLAN, pending=["a.0003"], unwritten=["cats"], warnings_of_django=["security.W004: x"])
    text = found["stdout"]
    assert text.startswith("Rehearsal of kittens on web1: it plays. It was asked for /admin/")
    assert "backstage_acts" not in text
    # its settings are a line of the manifest, which is needed
    assert "\nfound, and needs no line: requirements: [requirements.txt], manage: manage.py\n" in text
    assert "\nA deploy would:\n" in text
    steps = [line for line in found["stdout_lines"] if line.startswith("  - ")]
    assert steps == [
        f"  - build act kittens: {'0' * 12} -> {'1' * 12}",
        f"  - migrate act kittens: {'1' * 12}",
        "  - change act kittens",
        f"  - play sess kittens: release {'1' * 12} (release)",
        "  - sweep sess kittens",
        "  - a.0003",
        "  - security.W004: x",
    ]
    assert "Models of cats have changes that no migration has: run makemigrations." in text


def test_nothing_to_do() -> None:
    text = told(exact=True)["stdout"]
    assert "\nA deploy would change nothing.\n" in text
    assert "\nNo migration is pending.\n" in text


def test_what_the_manifest_lacks() -> None:
    found = told(exact=True, lacking=["writable", "health"])
    assert "it plays with lines that the manifest lacks" in found["stdout"]
    assert yaml.safe_load(block(found["stdout"])) == found["manifest"]
    assert found["manifest"] == {
        "backstage_acts": [{key: ACT[key] for key in ("name", "writable", "health")}],
    }


@pytest.mark.parametrize(
    "value", ["", "null", "1.10", "- a", "#", "a: b", "{{ vault_x }}", "\u00e9\U0001f3b7", " x", "@"]
)
def test_texts_stay_texts(value: str) -> None:
    found = told(act={"name": "kittens", "env": {"A": value}, "chdir": value})
    assert yaml.safe_load(block(found["stdout"]))["backstage_acts"] == found["manifest"]["backstage_acts"]


def test_texts_that_came_by_a_template() -> None:
    """Such as `-e venue=`: Ansible's are of a class of its own."""
    venue = trust_as_template("kittens.example.com")
    found = playbill.told(copy.deepcopy(FOUND), {**OPTIONS, "venues": [{"name": venue}]}, "web1")
    assert yaml.safe_load(block(found["stdout"]))["backstage_venues"] == OPTIONS["venues"]


def test_the_sess_that_a_project_needs() -> None:
    sess = {"act": "kittens", "stage": "asgi", "processes": 1}
    found = told(sess=sess, sess_because=["it answers WebSockets"], notes=["daphne is not used"])
    assert found["manifest"]["backstage_sesses"] == [sess]
    assert yaml.safe_load(block(found["stdout"])) == found["manifest"]
    lines = found["stdout_lines"]
    at = lines.index("backstage_sesses:")
    assert lines[at - 1] == "    # daphne is not used"
    assert lines[at + 1 : at + 3] == ["    # it answers WebSockets", "  - {act: kittens, processes: 1, stage: asgi}"]
