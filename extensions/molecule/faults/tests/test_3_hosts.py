# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed processes come back by themselves, and uWSGI refuses a truncated vassal file before it runs it as root."""

from __future__ import annotations

import time

from faults.house import House, assert_same

EMPEROR = "systemctl show --property MainPID --value backstage-emperor"


def test_fault_85_emperor_killed(house: House) -> None:
    before = house.info()
    old = house.host.sh(EMPEROR).strip()
    house.host.sh(f"kill -KILL {old}")
    began = time.monotonic()
    for venue in ("steady.example.com", "shaky.example.com"):
        assert house.answers_within(venue, 5 - (time.monotonic() - began)), f"{venue} is dark"
    assert house.plays_within(5 - (time.monotonic() - began))
    assert house.host.sh(EMPEROR).strip() not in (old, "0")
    assert_same(before, house.info())
    assert (run := house.play()).code == 0, run.message
    assert run.changed == 0


def test_fault_86_vassal_killed(house: House) -> None:
    before, bystander = house.info(), house.traces("steady")
    with house.visitors("steady.example.com/") as neighbours:
        house.host.sh(f"pkill -KILL -u {house.production}-shaky")
        assert house.answers_within("shaky.example.com", 3)
    neighbours.all_pleased()
    assert house.plays_within(3)
    assert house.traces("steady") == bystander
    assert_same(before, house.info())


def test_fault_86_worker_killed(house: House) -> None:
    before, bystander = house.info(), house.traces("steady")
    with house.visitors("steady.example.com/") as neighbours:
        house.host.sh(f"pkill -KILL -u {house.production}-shaky -f 'uWSGI worker'")
        assert house.answers_within("shaky.example.com", 3)
    neighbours.all_pleased()
    assert house.traces("steady") == bystander
    assert_same(before, house.info())


def test_fault_89_truncated_vassal(house: House) -> None:
    """Wherever the file is cut, no process of the vassal runs as root, and the Act plays on."""
    sess = house.info()["sesses"]["shaky"]["sess"]
    ini = house.host.read(f"{house.root}/acts/shaky/sesses/{sess}/uwsgi.ini")
    options = [line for line in ini.splitlines() if line and line[0] not in ";["]
    assert options[:2] == [f"uid = {house.production}-shaky", f"gid = {house.production}-shaky"]
    uid = ini.index("uid = ")
    cuts = [
        ini[:uid],
        ini[: uid + 4],
        ini[: uid + 8],
        ini[: ini.index("\n", uid) + 1],
        ini[: len(ini) // 2],
        ini[: ini.index("\nlogto2")],
    ]
    door = "/srv/backstage/cut"  # where no nginx asks
    cuts = [text.replace(f"{house.root}/acts/shaky/sesses/{sess}/door/s", door) for text in cuts]
    place = "/etc/backstage/vassals/cut-{}.ini"
    roots = (
        "ps -o args= -u root | grep -i uwsg[i] | grep -v '<defunct>' | sort"  # an ended vassal that is not reaped yet
    )
    before = house.host.sh(roots)
    with house.visitors() as visitors:
        for number, text in enumerate(cuts):
            house.host.write(place.format(number), text)
        time.sleep(4)  # the emperor looks every three seconds
        # while the emperor tries one of them again, its first process is still root's
        is_as_before = house.within(10, lambda: house.host.sh(roots) == before)
        found = house.host.sh(roots)
        house.host.sh(f"rm {place.format('*')}")
        time.sleep(4)
        house.host.sh(f"rm -f {door}")
    visitors.all_pleased()
    assert is_as_before, found


def mendable(house: House) -> list[dict[str, str]]:
    """Return the differences that a playbook repairs."""
    return [one for one in house.info()["drift"] if one["cure"] in ("deploy", "site")]


def test_fault_95_files_changed_by_hand(house: House) -> None:
    """status names each file, the plan shows the change, and the named playbook repairs it. Every Act plays on."""
    act, player = f"{house.root}/acts/shaky", f"{house.production}-shaky"
    venue = f"/etc/nginx/backstage/venues/{house.production}.shaky.example.com.conf"
    deploys = [f"{act}/data", f"{act}/media", f"user {player}, shell", "/uwsgi.ini", "/env", venue]
    site = ["/etc/nginx/conf.d/backstage.conf", "/etc/nginx/backstage/uwsgi.params", "/backstage_wrapper.py"]
    assert mendable(house) == []
    house.host.sh(
        f"chmod 0755 {act}/data && chmod 0700 {act}/media && usermod --shell /bin/sh {player}"
        f" && for f in {venue} {site[0]} /usr/local/lib/backstage/wrapper{site[2]}; do echo '# by hand' >> $f; done"
        f" && echo '; by hand' >> {act}/live/uwsgi.ini && chmod 0600 {site[1]} && chmod 0755 {act}/live/env"
    )
    told = mendable(house)
    for cure, places in (("deploy", deploys), ("site", site)):
        found = [one["where"] for one in told if one["cure"] == cure]
        assert [place for place in places if not any(where.endswith(place) for where in found)] == []
    planned = house.play("--check", "--diff")
    assert "shaky: repair users and modes that were changed by hand" in planned.printed
    assert mendable(house) == told, "check mode mends nothing"
    with house.visitors("steady.example.com/") as neighbours:
        assert (run := house.play()).code == 0, run.message
    neighbours.all_pleased()
    assert {one["cure"] for one in mendable(house)} == {"site"}
    assert (run := house.play(playbook="site")).code == 0, run.message
    assert mendable(house) == []
    assert house.play().changed == 0


def test_nginx_refuses_files_of_the_front_of_house(house: House) -> None:
    """The role restores the earlier files, and no visitor notices."""
    written = "find /etc/backstage /etc/nginx /usr/local/share/backstage -type f -printf '%p %T@ %m %u %g\\n' | sort"
    before = house.host.sh(written)
    with house.visitors("steady.example.com/") as visitors:
        run = house.play(playbook="site", front_of_house_http_port=70000)
    visitors.all_pleased()
    assert run.code != 0
    assert "nginx -t -q refuses what was written: " in run.printed
    assert 'invalid port in "70000"' in run.printed
    assert house.host.sh(written) == before
    assert (run := house.play(playbook="site")).code == 0, run.message
    assert run.changed == 0


LOGS = "/var/log/backstage/faults"


def test_fault_92_run_wiped(house: House) -> None:
    """Only the emperor's FIFO is in /run. Every Act plays on, and a run names the cure."""
    before = house.traces("steady")
    try:
        with house.visitors() as visitors:
            house.host.sh("rm -rf /run/backstage/*")
            run = house.play(acts={"shaky": {"env": {"BAND_TUNE": "deaf"}}})
        visitors.all_pleased()
        assert run.code != 0
        assert "restart the service backstage-emperor" in run.message
        assert house.traces("steady") == before
    finally:
        house.host.sh("systemctl restart backstage-emperor")
    assert house.answers_within("steady.example.com", 10)
    assert house.plays_within(5)
    house.good()
    assert house.leftovers() == []


def test_fault_92_log_directory_removed(house: House) -> None:
    with house.visitors() as visitors:
        house.host.sh(f"rm -rf {LOGS}")
        assert house.play(acts={"shaky": {"env": {"BAND_TUNE": "quiet"}}}).code == 0
    visitors.all_pleased()
    assert house.host.sh(f"stat -c '%a %U %G' {LOGS} {LOGS}/shaky.log") == "750 root adm\n640 root adm\n"
    house.good()


def test_fault_92_disk_full_of_logs(house: House) -> None:
    """A Sess that can't write its log goes on answering."""
    house.host.sh(f"mount -t tmpfs -o size=256k,mode=750,gid=adm tmpfs {LOGS}")
    try:
        assert house.play(acts={"shaky": {"env": {"BAND_TUNE": "loud"}}}).code == 0
        house.host.sh(f"dd if=/dev/zero of={LOGS}/full bs=1k count=1024 2>/dev/null || true")
        with house.visitors() as visitors:
            time.sleep(1)
        visitors.all_pleased()
    finally:
        house.host.sh(f"umount -l {LOGS}")
    house.good()
