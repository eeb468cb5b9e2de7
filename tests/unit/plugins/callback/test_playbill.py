# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback plugin in a real Ansible: it is loaded beside the playbooks of the collection, and prints one table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PLAYBOOKS = Path(__file__).parents[4] / "playbooks"
PLAY = "- hosts: all\n  gather_facts: false\n  tasks:\n    - leave:\n"
LEAVE = """
from ansible.plugins.action import ActionBase
from ansible_collections.backstage.django.plugins.plugin_utils import watching

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        host = task_vars["inventory_hostname"]
        row = {"venue": "http://a.example/", "act": "kittens", "release": "0123456789ab"}
        row.update(state="new", health="answers", seconds=6.2)
        result.update(changed=False, playbill={"rows": [row], "others": 0})
        if host == "h2":
            result.update(failed=True, msg="it broke")
        watching.keep(host, result)
        return result
"""
TITLE = "PLAYBILL *"


def played(place: Path, *hosts: str, check: bool = True, beside: bool = True, **env: str) -> str:
    """What Ansible prints when a playbook runs whose tasks leave playbills, in the process of each host."""
    for folder, text in (("action_plugins", LEAVE), ("library", "DOCUMENTATION = ''\n")):
        (place / folder).mkdir(exist_ok=True)
        (place / folder / "leave.py").write_text(text)
    if beside:
        (place / "callback_plugins").symlink_to(PLAYBOOKS / "callback_plugins")
    (place / "play.yml").write_text(PLAY)
    argv = [
        sys.executable,
        "-m",
        "ansible",
        "playbook",
        "-c",
        "local",
        "-i",
        ",".join([*hosts, ""]),
        str(place / "play.yml"),
    ]
    ran = subprocess.run(
        argv,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "HOME": str(place), **env},
    )
    assert ran.returncode == 0 or not check, ran.stdout + ran.stderr
    return ran.stdout


def test_it_is_loaded_beside_the_playbooks(tmp_path: Path) -> None:
    said = played(tmp_path, "h1")
    lines = said[said.index(TITLE) :].splitlines()
    assert lines[1:3] == [
        "VENUE              ACT      RELEASE       STATE  HEALTH   SECONDS",
        "http://a.example/  kittens  0123456789ab  new    answers      6.2",
    ]
    assert said.index("PLAY RECAP") < said.index(TITLE), "at the end of all"


def test_all_hosts_are_in_one_table_also_one_that_failed(tmp_path: Path) -> None:
    said = played(tmp_path, "h1", "h2", "h3", check=False)
    lines = said[said.index(TITLE) :].splitlines()
    assert sorted(line.split()[0] for line in lines[2:5]) == ["h1", "h2", "h3"]
    assert said.count(TITLE) == 1
    assert '"playbill"' not in said, "and not in the result of the failed task"


def test_enabled_and_loaded_it_prints_once(tmp_path: Path) -> None:
    assert played(tmp_path, "h1", ANSIBLE_CALLBACKS_ENABLED="backstage.django.playbill").count(TITLE) == 1


def test_other_playbooks_enable_it(tmp_path: Path) -> None:
    assert TITLE not in played(tmp_path, "h1", beside=False)
    assert TITLE in played(tmp_path, "h1", beside=False, ANSIBLE_CALLBACKS_ENABLED="backstage.django.playbill")


def test_output_for_programs_stays_as_it_is(tmp_path: Path) -> None:
    """Another callback of the test prints one JSON document, as those of Ansible's community do."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "one_json.py").write_text(
        "import json\nfrom ansible.plugins.callback import CallbackBase\n"
        "DOCUMENTATION = 'name: one_json\\ntype: stdout\\nshort_description: x\\ndescription: x\\n'\n"
        "class CallbackModule(CallbackBase):\n"
        "    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, 'stdout', 'one_json'\n"
        "    def v2_playbook_on_stats(self, stats):\n"
        "        self._display.display(json.dumps({'ok': True}))\n"
    )
    env = {"ANSIBLE_STDOUT_CALLBACK": "one_json", "ANSIBLE_CALLBACK_PLUGINS": str(tmp_path / "more")}
    assert json.loads(played(tmp_path, "h1", **env)) == {"ok": True}
