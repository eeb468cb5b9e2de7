# SPDX-License-Identifier: GPL-3.0-or-later
"""Foreign files and faults of nginx. The run names the file before it changes anything, or nginx recovers by itself."""

from __future__ import annotations

from conftest import VENUE, Street

MASTER = "systemctl show --property MainPID --value nginx"
CHANGED = {"acts": {"hall": {"env": {"HALL_TAKE": "two"}}}}  # another release, and another Sess


def test_fault_24_a_port_of_another_program(street: Street) -> None:
    street.host.sh("python3 -m http.server 8002 --bind 127.0.0.1 >/dev/null 2>&1 &")
    try:
        assert street.within(5, lambda: street.host.ok("ss -Hltn | grep -q :8002"))
        said = street.refused(sesses={"hall": {"port": 8002}})
        pid = street.host.sh("pgrep -f 'http[.]server 8002'").strip()
        assert f"port 8002 of this host belongs to python3 (process {pid}) already" in said
    finally:
        street.host.sh("pkill -f 'http[.]server 8002'")


def test_fault_25_a_name_in_a_foreign_file(street: Street) -> None:
    """In quotes, in upper case, in an included file, and added after our booking. nginx itself only warns."""
    place = "/etc/nginx/elsewhere/hall.site"
    with street.file_of_somebody("include elsewhere/*.site;\n"):
        street.host.write(place, f'server {{ listen 80; server_name "{VENUE.upper()}"; return 200 hijacked; }}\n')
        said = street.refused(**CHANGED)
        assert f"the name {VENUE} belongs to {place} already; rename one of them" in said
        street.host.sh(f"rm -r {place.rpartition('/')[0]}")


def test_fault_88_a_foreign_file_that_nginx_refuses(street: Street) -> None:
    """The run names file and line, also in check mode. It builds no release and starts no Sess."""
    with street.file_of_somebody("server { listen 80; }\nnonsense on;\n") as path:
        for options in ([], ["--check"]):
            said = street.refused(*options, **CHANGED)
            assert f'nginx refuses its configuration: unknown directive "nonsense" in {path}:2' in said
            assert "act hall, nginx on " in said
            assert said.endswith("mend it, then run again; nothing was changed")
        assert street.visit().status == 200
        run = street.play()
        assert (run.code, run.last["plan"]) == (0, []), "a run that needs nothing of nginx goes on"
        assert "nginx plays on, and would not start again" in run.printed


def test_fault_04_05_nginx_files_that_cannot_be_written(street: Street) -> None:
    venues = "/etc/nginx/backstage/venues"
    aliases = {"venues": {VENUE: {"aliases": ["www.hall.example.com", "new.hall.example.com"]}}}
    street.host.sh("mount --bind /etc/nginx /etc/nginx; mount -o remount,ro,bind /etc/nginx")
    try:
        assert f"{venues} can't be written: it is read-only" in street.refused(**aliases)
    finally:
        street.host.sh("umount -l /etc/nginx")
    street.host.sh(
        f"cp -a {venues} /mnt/venues; mount -t tmpfs -o size=1m tmpfs {venues}; cp -a /mnt/venues/. {venues}"
    )
    try:
        said = street.refused("--check", **aliases)
        assert f"the disk is full: what nginx reads needs 17 MiB below {venues}" in said
    finally:
        street.host.sh(f"umount -l {venues}; rm -r /mnt/venues")


def test_fault_87_nginx_killed(street: Street) -> None:
    """The old workers hold the port. The new master must get it, and must be able to reload."""
    old = street.host.sh(MASTER).strip()
    street.host.sh(f"kill -KILL {old}")
    plays = street.within(5, lambda: street.host.sh(MASTER).strip() not in (old, "0") and answers(street))
    assert plays, street.host.sh("systemctl status nginx || true")
    new = street.host.sh(MASTER).strip()
    workers = workers_of(street)
    parents = street.host.sh(f"ps -o ppid= {' '.join(workers)}").split()
    assert set(parents) == {new}, "a worker of before still answers"
    street.host.sh("nginx -s reload")
    assert street.within(5, lambda: not {*workers_of(street)} & {*workers}), "the new master does not reload"
    for _request in range(20):
        assert street.visit().status == 200


def answers(street: Street) -> bool:
    try:
        return street.visit().status == 200
    except ConnectionRefusedError:  # nobody listens yet
        return False


def workers_of(street: Street) -> list[str]:
    return street.host.sh("pgrep -f '[n]ginx: worker process$'").split()
