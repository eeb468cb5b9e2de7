# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that are slow or fail after the switch, and runs that must change nothing or refuse."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from faults.host import PROJECT
from faults.house import House, assert_same

TAKE = {"path": "band/take.py", "content": "TAKE = 'the second take'\n"}
CRASHES = """\
import os

if os.path.exists(os.path.join(os.environ["BACKSTAGE_DATA"], "crash")):
    os._exit(1)

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
"""


@pytest.fixture(autouse=True)
def ends_as_it_began(house: House) -> Iterator[None]:
    """After each test the good run must restore everything."""
    before = house.info()
    yield
    house.good()
    after = house.info()
    for found in (before, after):
        # the same release; its Sess and the time of its start may differ
        found.update(sesses={name: sess["release"] for name, sess in found["sesses"].items()})
        found.update(playbill=[], stdout="", stdout_lines=[])
    assert_same(before, after)
    assert house.leftovers() == []


FORGER = """\
import os

line = open("/proc/self/cmdline", "rb").read().split(b"\\0")
os.write(int(line[-2]), b"5")
os._exit(0)
"""


def test_fault_21_slow_to_boot(house: House) -> None:
    slow = {
        "path": "band/wsgi.py",
        "content": "import time\ntime.sleep(4)\nfrom django.core.wsgi import *\napplication = get_wsgi_application()\n",
    }
    with house.visitors() as visitors:
        run = house.play(acts={"shaky": {"files": [slow, TAKE]}})
    assert run.code == 0, run.message
    visitors.all_pleased()
    seen = visitors.seen["shaky.example.com"]
    assert [page.split(":")[0] for page in seen.pages] == ["shaky take-0000", "shaky the second take"]
    assert seen.slowest < 3, "visitors waited for the new one to boot"


def test_fault_20_hanging_request_of_a_live_act(house: House) -> None:
    """uWSGI kills the worker after the Act's timeout. Other Acts notice nothing, and this one answers again."""
    assert house.play(acts={"shaky": {"timeout": 2}}).code == 0
    with house.visitors("steady.example.com/") as neighbours:
        began = time.monotonic()
        said = house.get("shaky.example.com", "/slow/?seconds=60")
        took = time.monotonic() - began
    assert said["status"] == 502
    assert 1 < took < 10, took
    neighbours.all_pleased()
    assert house.answers_within("shaky.example.com", 5)


def test_fault_22_crashes_after_the_gate(house: House) -> None:
    """The emperor restarts it less and less often, status shows it as dark, and no other Act is touched."""
    bystander = house.traces("steady")
    files = [{"path": "band/wsgi.py", "content": CRASHES}]
    assert house.play(acts={"shaky": {"files": files}}).code == 0
    mark, log = f"{house.root}/acts/shaky/data/crash", f"/var/log/backstage/{house.production}/shaky.log"
    with house.visitors("steady.example.com/") as neighbours:
        end = int(house.host.sh(f"stat -c %s {log}"))
        house.host.sh(f"touch {mark}; pkill -KILL -u {house.production}-shaky")
        time.sleep(6)
        starts = int(house.host.sh(f"tail -c +{end} {log} | grep -c 'uwsgi socket 0' || true"))
        info = house.info()
    neighbours.all_pleased()
    assert house.traces("steady") == bystander
    assert info["sesses"]["shaky"]["state"] == "dark"
    assert info["sesses"]["steady"]["state"] == "playing"
    assert any("shaky: dark" in line for line in info["playbill"]), info["playbill"]
    assert 1 <= starts <= 15, starts
    house.good()
    assert house.info()["sesses"]["shaky"]["state"] == "playing"
    house.host.sh(f"rm {mark}")


def test_fault_32_rollback_without_an_earlier_release(house: House) -> None:
    before = house.info()
    run = house.play(playbook="rollback", act="steady")
    assert run.code != 0
    assert run.message == "act steady: there is no earlier release to roll back to"
    assert_same(before, house.info())


def test_fault_32_rollback_to_a_broken_release(house: House) -> None:
    """Somebody damaged the earlier release on disk. The gate refuses it. The present one plays on, without a hold."""
    earlier = house.info()["acts"]["shaky"]["live"]
    assert house.play(acts={"shaky": {"files": [TAKE]}}).code == 0
    before = house.info()
    code = f"{house.root}/acts/shaky/releases/{earlier}/code/band/wsgi.py"
    house.host.sh(f"cp -a {code} /root/wsgi.py; echo 'raise RuntimeError(\"broken by hand\")' >>{code}")
    try:
        with house.visitors() as visitors:
            run = house.play(playbook="rollback", act="shaky", acts={"shaky": {"files": [TAKE]}})
    finally:
        house.host.sh(f"cp -a /root/wsgi.py {code}; rm /root/wsgi.py")
    visitors.all_pleased()
    assert run.code != 0
    assert run.message.startswith("act shaky, start on h1: ")
    assert "RuntimeError: broken by hand" in run.log
    assert_same(before, house.info())


def test_fault_33_a_second_deploy_of_the_same_release(house: House) -> None:
    nginx = "ps -o pid=,lstart=,args= -C nginx | sort"
    before = [house.traces("steady"), house.traces("shaky"), house.host.sh(nginx)]
    run = house.play()
    assert (run.code, run.changed) == (0, 0)
    assert before == [house.traces("steady"), house.traces("shaky"), house.host.sh(nginx)]


def test_fault_36_check_mode_after_a_failed_run(house: House) -> None:
    broken = {"files": [{"path": "band/settings.py", "content": "DEBUG = (\n"}]}
    assert house.play(acts={"shaky": broken}).code != 0
    before = [house.traces("steady"), house.traces("shaky")]
    for changes in ({}, {"shaky": broken}):
        run = house.play("--check", "--diff", acts=changes)
        assert run.code == 0, run.message
        assert bool(run.changed) == bool(changes), run.last.get("plan")
    assert before == [house.traces("steady"), house.traces("shaky")]


def test_fault_36_check_mode_on_a_fresh_host(house: House) -> None:
    fresh = House(PROJECT / "extensions/molecule/faults", "h2", house.work)
    look = "dpkg -l | md5sum; ls /srv; find /etc /srv /usr /var /root -xdev -newer /root/stamp -not -path '*/.ansible*'"
    fresh.host.sh("mkdir -p -m 0700 /root/.ansible; touch /root/stamp; sleep 0.01")  # Ansible makes it on any host
    before = fresh.host.sh(look)
    here = {"backstage_sess_defaults": {"hosts": "h2"}}
    run = fresh.play(
        "--check", "--diff", "-i", str(PROJECT / "extensions/molecule/faults/fresh"), playbook="site", **here
    )
    assert run.code == 0, run.printed[-3000:]
    assert [step["verb"] for step in run.last["plan"]].count("play") == 2
    assert fresh.host.sh(look) == before


def test_fault_55_rotated_secret(house: House) -> None:
    """One switch of the same release brings the new value, and the old value is nowhere on the host."""
    old, new = "shaky-secret-key-of-the-faults", "shaky-secret-key-after-it-leaked"
    holds_old = f"grep -rlsF {old} /srv /etc /var/log /run /tmp /root/.ansible"
    before = house.info()
    assert house.key("shaky.example.com") == sha256(old.encode()).hexdigest()
    assert house.host.sh(holds_old, check=False).split() == [
        f"{house.root}/acts/shaky/sesses/{before['sesses']['shaky']['sess']}/env/SECRET_KEY"
    ]
    with house.visitors() as visitors:
        run = house.play(acts={"shaky": {"secrets": {"SECRET_KEY": new}}})
    assert run.code == 0, run.message
    visitors.all_pleased()
    assert [(step["noun"], step["name"], step["verb"]) for step in run.last["plan"]] == [("sess", "shaky", "play")]
    assert run.last["plan"][0]["after"]["because"] == ["secret SECRET_KEY changed"]
    assert house.key("shaky.example.com") == sha256(new.encode()).hexdigest()
    after = house.info()
    assert after["acts"]["shaky"]["live"] == before["acts"]["shaky"]["live"]
    assert after["sesses"]["shaky"]["sess"] != before["sesses"]["shaky"]["sess"]
    assert house.host.sh(holds_old, check=False) == ""
    assert old not in run.printed
    assert new not in run.printed


def test_fault_31_wrong_host_key(house: House, tmp_path: Path) -> None:
    before, known = house.traces("shaky"), tmp_path / "known_hosts"
    subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    address = house.host.sh("hostname -I").split()[0]
    known.write_text(f"{address} {(tmp_path / 'key.pub').read_text()}")
    strict = f"-o StrictHostKeyChecking=yes -o UserKnownHostsFile={known} -o ControlPath=none"
    run = house.play(playbook="site", ansible_ssh_extra_args=strict, ansible_host_key_checking=True)
    assert run.code == 4
    assert "Host key verification failed" in run.printed
    assert house.traces("shaky") == before


def test_fault_31_sudo_wants_a_password(house: House) -> None:
    before = house.traces("shaky")
    house.host.sh("""
        id stagehand 2>/dev/null || useradd --create-home stagehand
        cp -r /root/.ssh /home/stagehand/ && chown -R stagehand: /home/stagehand/.ssh
        printf 'stagehand ALL=(ALL) ALL\n' >/etc/sudoers.d/stagehand
    """)
    try:
        run = house.play(playbook="site", ansible_user="stagehand")
    finally:
        house.host.sh("rm /etc/sudoers.d/stagehand; userdel --remove --force stagehand 2>/dev/null || true")
    assert run.code == 2
    assert "sudo" in run.printed
    assert "password" in run.printed
    assert house.traces("shaky") == before


def test_a_forged_report_fails_only_its_own_act(house: House) -> None:
    forger = {"path": "manage.py", "content": FORGER}
    run = house.play(acts={"shaky": {"files": [forger, TAKE]}, "steady": {"env": {"BAND_TUNE": "another"}}})
    assert run.code != 0
    assert run.message.startswith("act shaky, settings on h1: the Act's Python wrote a report that is not accepted")
    assert house.get("steady.example.com")["page"].startswith("another ")
