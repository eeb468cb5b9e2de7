# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian machine with a kernel of its own, in emulation: what a container of the garage can't be.

Containers have the cgroups of the machine that they run on, which may be of version 1, or closed to them. So a host of
the garage is set up as usual, gets a kernel, is copied to a disk image, and boots from that.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Optional

PROJECT = Path(__file__).resolve().parents[2]
GARAGE = PROJECT / "tests" / "garage" / "garage.sh"
STATE = PROJECT / ".garage"
SUITES = {"bookworm": "h1", "trixie": "h2"}
BOOT = 600
"""Seconds: an emulated processor is ten times slower, or more where the machine is busy."""
KERNEL = """
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends linux-image-cloud-amd64 initramfs-tools zstd >/var/log/kernel.log 2>&1
printf '[Match]\\nName=e*\\n[Network]\\nDHCP=yes\\n' >/etc/systemd/network/any.network
systemctl --quiet enable systemd-networkd ssh
"""
OPTIONS = [
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "ConnectTimeout=20", "-i", str(STATE / "id_ed25519")),
]


def garage(*words: str) -> str:
    """A command of the garage."""
    return subprocess.run([GARAGE, *words], check=True, capture_output=True, text=True).stdout.strip()


def free_port() -> int:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        port: int = any_socket.getsockname()[1]
        return port


@dataclass
class Play:
    """How a playbook ended, and all that it printed."""

    code: int
    printed: str
    seconds: float


class Controller:
    """Plays on one host."""

    def __init__(self, work: Path, variables: dict[str, Any]) -> None:
        self._work = work
        self._inventory = work / f"inventory{len(list(work.glob('inventory*')))}"
        self._inventory.mkdir()
        known = {"ansible_user": "root", "ansible_pipelining": True, "ansible_python_interpreter": "/usr/bin/python3"}
        hosts = {"hosts": {"machine": {**known, **variables}}}
        groups = {"backstage_stage": hosts, "backstage_front_of_house": hosts}
        (self._inventory / "hosts.json").write_text(json.dumps({"all": {"children": groups}}))

    def start(self, playbook: str, manifest: dict[str, Any], *options: str) -> subprocess.Popen[str]:
        extra = self._work / "manifest.json"
        extra.write_text(json.dumps(manifest))
        words = ["ansible-playbook", "-i", str(self._inventory), "-e", f"@{extra}", f"backstage.django.{playbook}"]
        return subprocess.Popen(
            [*words, *options], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self._work
        )

    def play(self, playbook: str, manifest: dict[str, Any], *options: str) -> Play:
        since = time.monotonic()
        playing = self.start(playbook, manifest, *options)
        printed, _none = playing.communicate(timeout=1800)
        return Play(playing.returncode, printed, time.monotonic() - since)


class Machine:
    """One that runs until it is closed.

    Args:
        suite: bookworm or trixie.
        work: where its disk is.
    """

    def __init__(self, suite: str, work: Path) -> None:
        self.suite, self.work = suite, work
        self.ssh_port, self.http_port = free_port(), free_port()
        self._emulator: Optional[subprocess.Popen[bytes]] = None
        where: dict[str, Any] = {"ansible_host": "127.0.0.1", "ansible_port": self.ssh_port}
        where["ansible_ssh_common_args"] = shlex.join(OPTIONS)
        self.controller = Controller(work, where)

    def build(self, manifest: dict[str, Any]) -> Play:
        """Set a host of the garage up, and copy it to the machine's disk; what the play on it printed."""
        host = SUITES[self.suite]
        garage("fresh", host)
        container = Controller(
            self.work,
            {"ansible_host": garage("address", host), "ansible_ssh_common_args": f"-F {STATE / 'ssh_config'}"},
        )
        played = container.play("site", manifest)
        assert played.code == 0, played.printed
        garage("exec", host, "bash", "-ec", KERNEL)
        root = self.work / "root"
        root.mkdir()
        exported = subprocess.Popen(["podman", "export", garage("name", host)], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", str(root)], stdin=exported.stdout, check=True)
        assert exported.wait() == 0
        for pattern, name in (("vmlinuz-*", "kernel"), ("initrd.img-*", "initrd")):
            (found,) = (root / "boot").glob(pattern)
            shutil.copy(found, self.work / name)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(root), str(self.work / "disk"), "6G"], check=True)
        shutil.rmtree(root)
        return played

    def boot(self) -> float:
        """Start it, and wait until all of its services have; how many seconds that took."""
        since = time.monotonic()
        ports = f"hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22,hostfwd=tcp:127.0.0.1:{self.http_port}-:80"
        words = [
            *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-smp", "2"),
            *("-m", "2048", "-nographic", "-no-reboot", "-kernel", "kernel", "-initrd", "initrd"),
            *("-append", "root=/dev/vda rw console=ttyS0 quiet"),
            *("-drive", "file=disk,if=virtio,format=raw,cache=unsafe"),
            *("-netdev", f"user,id=net,{ports}", "-device", "virtio-net-pci,netdev=net"),
        ]
        with (self.work / "console").open("wb") as console:
            self._emulator = subprocess.Popen(words, cwd=self.work, stdin=subprocess.DEVNULL, stdout=console)
        while time.monotonic() < since + BOOT:
            assert self._emulator.poll() is None, (self.work / "console").read_text(errors="replace")[-3000:]
            seen = self.run("systemctl is-system-running --wait").stdout.strip()
            if seen in ("running", "degraded"):
                assert seen == "running", self.ask("systemctl --failed --no-legend")
                return time.monotonic() - since
            time.sleep(2)
        raise AssertionError((self.work / "console").read_text(errors="replace")[-3000:])

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command as root, however it ends."""
        words = ["ssh", *OPTIONS, "-p", str(self.ssh_port), "root@127.0.0.1", command]
        return subprocess.run(words, check=False, capture_output=True, text=True)

    def ask(self, command: str) -> str:
        """What a command says, which must succeed."""
        done = self.run(command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def get(self, venue: str, path: str = "/") -> tuple[int, str]:
        """One request to its nginx."""
        connection = HTTPConnection("127.0.0.1", self.http_port, timeout=120)
        try:
            connection.request("GET", path, headers={"Host": venue})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def close(self) -> None:
        if self._emulator:
            self._emulator.kill()
            self._emulator.wait()


def place() -> Path:
    """A short directory: a path of a socket has at most 107 bytes. Disks are large, so it is not in memory."""
    os.makedirs(STATE / "vm", exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="m", dir=STATE / "vm"))
