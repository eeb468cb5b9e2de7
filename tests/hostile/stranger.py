# SPDX-License-Identifier: GPL-3.0-or-later
"""The hostile scenario's Production on one host, and what its Act "evil" is told to do."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import zipfile
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from faults.controller import Run
from faults.house import House, scenario

HERE = Path(__file__).parent
PROBE = HERE / "probe.py"
EVIL = "evil.example.com"
ROOT = "/srv/backstage/jazz"
WATCH = """
import glob, json, os, pwd, select, sys
mark, seen, looks = sys.stdin.readline().strip(), set(), 0
own = {pwd.getpwnam(name).pw_uid for name in ("jazz-evil", "jazz_evil")}
print("open", flush=True)
while not select.select([sys.stdin], [], [], 0.01)[0]:
    looks += 1
    for place in glob.glob("/proc/[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                data = open(f"{place}/{name}", "rb").read().decode(errors="replace")
                uid = os.stat(place).st_uid
            except OSError:
                continue
            if mark in data and (name == "cmdline" or uid not in own):
                seen.add(name)
print(json.dumps([looks, sorted(seen)]))
"""
"""Looks at every process until its input ends; the first line of it has the text that nobody may see."""
PAYLOAD = "\n# put here by evilpth\n"


class Stranger:
    """One host with both Acts."""

    def __init__(self, host: str, work: Path) -> None:
        self.work = work
        self.house = House(scenario("hostile"), host, work)
        self.host = self.house.host
        self.acts: dict[str, dict[str, Any]] = {}

    def settle(self) -> None:
        """What the victim has that is worth reading, and where the host is reached."""
        self.host.sh(
            f"install -o jazz-victim -g www-data -m 640 /dev/stdin {ROOT}/acts/victim/media/private.txt </dev/null;"
            " mkdir -p /opt/hostile/wheels /etc/cron.d"
        )
        self.address = self.host.sh("hostname -I").split()[0]
        bounding = self.host.sh("awk '/^CapBnd/ { print $2 }' /proc/self/status")
        self.has_ptrace = bool(int(bounding, 16) >> 19 & 1)

    def play(
        self, act: str, *options: str, files: dict[str, str] | None = None, delete_data: bool = False, **keys: Any
    ) -> Run:
        """Deploy one of the Acts with other keys than before; files are laid over its source."""
        if files is not None:
            keys["files"] = [{"path": path, "content": content} for path, content in files.items()]
        more = {"backstage_delete_data": [act]} if delete_data else {}
        gone = {act: {"venue": f"{act}.example.com", "state": "absent"}} if keys.get("state") == "absent" else {}
        return self.house.play("-e", f"act={act}", *options, acts={act: keys}, gigs=gone, **more)

    def run(self, program: str, *words: str) -> Any:
        """Run a Python program as the player, by a request; what it prints is JSON."""
        connection = HTTPConnection(self.address, timeout=120)
        try:
            query = urlencode([("word", word) for word in words])
            connection.request("POST", f"/run?{query}", program.encode(), {"Host": EVIL})
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        try:
            return json.loads(text)
        except ValueError:
            raise AssertionError(text[-2000:]) from None

    def subjects(self) -> list[str]:
        """The arguments of the probe."""
        process = self.host.sh("pgrep -u jazz-victim | head -1").strip()
        return [
            "jazz/evil",
            "jazz/victim",
            process,
            self.host.sh("systemctl show -P MainPID backstage-emperor").strip(),
        ]

    def uid(self, name: str) -> int:
        return int(self.host.sh(f"id -u {name}"))

    @property
    def release(self) -> str:
        return self.host.sh(f"readlink -f {ROOT}/acts/evil/live/release").strip()

    def environment_of(self, act: str) -> str:
        record = json.loads(self.host.sh(f"cat {ROOT}/acts/{act}/live/release/release.json"))
        return f"{ROOT}/environments/{record['environment']}"

    def of_code(self, name: str) -> Any:
        """A JSON file that the build left in the code."""
        return json.loads(self.host.read(f"{self.release}/code/{name}"))

    def text(self, name: str) -> str:
        return (HERE / name).read_text()

    def start_rival(self, victim: str, burners: int) -> None:
        """Beside the live Sess, as its player and in its sandbox."""
        program = self.text("rival.py")
        start = (
            "import os, subprocess, sys\n"
            f"program = {program!r}\n"
            "data = os.environ['BACKSTAGE_DATA']\n"
            "os.system(f'rm -rf {data}/links {data}/rival.json')\n"
            "with open(f'{data}/rival.err', 'w') as errors:\n"
            f"    argv = [sys.executable, '-c', program, {victim!r}, '{burners}']\n"
            "    subprocess.Popen(argv, stdin=-3, stdout=errors, stderr=errors, start_new_session=True)\n"
            "print('{}')\n"
        )
        self.run(start)
        self.host.sh(
            "for n in $(seq 600); do grep -q @backstage-rival /proc/net/unix && exit 0; sleep 0.1; done; exit 1"
        )

    def rival(self) -> dict[str, Any]:
        """What it says it did."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            said = self.host.sh(f"cat {ROOT}/acts/evil/data/rival.json 2>/dev/null || true")
            if said:
                found: dict[str, Any] = json.loads(said)
                return found
            time.sleep(0.5)
        raise AssertionError(self.host.sh(f"cat {ROOT}/acts/evil/data/rival.err"))

    def wheel(self) -> None:
        """A package with a .pth line that says who ran it, and puts a line into every Django that it may write."""
        caches = "/srv/backstage/*/cache/uv/archive-v0/*/django/__init__.py"
        line = (
            "import os, glob, pwd; open('/var/tmp/evilpth-ran-as-' + pwd.getpwuid(os.getuid()).pw_name, 'w').close();"
            f" [open(p, 'a').write({PAYLOAD!r}) for p in glob.glob({caches!r}) if os.access(p, os.W_OK)]\n"
        )
        info = "evilpth-1.0.dist-info"
        files = {
            "evilpth.py": "",
            "evilpth.pth": line,
            f"{info}/METADATA": "Metadata-Version: 2.1\nName: evilpth\nVersion: 1.0\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{info}/RECORD"] = "".join(_record(name, text) for name, text in files.items()) + f"{info}/RECORD,,\n"
        path = self.work / "evilpth-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        self.host.put_bytes(path, f"/opt/hostile/wheels/{path.name}")


def _record(name: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(text.encode())}\n"
