# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's files: written where they differ, and all of them as they were where something goes wrong."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.backstage.django.plugins.module_utils.host import (
    caller,
    host_specs,
    locks,
    records,
    role_files,
)
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.host.files import OWNERSHIP
from ansible_collections.backstage.django.plugins.module_utils.host.role_files import Wanted
from ansible_collections.backstage.django.plugins.module_utils.productions import inspection

from ...told import told
from .test_undo import state

GOOD = f"# {OWNERSHIP}\nswing\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host's nginx with the package's own site."""
    path = tmp_path / "host"
    for name in ("sites-available", "sites-enabled"):
        (path / name).mkdir(parents=True)
    (path / "sites-available/default").touch()
    (path / "sites-enabled/default").symlink_to(path / "sites-available/default")
    return path


def wanted(root: Path, **changes: Any) -> Wanted:
    """From the module's options, as Ansible checks them."""
    options = {
        "directories": [{"path": f"{root}/etc"}, {"path": f"{root}/etc/venues", "mode": "0750", "group": "adm"}],
        "files": [
            {"path": f"{root}/etc/front.json", "data": {"managed_by": "backstage.django", "a": 1}},
            {"path": f"{root}/etc/backstage.conf", "content": GOOD},
            {"path": f"{root}/etc/secret", "sensitive_content": f"# {OWNERSHIP}\nhush\n", "mode": "0600"},
        ],
        "logs": [{"path": f"{root}/etc/front.log"}],
        "removed_links": [{"path": f"{root}/sites-enabled/default", "target": f"{root}/sites-available/default"}],
        "record": f"{root}/etc/front.files",
        **changes,
    }
    checked = ArgumentSpecValidator(host_specs.files()).validate(options)
    assert not checked.error_messages
    return Wanted.of(checked.validated_parameters)


def written(root: Path, text: str, **changes: Any) -> Wanted:
    """The same with another text in the file that nginx reads."""
    found = wanted(root, **changes)
    files = [replace(one, text=text) if one.path.endswith(".conf") else one for one in found.files]
    return replace(found, files=files)


def validated(root: Path) -> list[str]:
    """As nginx would: it refuses what is not good."""
    return ["sh", "-c", f"grep -q -e swing -e sway {root}/etc/backstage.conf || {{ echo no swing >&2; exit 1; }}"]


def whats(plan: role_files.Plan) -> dict[str, str]:
    return {os.path.basename(change.path): change.what for change in plan.changes}


EVERYTHING = {
    "etc": "made",
    "venues": "made",
    "front.json": "written",
    "backstage.conf": "written",
    "secret": "written",
    "front.log": "made",
    "default": "removed",
    "front.files": "written",
}


def test_what_is_there_afterwards(root: Path) -> None:
    planned = role_files.plan(wanted(root))
    assert not (root / "etc").exists(), "planning changes nothing"
    done = role_files.carry_out(wanted(root, validate=validated(root)))
    assert whats(done) == whats(planned) == EVERYTHING
    assert not any("hush" in change.before + change.after for change in done.changes)
    assert json.loads((root / "etc/front.json").read_text()) == {"managed_by": "backstage.django", "a": 1}
    assert (root / "etc/front.json").read_text() == '{\n    "a": 1,\n    "managed_by": "backstage.django"\n}\n'
    assert sorted(path.name for path in (root / "etc").iterdir()) == [
        "backstage.conf",
        "front.files",
        "front.json",
        "front.log",
        "secret",
        "venues",
    ]
    assert not os.path.exists(role_files.LOCK)


def test_a_second_run_changes_nothing_and_validates_nothing(root: Path) -> None:
    role_files.carry_out(wanted(root))
    assert role_files.carry_out(wanted(root, validate=["false"])).changes == []
    (root / "etc/backstage.conf").chmod(0o600)
    assert whats(role_files.carry_out(wanted(root))) == {"backstage.conf": "mended"}


def test_the_record_is_what_status_compares(root: Path) -> None:
    role_files.carry_out(wanted(root))
    record = f"{root}/etc/front.files"
    lines = Path(record).read_text().splitlines()
    assert lines[0] == f"# {OWNERSHIP}"
    assert [line.split()[0] for line in lines[1:]] == [
        f"{root}/etc/{name}" if name else f"{root}/etc"
        for name in ("", "venues", "front.json", "backstage.conf", "secret", "front.log")
    ]
    assert records.confirmed(record) == Path(record).read_text()
    assert inspection.RECORDS == "/etc/backstage"


def test_what_was_found_is_compared_without_the_host(root: Path) -> None:
    """What was just found on the host is compared with what is wanted, without the host."""
    record = f"{root}/etc/front.files"
    assert not wanted(root).is_there()
    role_files.carry_out(wanted(root))
    found = {"recorded": records.confirmed(record), "removed_links": []}
    assert wanted(root, **found).is_there()
    assert not wanted(root, recorded=found["recorded"]).is_there(), "a link would be looked for"
    assert not wanted(root, **found, state="absent").is_there()
    assert not wanted(root, **found, logs=[]).is_there()
    assert not written(root, "sway\n", **found).is_there()
    (root / "etc/front.log").chmod(0o644)
    assert not wanted(root, removed_links=[], recorded=records.confirmed(record)).is_there()


@pytest.mark.parametrize("first", [True, False])
def test_what_the_validation_refuses_is_put_back(root: Path, first: bool) -> None:
    if not first:
        role_files.carry_out(written(root, "sway\n"))
        (root / "sites-enabled/default").symlink_to(root / "sites-available/default")
    before = state(root)
    said = told(role_files.carry_out, written(root, "silence\n", validate=validated(root)))
    assert said == (
        f"{' '.join(validated(root))} refuses what was written: no swing. All files are as they were before this run."
    )
    assert state(root) == before
    assert not os.path.exists(role_files.LOCK)


def test_what_can_not_be_written_is_put_back(root: Path) -> None:
    """Here the last file: what a draft of it is called is a directory."""
    role_files.carry_out(written(root, "sway\n"))
    before = state(root)
    (root / "etc/front.files.new").mkdir()
    said = told(role_files.carry_out, written(root, GOOD, validate=validated(root)))
    assert said == f"{root}/etc/front.files.new: Is a directory. All files are as they were before this run."
    (root / "etc/front.files.new").rmdir()
    assert state(root) == before


@pytest.mark.parametrize("text", [f"{GOOD}{'la ' * 9999}", GOOD])
@pytest.mark.parametrize("first", [True, False])
def test_what_has_no_room_is_put_back(root: Path, text: str, first: bool) -> None:
    """Half a file may be written when the disk is full; here one of the role's, or the note of what was there."""
    if not first:
        role_files.carry_out(written(root, "sway\n" if text != GOOD else f"{GOOD}{'la ' * 9999}"))
    before, limits = state(root), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000 if text != GOOD else 100, limits[1]))
    try:
        said = told(role_files.carry_out, written(root, text, validate=["true"]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "File too large. All files are as they were before this run." in said
    assert state(root) == before


def in_child(call: Callable[[], object]) -> int:
    """The signal that ends a child which makes this call; 0 where it ends by itself."""
    pid = os.fork()
    if pid == 0:
        try:
            call()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


KILLS = ["sh", "-c", "kill -KILL $PPID"]


@pytest.mark.parametrize("good", [True, False])
def test_a_run_that_is_killed_before_the_validation(root: Path, good: bool) -> None:
    """The next one puts back what is refused, and goes on from what is accepted."""
    role_files.carry_out(written(root, "sway\n"))
    before = state(root)
    killed = written(root, GOOD if good else "silence\n", validate=KILLS)
    assert in_child(lambda: role_files.carry_out(killed)) == signal.SIGKILL
    assert (root / "etc/front.files.undo").exists()
    assert state(root) != before
    assert records.confirmed(f"{root}/etc/front.files") == "", "nobody takes it for done"
    following = role_files.carry_out(written(root, GOOD, validate=validated(root)))
    assert whats(following) == ({} if good else {"backstage.conf": "written", "front.files": "written"})
    assert (root / "etc/backstage.conf").read_text() == GOOD
    assert not (root / "etc/front.files.undo").exists()


def test_a_run_that_is_killed_and_not_repeated(root: Path) -> None:
    """What is wanted next may be what was there before."""
    role_files.carry_out(written(root, "sway\n"))
    before = state(root)
    in_child(lambda: role_files.carry_out(written(root, "silence\n", validate=KILLS)))
    following = role_files.carry_out(written(root, "sway\n", removed_links=[], validate=validated(root)))
    assert whats(following) == {"backstage.conf": "put back", "front.files": "put back"}
    assert state(root) == before


def test_a_first_run_that_is_killed(root: Path) -> None:
    before = state(root)
    in_child(lambda: role_files.carry_out(written(root, "silence\n", validate=KILLS)))
    said = told(role_files.carry_out, written(root, "silence\n", validate=validated(root)))
    assert "refuses what was written" in said
    assert state(root) == before


def test_a_run_that_is_ended_puts_everything_back_itself(root: Path) -> None:
    before = state(root)

    def run() -> None:
        caller.watch()
        try:
            role_files.carry_out(wanted(root, validate=["sh", "-c", "kill -TERM $PPID; sleep 60"]))
        except caller.Abandoned:
            os.kill(os.getpid(), signal.SIGUSR1)  # it is no other way of ending

    assert in_child(run) == signal.SIGUSR1
    assert state(root) == before
    assert not os.path.exists(role_files.LOCK)


def test_a_run_that_is_ended_makes_no_further_change(root: Path) -> None:
    before = state(root)

    def run() -> None:
        caller.watch()
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            role_files.carry_out(wanted(root))
        except caller.Abandoned:
            os.kill(os.getpid(), signal.SIGUSR1)

    assert in_child(run) == signal.SIGUSR1
    assert state(root) == before


def test_one_run_at_a_time(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has nothing to do waits for nobody."""
    monkeypatch.setattr(role_files, "_WAIT", 0.2)
    with locks.held(role_files.LOCK, "another run", 1):
        with pytest.raises(BackstageError, match="another run"):
            role_files.carry_out(wanted(root))
        assert not (root / "etc").exists()
    role_files.carry_out(wanted(root))
    with locks.held(role_files.LOCK, "another run", 1):
        assert role_files.carry_out(wanted(root)).changes == []
    os.unlink(role_files.LOCK)


def test_leaving(root: Path) -> None:
    """The host is as it was before; what a hand has made its own stays, with its directory."""
    before = state(root)
    role_files.carry_out(wanted(root))
    (root / "etc/front.log.1").touch()
    planned = role_files.plan(wanted(root, state="absent"))
    done = role_files.carry_out(wanted(root, state="absent"))
    assert whats(done) == whats(planned)
    assert done.kept == []
    assert state(root) == before
    assert role_files.carry_out(wanted(root, state="absent")).changes == []


def test_leaving_what_somebody_took_over(root: Path) -> None:
    role_files.carry_out(wanted(root))
    (root / "etc/backstage.conf").write_text("server {}\n")
    assert role_files.carry_out(wanted(root, state="absent")).kept == [f"{root}/etc/backstage.conf"]
    assert [path.name for path in (root / "etc").iterdir()] == ["backstage.conf"]


def test_a_mode_is_an_octal_number(root: Path) -> None:
    said = told(wanted, root, directories=[{"path": f"{root}/etc", "mode": "u=rwx"}])
    assert said == f"{root}/etc: the mode 'u=rwx' is wrong: give an octal number in quotes, such as '0644'"
