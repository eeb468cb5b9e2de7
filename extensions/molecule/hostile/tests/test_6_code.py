# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a project that programs load by themselves run as the Act's own users only."""

from __future__ import annotations

from hostile.stranger import Stranger

# leaves a file of the user that runs it in a directory for everybody; Acts can't, in the emperor's sandbox
SAY = """import os, tempfile
if os.access("/opt/hostile/ran", os.W_OK): tempfile.mkstemp("", "ran-{what}-", "/opt/hostile/ran")
"""
PTH = "import os; os.access('/opt/hostile/ran', 2) and open(f'/opt/hostile/ran/ran-pth-{os.getuid()}', 'w').close()\n"
SETUP = "\nfrom setuptools import setup\nsetup(name='stranger', version='1', py_modules=[])\n"


def test_fault_43_code_of_a_project_runs_as_its_own_users(stranger: Stranger) -> None:
    stranger.host.sh("rm -rf /opt/hostile/ran; install -d -m 1777 /opt/hostile/ran")
    said = {f"{name}.py": SAY.format(what=name) for name in ("sitecustomize", "usercustomize", "conftest")}
    files = {
        **said,
        "lines.pth": PTH,
        "setup.py": SAY.format(what="setup") + SETUP,
        "requirements.txt": "Django==5.2.15\n.\n",
        "orders.py": SAY.format(what="build"),
        "pip.conf": "[install]\ntarget = /opt/hostile/ran\n",
        ".git/config": "[core]\n\tfsmonitor = touch /opt/hostile/ran/ran-git\n",
    }
    run = stranger.play("evil", files=files)
    assert run.code == 0, run.message
    said_by = stranger.host.sh("find /opt/hostile/ran -type f -printf '%f %u\\n' | sed 's/-[^- ]* / /' | sort -u")
    ran = [line.split() for line in said_by.splitlines()]
    assert ["ran-setup", "jazz_evil"] in ran, "nothing was tried"
    assert ["ran-build", "jazz_evil"] in ran
    assert {user for _what, user in ran} <= {"jazz_evil", "jazz-evil"}
