# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role front_of_house asks besides: the package's own site, and everything that stands in nginx's way."""

import hashlib
import json
import os
import re
from typing import Any

from survey import names, reply, run, text_of

SITE, LINK = "/etc/nginx/sites-available/default", "/etc/nginx/sites-enabled/default"


def default_site() -> str:
    """The package's own site: "untouched", "changed" (somebody's, then) or "none"."""
    if not os.path.lexists(LINK):
        return "none"
    if not os.path.islink(LINK) or os.path.realpath(LINK) != SITE or not os.path.exists(SITE):
        return "changed"
    shipped = run("dpkg-query", "--show", "--showformat=${Conffiles}", "nginx-common").stdout
    with open(SITE, "rb") as handle:
        digest = hashlib.md5(handle.read(), usedforsecurity=False).hexdigest()
    return "untouched" if f" {SITE} {digest}" in shipped.splitlines() else "changed"


def removed_default_site(facts: str) -> bool:
    """Whether an earlier run noted that it removed the package's own site."""
    try:
        return bool(json.loads(text_of(facts) or "{}").get("removed_default_site"))
    except (ValueError, AttributeError):
        return False


def fault(stderr: str) -> tuple[str, str]:
    """What `nginx -t` complains of first, and the file in which it does: ("unknown directive ...", "/etc/...")."""
    line = (stderr.strip().splitlines() or ["nginx -t failed and said nothing"])[0]
    message = re.sub(r"^(?:nginx:|\S+ \S+) \[\w+\] (?:\d+#\d+: )?", "", line)
    place = re.search(r" in (/.+?):\d+$", message)
    return message, place.group(1) if place else ""


def default_servers(dump: str, port: int) -> dict[str, str]:
    """The files in the output of `nginx -T` that declare a default server for a port on all addresses."""
    address = rf"[\"']?(?:(?:\*|0\.0\.0\.0|\[::\]):)?{port}[\"']?"
    pattern = re.compile(rf"(?:^|[;{{}}\s])(listen\s+{address}\s[^;#]*\bdefault(?:_server)?\b[^;]*;)")
    found = dict[str, str]()
    for path, text in files(dump):
        match = pattern.search(text)
        if match:
            found.setdefault(path, " ".join(match.group(1).split()))
    return found


def files(dump: str) -> list[tuple[str, str]]:
    """The files in the output of `nginx -T`, without their comments."""
    parts = re.split(r"^# configuration file (.+):$", dump, flags=re.MULTILINE)[1:]
    return [(path, re.sub(r"(?m)(^|\s)#.*", "", text)) for path, text in zip(parts[::2], parts[1::2])]


def says(dump: str, directive: str, but: list[str]) -> list[tuple[str, str]]:
    """The files that give a directive a value, and that value."""
    found = []
    for path, text in files(dump):
        match = re.search(rf"(?:^|[;{{}}\s]){directive}\s+(\S+?)\s*;", text)
        if match and path not in but:
            found.append((path, match.group(1)))
    return found


def listeners(port: int, *tables: str) -> set[str]:
    """The sockets that listen on a TCP port, on any address, as links in /proc/PID/fd name them."""
    found = set()
    for table in tables or ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in text_of(table).splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def holder(sockets: set[str]) -> str:
    """Who holds one of these sockets, "apache2 (process 4711)", unless it is nginx."""
    for entry in filter(str.isdigit, os.listdir("/proc") if sockets else []):
        try:
            held = any(os.readlink(link.path) in sockets for link in os.scandir(f"/proc/{entry}/fd"))
        except OSError:
            continue
        if held:
            name = text_of(f"/proc/{entry}/comm").strip()
            return "" if name == "nginx" else f"{name} (process {entry})"
    return "a process that can't be seen from here" if sockets else ""


def front_of_house(question: dict[str, Any]) -> dict[str, Any]:
    """Answer the role."""
    port, constants, venues = int(question["port"]), question["constants"], question["venues"]
    site, taken_by, refusals, broken = default_site(), holder(listeners(port)), [], False
    tested = run("nginx", "-T", "-q")
    if tested.returncode not in (0, 127):
        message, path = fault(tested.stderr)
        # Our own file is written and tested anew by this run, a Venue's by its manager.
        broken = path in question["ours"]
        if not broken and not path.startswith(f"{venues}/"):
            refusals.append(
                f"nginx's configuration was broken before this run: {message}. Mend it first: nothing in it was "
                "changed."
            )
    for path, line in default_servers(tested.stdout, port).items():
        if path != constants and not (path == LINK and site == "untouched"):
            refusals.append(
                f"{path} declares a default server for port {port} already ({line}), and there can be but one. Take "
                "default_server out of it, or set front_of_house_http_port to another port."
            )
    if taken_by:
        refusals.append(
            f"Port {port} is taken by {taken_by}. Stop it, or set front_of_house_http_port to another port."
        )
    return {
        "refusals": refusals,
        "broken": broken,
        "taken_by": taken_by,
        "default_site": site,
        "removed_default_site": removed_default_site(question["facts"]),
        "venues": names(venues, ".conf"),
        # A limit of open files is somebody's own where nginx was told one.
        "limits_files": bool(says(tested.stdout, "worker_rlimit_nofile", question["ours"])),
        "connections": says(tested.stdout, "worker_connections", []),
    }


if __name__ == "__main__":
    reply(front_of_house)
