# SPDX-License-Identifier: GPL-3.0-or-later
"""What the live release of an Act takes by itself for check, collectstatic and boot, without Backstage.

own_steps.py PRODUCTION ACT ROUNDS SETTINGS PACKAGE; runs on the host as root, the steps as nobody in a copy of the
code. Prints JSON: seconds of each step and round. Boot is a process that imports the application and resolves its URLs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOGETHER = """
import django
from django.core.management import call_command
django.setup()
call_command("check")
call_command("collectstatic", interactive=False, clear=True)
"""
BOOT = "from {}.wsgi import application; from django.urls import get_resolver; get_resolver().url_patterns"


def interpreter(sess: Path) -> str:
    """The Python of the environment that the live Sess plays with."""
    for line in (sess / "uwsgi.ini").read_text().splitlines():
        name, _equals, value = line.partition("=")
        if name.strip() == "virtualenv":
            return value.split(";")[0].strip() + "/bin/python"
    sys.exit(f"{sess}/uwsgi.ini names no virtualenv")


def main() -> None:
    production, act, rounds, settings, package = sys.argv[1:]
    live = Path("/srv/backstage", production, "acts", act, "live").resolve()
    python = interpreter(live)
    with tempfile.TemporaryDirectory() as scratch:
        code = shutil.copytree(live / "release" / "code", Path(scratch, "code"), symlinks=True)
        for place in [path for path in code.rglob("*") if path.is_symlink() and path.is_dir()]:
            place.unlink()  # the release's own static files, say: nobody may not write those
            place.mkdir()
        subprocess.run(["chown", "-R", "nobody:", scratch], check=True)
        environ = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": settings, "LC_ALL": "C.UTF-8"}
        steps = {
            "check": [python, "manage.py", "check"],
            "collectstatic": [python, "manage.py", "collectstatic", "--noinput", "--clear"],
            "together": [python, "-c", TOGETHER],  # check and collectstatic in one process: the import is paid once
            "boot": [python, "-c", BOOT.format(package)],
        }
        times: dict[str, list[float]] = {step: [] for step in steps}
        for _round in range(int(rounds)):
            for step, command in steps.items():
                began = time.perf_counter()
                drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
                subprocess.run([*drop, *command], cwd=code, env=environ, check=True, stdout=subprocess.DEVNULL)
                times[step].append(round(time.perf_counter() - began, 3))
    print(json.dumps(times))


main()
