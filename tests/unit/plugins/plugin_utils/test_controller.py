# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's half: what is read, resolved and shipped, against a module whose answers are told one by one."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Manifest, Sess
from ansible_collections.backstage.django.plugins.module_utils.manifest.problems import Problems
from ansible_collections.backstage.django.plugins.plugin_utils import controller

from ..manifests import VENUE, Item, act, git
from ..repositories import commit, repository
from ..repositories import git as run_git
from ..told import told


class Action:
    """As much of an action plugin as the controller's half uses: its module gives these answers in turn."""

    def __init__(self, *answers: Item, check_mode: bool = False) -> None:
        self.answers = list(answers)
        self.asked: list[Item] = []
        self.sent: dict[str, bytes] = {}
        self._task = SimpleNamespace(check_mode=check_mode)
        self._connection = SimpleNamespace(
            _shell=SimpleNamespace(tmpdir=None, join_path=lambda *parts: "/".join(parts))
        )

    def _execute_module(self, module_args: Item, task_vars: Item) -> Item:
        self.asked.append(copy.deepcopy(module_args))
        return self.answers.pop(0)

    def _make_tmp_path(self) -> None:
        self._connection._shell.tmpdir = "/remote/tmp"

    def _transfer_file(self, local: str, remote: str) -> None:
        self.sent[remote] = Path(local).read_bytes()


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    root = tmp_path / "inventory"
    commit(repository(root / "repository"), a__py="one")
    (root / "kittens").mkdir()
    (root / "kittens" / "manage.py").write_text("")
    (root / "local.py").write_text("DEBUG = False\n")
    return root


def variables(inventory: Path, host: str = "one", **groups: list[str]) -> Item:
    given = {"all": ["one", "two"], "backstage_stage": ["one"], **groups}
    return {"inventory_dir": str(inventory), "inventory_hostname": host, "groups": given}


def problems_of(function: Any, *args: Any) -> str:
    """What the call finds wrong."""
    problems = Problems()
    function(*args, problems)
    return "\n".join(problems.lines)


def run(action: Any, inventory: Path, host: str = "one", **options: Any) -> Item:
    """A run of backstage_production for kittens, played at its Venue."""
    playing = {"venues": [{"name": VENUE}], "gigs": [{"act": "kittens", "venue": VENUE}]}
    given = {"production": "jazz", "acts": [act()], **playing, **options}
    return controller.run(action, given, variables(inventory, host))


def test_nothing_is_shipped_to_a_host_that_has_it(inventory: Path) -> None:
    action = Action({"changed": False})
    assert run(action, inventory) == {"changed": False}
    (asked,) = action.asked
    assert (asked["elsewhere"], asked["shipped"], action.sent) == ([], {}, {})
    assert asked["resolved"]["kittens"]["label"] == "kittens"


def test_a_host_hears_that_the_manifest_was_checked(inventory: Path) -> None:
    action = Action({"changed": False})
    run(action, inventory, checked=False)
    assert action.asked[0]["checked"] is True
    said = told(run, action, inventory, checked=True, gigs=[{"act": "dogs", "venue": VENUE}])
    assert "no Act of this Production; known: kittens" in said


def test_no_host_hears_of_a_key_or_a_password(inventory: Path) -> None:
    """In the Act, and in what is laid under every Act; the single-noun module, too."""
    (inventory / "key").write_text("a private key")
    private = {"git": "./repository", "version": "main", "key": "key"}
    token = {"git": "https://x/y.git", "version": "0" * 40, "username": "ada", "password": "s3cret-token"}
    for source in (private, token):
        action = Action({"missing": [], "changed": False}, {"changed": False})
        run(action, inventory, acts=[act(source=source)], act_defaults={"source": token})
        options = {"production": "jazz", "name": "kittens", "source": source, "state": None}
        controller.run_act(action, options, variables(inventory))
        for asked in action.asked:
            for word in ("s3cret-token", "username", "password", "'key'"):
                assert word not in str(asked)


def test_names_need_addresses_before_any_host_is_touched(inventory: Path) -> None:
    """Only where there is DNS; a rollback moves no name."""
    action = Action(*[{"changed": False}] * 3)
    playing = {"acts": [act()], "venues": [{"name": VENUE}], "gigs": [{"act": "kittens", "venue": VENUE}]}
    with_dns = {
        **variables(inventory, backstage_producer=["two"]),
        "backstage_dns": {"zones": ["example.com"]},
        "hostvars": {"one": {}},
    }
    said = told(controller.run, action, {"production": "jazz", **playing}, with_dns)
    assert said.startswith("backstage_public_address of one: is missing")
    assert action.asked == []
    controller.run(action, {"production": "jazz", **playing, "rollback": "kittens"}, with_dns)
    with_dns["hostvars"] = {"one": {"backstage_public_address": "192.0.2.1"}}
    controller.run(action, {"production": "jazz", **playing}, with_dns)
    run(action, inventory)
    assert len(action.asked) == 3


def test_what_can_not_be_fetched_keeps_no_other_act_waiting(inventory: Path) -> None:
    lost = act(name="lost", source={"git": "./repository", "version": "0" * 40})
    more = {"gigs": [{"act": "kittens", "venue": VENUE}], "sesses": [{"act": "lost", "state": "stopped"}]}
    action = Action({"missing": ["lost", "kittens"], "changed": False}, {"changed": True})
    run(action, inventory, acts=[act(), lost], **more)
    asked = action.asked[1]
    assert list(asked["shipped"]) == ["kittens"]
    assert asked["unavailable"]["lost"].startswith(f"{inventory}/repository has no commit {'0' * 40} (")


def test_what_a_host_lacks_is_shipped_and_asked_again(inventory: Path) -> None:
    action = Action({"missing": ["kittens"], "changed": False}, {"changed": True})
    assert run(action, inventory) == {"changed": True}
    shipped = action.asked[1]["shipped"]["kittens"]
    assert shipped["path"] == "/remote/tmp/" + shipped["sha256"]
    assert hashlib.sha256(action.sent[shipped["path"]]).hexdigest() == shipped["sha256"]
    assert action.asked[0]["resolved"] == action.asked[1]["resolved"]


def test_what_both_calls_say_is_said_once(inventory: Path) -> None:
    action = Action({"missing": ["kittens"], "warnings": ["waited", "held"]}, {"changed": True, "warnings": ["held"]})
    assert run(action, inventory, acts=[act()])["warnings"] == ["waited", "held"]


def test_a_host_that_lacks_more_when_it_is_asked_again_did_nothing(inventory: Path) -> None:
    """Another run was there in between: that is no success."""
    action = Action({"missing": ["kittens"], "changed": False}, {"missing": ["dogs"], "changed": False})
    found = run(action, inventory)
    assert found["failed"]
    assert found["msg"] == "source: another run took the releases of dogs off this host meanwhile; run again"


@pytest.mark.parametrize(
    ("answer", "check_mode"),
    [({"missing": ["kittens"]}, True), ({"missing": ["kittens"], "failed": True}, False), ({"missing": []}, False)],
)
def test_nothing_is_shipped_in_check_mode_or_after_a_failure(inventory: Path, answer: Item, check_mode: bool) -> None:
    action = Action(answer, check_mode=check_mode)
    run(action, inventory)
    assert (len(action.asked), action.sent) == (1, {})


def test_everything_is_checked_before_a_host_is_asked(inventory: Path) -> None:
    action = Action()
    refusals = [
        told(run, action, inventory, production="WWW"),
        told(run, action, inventory, acts=[act(source={"path": "dogs"})]),
        told(run, action, inventory, acts=[act(source=git(git="./nowhere"))]),
        told(run, action, inventory, acts=[act(files=[{"path": "a", "src": "missing.py"}])]),
        told(run, action, inventory, sesses=[{"act": "kittens", "hosts": "nowhere"}]),
        told(run, action, inventory, sauce=1),
        told(run, action, inventory, through="encore"),
    ]
    assert [bool(line) for line in refusals] == [True] * 7
    assert action.asked == []


def test_everything_wrong_is_said_in_one_round(inventory: Path) -> None:
    """Shapes, values, what does not fit together, files of the controller, hosts, and names of variables."""
    acts = [act(timeout="long"), act(name="dogs", timeout=0, files=[{"path": "a", "src": "missing.py"}])]
    sesses = [{"act": "dogs", "hosts": "nowhere"}]
    given = {"production": "jazz", "acts": acts, "sesses": sesses, "only": ["cats"]}
    said = told(controller.run, Action(), given, {**variables(inventory), "backstage_actz": []})
    parts = [
        "backstage_actz: no variable of Backstage; did you mean backstage_acts?",
        "backstage_acts[dogs].files[a].src: ",
        "backstage_acts[kittens].timeout: 'long'",
        "backstage_acts[dogs].timeout: 0",
        "only: 'cats': no Act",
        "backstage_sesses[dogs].hosts: 'nowhere'",
    ]
    assert [line for line, part in zip(said.splitlines(), parts) if not line.startswith(part)] == []
    assert len(said.splitlines()) == len(parts)


WRITTEN: list[tuple[Item, str]] = [
    ({"acts": "kittens"}, "backstage_acts: 'kittens': is no list; begin every item with a hyphen"),
    ({"gigs": {"act": "kittens"}}, "backstage_gigs: is no list; begin every item with a hyphen"),
    ({"act_defaults": ["env"]}, "backstage_act_defaults: is no dictionary; write 'key: value' pairs"),
    ({"versions": "v1"}, "backstage_versions: 'v1': is no dictionary; write 'key: value' pairs"),
    ({"prune": "maybe"}, "backstage_prune: 'maybe': use true or false"),
    ({"longest_request": "long"}, "stage_longest_request: 'long': use a whole number"),
    ({"through": "encore"}, "through: 'encore': use resolve, build, migrate or play"),
    ({"sauce": 1}, "sauce: unknown option"),
    ({"rolback": "x"}, "rolback: unknown option; did you mean 'rollback'?"),
]


@pytest.mark.parametrize(("given", "line"), WRITTEN)
def test_options_are_called_as_their_variables(given: Item, line: str) -> None:
    assert told(controller.as_written, {"production": "jazz", **given}) == line


TYPES: list[tuple[Item, str, Any]] = [
    ({"prune": "true"}, "prune", True),
    ({"delete_data": "kittens,dogs"}, "delete_data", ["kittens", "dogs"]),
    ({"longest_request": "400"}, "longest_request", 400),
    ({"seeds": '{"superuser": "done"}'}, "seeds", {"superuser": "done"}),
    ({"versions": "{}"}, "versions", {}),
    ({}, "through", "play"),
]


@pytest.mark.parametrize(("given", "key", "value"), TYPES)
def test_options_from_the_command_line_have_their_types(given: Item, key: str, value: Any) -> None:
    assert controller.as_written({"production": "jazz", **given})[key] == value


FILES: list[tuple[Item, Item]] = [
    ({"path": "a", "content": "b"}, {"path": "a", "content": "b"}),
    ({"path": "a", "src": "local.py"}, {"path": "a", "content": "DEBUG = False\n"}),
    ({"path": "a", "src": None, "content": "b"}, {"path": "a", "src": None, "content": "b"}),
    ({"path": "a"}, {"path": "a"}),
]


@pytest.mark.parametrize(("given", "read"), FILES)
def test_files_are_read_on_the_controller(inventory: Path, given: Item, read: Item) -> None:
    found = controller.read_files({"acts": [act(files=[given])]}, str(inventory), Problems())
    assert found["acts"][0]["files"] == [read]


def test_files_of_the_defaults_are_read_too(inventory: Path) -> None:
    action = Action({})
    run(action, inventory, act_defaults={"files": [{"path": "a", "src": "local.py"}]})
    assert "local.py" not in str(action.asked[0]), "a host never sees the controller's paths"


@pytest.mark.parametrize("src", ["missing.py", "kittens", "/etc/shadow/x", "binary"])
def test_a_file_that_is_no_text(inventory: Path, src: str) -> None:
    (inventory / "binary").write_bytes(b"\xff\xfe")
    said = problems_of(controller.read_files, {"acts": [act(files=[{"path": "a", "src": src}])]}, str(inventory))
    assert said.startswith("backstage_acts[kittens].files[a].src: ")
    assert "can't be read as text" in said


@pytest.mark.parametrize("acts", [None, "kittens", ["kittens"], [None], [{"files": "x"}], [{"files": ["x"]}]])
def test_other_shapes_are_left_to_the_manifest(acts: Any) -> None:
    assert problems_of(controller.read_files, {"acts": acts}, "/") == ""


def manifest(**hosts: str) -> Manifest:
    return Manifest("jazz", {}, {name: Sess(name, hosts=group) for name, group in hosts.items()})


GROUPS = {"all": ["one", "two"], "backstage_stage": ["one"], "both": ["one", "two"], "empty": []}
ELSEWHERE: list[tuple[Manifest, str, Any]] = [
    (manifest(kittens="backstage_stage"), "one", []),
    (manifest(kittens="backstage_stage"), "two", ["kittens"]),
    (manifest(kittens="two", dogs="one"), "one", ["kittens"]),
    (manifest(), "one", []),
    (
        manifest(kittens="backstage_stag"),
        "one",
        "backstage_sesses[kittens].hosts: 'backstage_stag': is no group or host of the inventory;"
        " use one, such as backstage_stage",
    ),
    (
        manifest(kittens="empty"),
        "one",
        "backstage_sesses[kittens].hosts: 'empty': is no group or host of the inventory;"
        " use one, such as backstage_stage",
    ),
    (
        manifest(kittens="both"),
        "one",
        "backstage_sesses[kittens].hosts: 'both': has 2 hosts; an Act on several hosts is not built yet:"
        " write {act: kittens, hosts: one} into backstage_sesses, or another of the hosts",
    ),
    (
        manifest(kittens="both", dogs="one", cats="both", birds="empty"),
        "one",
        "backstage_sesses[kittens].hosts: 'both': has 2 hosts; an Act on several hosts is not built yet:"
        " write {act: kittens, hosts: one} into backstage_sesses, or another of the hosts\n"
        "backstage_sesses[cats].hosts: 'both': has 2 hosts; an Act on several hosts is not built yet:"
        " write {act: cats, hosts: one} into backstage_sesses, or another of the hosts\n"
        "backstage_sesses[birds].hosts: 'empty': is no group or host of the inventory;"
        " use one, such as backstage_stage",
    ),
]


@pytest.mark.parametrize(("wanted", "host", "found"), ELSEWHERE)
def test_elsewhere(wanted: Manifest, host: str, found: Any) -> None:
    said = problems_of(controller.elsewhere, wanted, host, GROUPS)
    assert said or controller.elsewhere(wanted, host, GROUPS, Problems()) == found
    assert not said or said == found


def test_an_act_that_plays_elsewhere_is_not_resolved_here(inventory: Path) -> None:
    action = Action({})
    run(action, inventory, "two")
    assert (action.asked[0]["elsewhere"], action.asked[0]["resolved"]) == (["kittens"], {})
    assert list(run(Action(), inventory, "two", through="resolve")["resolved"]) == ["kittens"]


UNRESOLVED: list[Item] = [
    {"rollback": "kittens"},
    {"restart": "kittens"},
    {"stop": "kittens"},
    {"start": "kittens"},
    {"state": "absent"},
    {"only": ["dogs"], "acts": [act(), act(name="dogs")]},
]


@pytest.mark.parametrize("more", UNRESOLVED)
def test_what_needs_no_source_asks_for_none(inventory: Path, more: Item) -> None:
    """Rollback works without network: nothing is resolved or fetched."""
    action = Action({})
    run(action, inventory, **more)
    assert "kittens" not in action.asked[0]["resolved"]


@pytest.mark.parametrize("verb", ["rollback", "restart", "stop", "start"])
def test_a_verb_for_what_plays_elsewhere_asks_nobody(inventory: Path, verb: str) -> None:
    assert run(Action(), inventory, "two", **{verb: "kittens"}) == {"changed": False, "plan": [], "diff": []}


def test_a_version_of_this_run_alone_is_said(inventory: Path) -> None:
    run_git(inventory / "repository", "tag", "v1")
    acts = [act(source={"git": "./repository", "version": "main"})]
    found = run(Action({}), inventory, acts=acts, only=["kittens"], version="v1")
    assert found["warnings"] == ["version v1 is this run's alone; the manifest says kittens main"]
    assert "warnings" not in run(Action({}), inventory, acts=acts, only=["kittens"], version="main")


def run_act(action: Any, inventory: Path, **options: Any) -> Item:
    return controller.run_act(action, {"production": "jazz", "name": "kittens", **options}, variables(inventory))


def test_one_act(inventory: Path) -> None:
    action = Action({"missing": ["kittens"]}, {"changed": True})
    assert run_act(action, inventory, source={"path": "kittens"}, env={"A": "b"}) == {"changed": True}
    assert action.asked[0]["env"] == {"A": "b"}
    assert list(action.asked[1]["shipped"]) == ["kittens"]


def test_one_act_whose_source_was_not_told(inventory: Path) -> None:
    """What is on the host's disk counts; but a source that must be built again has to be given."""
    action = Action({"changed": False})
    assert run_act(action, inventory, timeout=30) == {"changed": False}
    assert "resolved" not in action.asked[0]
    said = told(run_act, Action({"missing": ["kittens"]}), inventory, env={"A": "c"})
    assert said == "source: kittens must be built again; give its source"


@pytest.mark.parametrize("options", [{"source": {"path": "kittens"}, "state": "absent"}, {"state": "absent"}])
def test_an_absent_act_is_not_resolved(inventory: Path, options: Item) -> None:
    action = Action({})
    run_act(action, inventory, **options)
    assert "resolved" not in action.asked[0]


def test_one_act_is_checked_before_the_host_is_asked(inventory: Path) -> None:
    action = Action()
    assert "backstage_acts[kittens].chdir" in told(run_act, action, inventory, source={"path": "a"}, chdir="/")
    assert action.asked == []
