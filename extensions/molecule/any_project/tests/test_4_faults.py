# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the network, of the controller's cache and of hosts (FAULTS 6, 7, 8, 9, 37, 50). The next run converges."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import house
import pytest
import yaml
from bed import Bed, failures, returned
from faults.controller import Run, Running
from mishaps import SHAKY, Mishaps, mirrors

TRACE = "/opt/garage-trace"  # what nobody may leave, here or on a host


@pytest.fixture(scope="module")
def stage(bed: Bed) -> Iterator[Mishaps]:
    found = Mishaps(bed, bed.fork("mishaps/plain").url)
    found.converges()
    yield found
    found.converges()


def played(run: Run) -> None:
    assert run.code == 0, run.printed[-3000:]


def git_processes(run: Running, *does: str) -> list[int]:
    """Return the git processes of a run for one of these commands. Ansible's workers have their own sessions."""
    parents, words = {}, {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            words[int(place.name)] = (place / "cmdline").read_text().split("\0")
    ours, more = {run.process.pid}, {run.process.pid}
    while more:
        more = {pid for pid, parent in parents.items() if parent in more}
        ours |= more
    return [pid for pid in ours if any(word in words.get(pid, ()) for word in does)]


def fetching(run: Running) -> list[int]:
    """Wait until the run receives data, and return its git processes."""
    while run.process.poll() is None:
        if found := git_processes(run, "index-pack", "unpack-objects"):
            return found
        time.sleep(0.05)
    raise AssertionError(run.end().printed[-3000:])


def slow(bed: Bed, seconds: int) -> str:
    """Return the URL of a repository that takes this long to fetch."""
    fork = bed.fork("slow/plain")
    fork.commit({"ballast": os.urandom(200_000 * seconds)})
    return fork.url


def test_fault_06_network_cut_in_a_fetch(stage: Mishaps) -> None:
    url = slow(stage.bed, 60)
    run = stage.start(shaky={"source": {"git": url, "version": "main"}})
    fetching(run)
    with stage.bed.dark():
        ended = run.end()
    stage.refused(ended, url)


def test_fault_06_git_killed(stage: Mishaps) -> None:
    """The run fetches once more, into an empty directory."""
    run = stage.start(shaky={"source": {"git": slow(stage.bed, 3), "version": "main"}})
    for pid in fetching(run):
        os.kill(pid, signal.SIGKILL)
    played(run.end())
    assert "second plays" in stage.page()


def test_fault_07_the_remains_of_a_killed_fetch(stage: Mishaps) -> None:
    fork = stage.bed.fork("mishaps/left")
    shutil.rmtree(stage.bed.cache, ignore_errors=True)
    fork.edition("to be left")
    played(stage.play(shaky={"source": {"git": fork.url, "version": "main"}}))
    (mirror,) = mirrors(stage.bed)
    for lock in ("index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "shallow.lock", "refs/heads/main.lock"):
        (mirror / lock).touch()
    (mirror / "objects/pack/tmp_pack_killed").write_bytes(b"PACK")
    fork.edition("mended")
    played(stage.play(shaky={"source": {"git": fork.url, "version": "main"}}))
    assert "mended plays" in stage.page()
    for path in (mirror / "objects").rglob("*"):  # and a copy that is damaged
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:20])
    fork.edition("afresh")
    played(stage.play(shaky={"source": {"git": fork.url, "version": "main"}}))
    assert "afresh plays" in stage.page()


def test_fault_07_two_runs_at_once(stage: Mishaps) -> None:
    """Both runs of one controller share an empty cache, each for another host."""
    fork = stage.bed.fork("mishaps/shared")
    shutil.rmtree(stage.bed.cache, ignore_errors=True)
    fork.edition("shared")
    shaky = {"source": {"git": fork.url, "version": "main"}}
    other = Mishaps(stage.bed, fork.url, "h2")
    for run in [stage.start(shaky=shaky), other.start(shaky=shaky)]:
        played(run.end())
    assert "shared plays" in stage.page()
    assert "shared plays" in other.page()


def test_fault_08_moved_tag_and_forced_branch(stage: Mishaps) -> None:
    """Each run resolves the name again, and records the commit."""
    fork = stage.bed.fork("mishaps/moved")
    fork.tag("v3", fork.edition("as tagged"))
    played(stage.play(shaky={"source": {"git": fork.url, "version": "v3"}}))
    assert "as tagged plays" in stage.page()
    commit = fork.edition("tagged anew", force=True)
    fork.tag("v3", commit)
    played(stage.play(shaky={"source": {"git": fork.url, "version": "v3"}}))
    assert "tagged anew plays" in stage.page()
    again = stage.play(shaky={"source": {"git": fork.url, "version": "main"}})
    played(again)
    assert [step["verb"] for step in returned(again, "plan")[stage.host]] == ["change"]  # its record's word for it
    live = "$(readlink -f /srv/backstage/mishaps/acts/shaky/live/release)"
    assert commit in stage.bed.hosts[stage.host].sh(f"cat {live}/release.json")


def test_a_branch_that_moves_during_the_run(bed: Bed) -> None:
    """Both hosts play the commit that the run found first."""
    fork = bed.fork("mishaps/moving")
    fork.edition("before the run")
    manifest = Mishaps(bed, fork.url, "{{ inventory_hostname }}")
    manifest.good = {"source": {"git": fork.url, "version": "main"}}
    look = "ls /srv/backstage/mishaps/acts/shaky/releases 2>/dev/null || true"
    before = bed.hosts["h1"].sh(look)
    run = bed.controller().start("deploy", "--forks=1", **manifest.manifest({}))
    while run.process.poll() is None and bed.hosts["h1"].sh(look) == before:
        time.sleep(0.1)
    fork.edition("during the run")
    played(run.end())
    for address in bed.addresses.values():
        assert "before the run plays" in house.ask(address, SHAKY).text


def test_fault_09_index_down(stage: Mishaps) -> None:
    stage.converges()
    base = {"path": str(stage.bed.checkout / "tests/corpus/base")}
    # uv has no cache for the index under this name
    more = {"source": base, "index": {"url": "https://supplies/simple/"}}
    with stage.bed.dark():
        # the host has this source already, and no repository is asked for a full commit id
        run = stage.play(more=more, shaky={"source": {**stage.good["source"], "version": stage.bed.stock["commit"]}})
        stage.refused(run, "environment", stage.host, "https://supplies/simple/", act="more")
    played(stage.play(more=more))


@pytest.mark.parametrize(("key", "value"), [("ID", "ubuntu"), ("VERSION_ID", "11")])
def test_fault_37_another_system(stage: Mishaps, key: str, value: str) -> None:
    """`site` checks this first, before it changes anything on the host."""
    host = stage.bed.hosts[stage.host]
    host.sh("cp /usr/lib/os-release /root/os-release")
    try:
        host.sh(f"sed -i 's/^{key}=.*/{key}={value}/' /usr/lib/os-release")
        run = stage.play("site")
    finally:
        host.sh("mv /root/os-release /usr/lib/os-release")
    assert run.code != 0
    assert run.changed == 0
    assert "Debian 12" in run.message
    stage.plays_on()


class _Unsafe(str):
    """A text that Ansible must not treat as a template."""


class _Dumper(yaml.SafeDumper):
    """Write such texts as !unsafe."""


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def test_fault_50_jinja_stays_text(stage: Mishaps, tmp_path: Path) -> None:
    """In values of the manifest, in files of a project, and in the output of a failing project."""
    jinja = f"{{{{ lookup('pipe', 'touch {TRACE}') }}}} {{% raw %}} {{{{ 6 * 7 }}}}"
    base = {"path": str(stage.bed.checkout / "tests/corpus/base")}
    say = "import os\nfrom .settings import *\nCLUB = os.environ['CLUB_SAYS'] + ' first'\n"
    fail = f"from .settings import *\nraise ValueError({jinja!r})\n"
    acts = {
        "shaky": {
            "source": base,
            "settings": "club.stage",
            "env": {"CLUB_SAYS": _Unsafe(jinja)},
            "files": [{"path": "club/stage.py", "content": say}],
        },
        "failing": {
            "source": base,
            "settings": "club.stage",
            "files": [{"path": "club/stage.py", "content": _Unsafe(fail)}],
        },
    }
    variables = tmp_path / "manifest.yml"
    manifest = stage.manifest(acts)
    variables.write_text(yaml.dump({"backstage_acts": manifest.pop("backstage_acts")}, Dumper=_Dumper))
    run = stage.bed.controller(stage.host).play("deploy", f"--extra-vars=@{variables}", **manifest)
    assert jinja in failures(run)["failing", stage.host][1]
    assert jinja.replace("'", "&#x27;") + " first plays" in stage.page()
    assert not Path(TRACE).exists()
    assert not stage.bed.hosts[stage.host].ok(f"test -e {TRACE}")
