# SPDX-License-Identifier: GPL-3.0-or-later
"""What known tools say of hosts: audit.py RESULTS HOST...

It fails if gixy-ng finds something HIGH in Backstage's files of nginx, if sslyze finds something besides the private
authority, or if systemd calls a unit's exposure greater than EXPOSURE. All that they say is kept in RESULTS.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
VENUE = "corner.example.com"
PRIVATE = "certificate path validation"
EXPOSURE = {"backstage-certificates.service": 4.0, "backstage-emperor.service": 4.0}
MAIN = """events {{}}
http {{
    include {root}/etc/nginx/conf.d/backstage.conf;
}}
"""


def at(host: str, *words: str) -> str:
    command = ["ssh", "-F", str(PROJECT / ".garage/ssh_config"), host, shlex.join(words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def said(results: Path, name: str, *words: str) -> str:
    """What a program prints; it is kept."""
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    (results / name).write_text(done.stdout + done.stderr)
    return done.stdout


def of_nginx(host: str, results: Path) -> list[str]:
    """What gixy-ng finds in Backstage's own files, without those of Debian."""
    root = results / host
    root.mkdir()
    packed = [
        "ssh",
        "-F",
        str(PROJECT / ".garage/ssh_config"),
        host,
        "tar -c -C / etc/nginx/backstage etc/nginx/conf.d",
    ]
    with subprocess.Popen(packed, stdout=subprocess.PIPE) as sent:
        subprocess.run(["tar", "-x", "-C", str(root)], stdin=sent.stdout, check=True)
    for path in root.rglob("*.conf"):
        text = path.read_text()
        path.write_text(text.replace("include /etc/nginx/", f"include {root}/etc/nginx/"))
    main = root / "nginx.conf"
    main.write_text(MAIN.format(root=root))
    found = json.loads(said(results, f"{host}-gixy.json", str(TOOLS / "gixy"), "-f", "json", str(main)) or "[]")
    print(f"{host}: gixy-ng: {len(found)} findings: {sorted({(one['severity'], one['plugin']) for one in found})}")
    return [f"{host}: {one['plugin']}: {one['summary']}" for one in found if one["severity"] == "HIGH"]


def of_tls(host: str, results: Path) -> list[str]:
    """What sslyze finds that Mozilla's intermediate configuration does not have."""
    address = at(host, "hostname", "-I").split()[0]
    target = f"{VENUE}:443{{{address}}}"
    text = said(results, f"{host}-sslyze.txt", str(TOOLS / "sslyze"), "--mozilla_config=intermediate", target)
    verdict = text.partition("COMPLIANCE AGAINST")[2]
    found = re.findall(r"^\s+\* (.+)$", verdict, re.MULTILINE)
    print(f"{host}: sslyze: {found or verdict.strip()[-200:]}")
    others = [one for one in found if PRIVATE not in one.lower()]
    return [f"{host}: {one}" for one in others] if verdict else [f"{host}: sslyze gave no verdict"]


def of_units(host: str, results: Path) -> list[str]:
    """What systemd says of the sandbox of units: from 0 for none exposed to 10."""
    listed = at(host, "systemctl", "list-unit-files", "--plain", "--no-legend", "backstage*.service", "nginx.service")
    units = [line.split()[0] for line in listed.splitlines() if "@" not in line]
    text = at(host, "systemd-analyze", "security", "--no-pager", *units)
    (results / f"{host}-units.txt").write_text(text)
    found = {unit: float(score) for unit, score in re.findall(r"level for (\S+): ([0-9.]+)", text)}
    if not found:
        found = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line.startswith("backstage")}
    print(f"{host}: systemd-analyze security: {found}")
    return [f"{host}: {unit}: {score}" for unit, score in found.items() if score > EXPOSURE.get(unit, 10)]


def main(results: str, *hosts: str) -> int:
    bad = [one for host in hosts for look in (of_nginx, of_tls, of_units) for one in look(host, Path(results))]
    print("\n".join(bad) if bad else "nothing that must not be there")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
