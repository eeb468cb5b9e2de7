# SPDX-License-Identifier: GPL-3.0-or-later
"""An Act's code can do nothing to another Act, to its host or to its own code. Root can do all of it."""

from __future__ import annotations

from hostile.stranger import PROBE, Stranger

OF_A_PROCESS = "process's "
"""The attempts for which root needs more capabilities than most containers give it."""


def test_fault_44_56_57_60_the_player_is_denied_everything(stranger: Stranger) -> None:
    found = stranger.run(PROBE.read_text(), *stranger.subjects())
    assert found["uid"] == stranger.uid("jazz-evil")
    assert allowed(found) == []
    assert len(found["found"]) >= 90


def test_fault_44_56_57_60_the_builder_is_denied_everything(stranger: Stranger) -> None:
    words = " ".join(stranger.subjects())
    stranger.host.write("/opt/hostile/probe.py", PROBE.read_text(), "644")
    assert stranger.play("evil", build=[f"sh -c 'python3 /opt/hostile/probe.py {words} > probed.json'"]).code == 0
    found = stranger.of_code("probed.json")
    assert found["uid"] == stranger.uid("jazz_evil")
    assert allowed(found) == []
    assert len(found["found"]) >= 90


def test_root_is_denied_nothing(stranger: Stranger) -> None:
    """So each attempt would succeed without the protection."""
    stranger.host.write("/opt/hostile/probe.py", PROBE.read_text(), "644")
    found = stranger.host.script_at("/opt/hostile/probe.py", *stranger.subjects())
    excused = {name for name in found["found"] if name.startswith(OF_A_PROCESS) and not stranger.has_ptrace}
    assert {name: said for name, said in found["found"].items() if said != "allowed" and name not in excused} == {}


def allowed(found: dict[str, dict[str, str]]) -> list[str]:
    return [name for name, said in found["found"].items() if said == "allowed"]
