# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a project that programs run by themselves: they run as the Act's own users, and as nobody else."""

from __future__ import annotations

from hostile.stranger import Stranger

# leaves a file of whoever runs it, where everybody may make one and no sandbox hides it
SAY = "import os, tempfile; tempfile.mkstemp(prefix='ran-{what}-', dir='/opt/hostile/ran')"
SETUP = "\nfrom setuptools import setup\nsetup(name='stranger', version='1', py_modules=[])\n"


def test_fault_43_what_a_project_has_runs_as_its_own_users(stranger: Stranger) -> None:
    stranger.host.sh("rm -rf /opt/hostile/ran; install -d -m 1777 /opt/hostile/ran")
    said = {
        name: SAY.format(what=name.partition(".")[0]) + "\n"
        for name in ("sitecustomize.py", "usercustomize.py", "conftest.py", "django.py.pth")
    }
    files = {
        **said,
        "setup.py": SAY.format(what="setup") + SETUP,
        "requirements.txt": "Django==5.2.15\n.\n",
        "orders.py": SAY.format(what="build") + "\n",
        "pip.conf": "[install]\ntarget = /opt/hostile/ran\n",
        ".git/config": "[core]\n\tfsmonitor = touch /opt/hostile/ran/ran-git\n",
        "stranger/wsgi.py": SAY.format(what="wsgi") + "\n" + WSGI,
    }
    run = stranger.play("evil", files=files)
    assert run.code == 0, run.message
    owners = stranger.host.sh("find /opt/hostile/ran -type f -printf '%f %u\\n' | sed 's/-[^- ]* / /' | sort -u")
    ran = dict(line.split() for line in owners.splitlines())
    assert ran["ran-setup"] == ran["ran-build"] == "jazz_evil", "nothing was tried"
    assert {*ran.values()} <= {"jazz_evil", "jazz-evil"}


WSGI = """
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
