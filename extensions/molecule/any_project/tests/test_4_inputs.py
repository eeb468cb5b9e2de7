# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of requirements, archives, hosts and texts (rows 9, 37, 48 and 50), and secrets on their way."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from bed import Bed, failures
from mishaps import Mishaps

TRACE = "/opt/garage-trace"  # what nobody may leave, here or on a host
BAD_REQUIREMENTS = {
    "bad-line": ("Django=5.2.15\n", "Django=5.2.15"),
    "gone": ("Django==5.2.15\ngarage-gone==1.0\n", "the package 'garage-gone' is not in the index"),
    "other-version": ("Django==5.2.99\n", "Django==5.2.99"),
    "other-hash": (f"asgiref==3.13.0 --hash=sha256:{'0' * 64}\n", "asgiref"),
    "other-python": ("garage-future==1.0\n", "Python"),
}


@pytest.fixture(scope="module")
def stage(bed: Bed) -> Mishaps:
    found = Mishaps(bed, bed.fork("mishaps/inputs").url)
    assert found.play().code == 0
    return found


def base(bed: Bed) -> dict[str, str]:
    return {"path": str(bed.checkout / "tests/corpus/base")}


def with_requirements(bed: Bed, text: str) -> dict[str, Any]:
    return {"source": base(bed), "files": [{"path": "requirements.txt", "content": text}]}


def test_fault_09_bad_requirements(stage: Mishaps) -> None:
    """Each Act is told its own, and those that play aren't touched."""
    acts = {name.replace("-", "_"): with_requirements(stage.bed, text) for name, (text, _s) in BAD_REQUIREMENTS.items()}
    run = stage.play(**acts)
    for name, (_text, said) in BAD_REQUIREMENTS.items():
        line = stage.refused(run, "environment", stage.host, act=name)
        assert said in line
    assert set(failures(run)) == {(name, stage.host) for name in BAD_REQUIREMENTS}
    stage.converges()


def test_fault_09_index_down(stage: Mishaps) -> None:
    other = with_requirements(stage.bed, "Django==5.2.15\nwhitenoise\n")
    with stage.bed.dark():
        run = stage.play(shaky=other)
        stage.refused(run, "environment", stage.host, stage.bed.stock["url"])
    assert stage.play(shaky=other).code == 0
    stage.converges()


def test_fault_09_wrong_password_of_the_index(stage: Mishaps) -> None:
    index = {"extra_urls": [f"{stage.bed.stock['url']}/private/simple/"], "username": "reader"}
    other = with_requirements(stage.bed, "Django==5.2.15\ngarage-solo==1.0\n")
    wrong = {**other, "index": {**index, "password": "not-the-password-1f7c"}}
    run = stage.play(shaky=wrong)
    stage.refused(run, "environment", stage.host, "password")
    assert "not-the-password-1f7c" not in run.printed
    stage.converges()


@pytest.mark.parametrize(("key", "value"), [("ID", "ubuntu"), ("VERSION_ID", "11")])
def test_fault_37_another_system(stage: Mishaps, key: str, value: str) -> None:
    """The first thing that `site` asks a host, before it changes anything there."""
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
    stage.converges()


def test_fault_37_missing_package(stage: Mishaps) -> None:
    lines = {"source": base(stage.bed), "packages": ["garage-no-such-package"]}
    stage.refused(stage.play(shaky={**lines}), "packages", "garage-no-such-package", stage.host)
    assert "garage-no-such-package" in stage.play("site", shaky={**lines}).printed
    stage.plays_on()
    stage.converges()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


MALICIOUS = {
    "above": [_entry(f"club/../../..{TRACE}")],
    "absolute": [_entry(TRACE)],
    "link-out": [_entry("club/out", tarfile.SYMTYPE, "/opt"), _entry("club/out/garage-trace")],
    "link-up": [_entry("club/out", tarfile.SYMTYPE, "../../../..")],
    "hard-link": [_entry("club/passwd", tarfile.LNKTYPE, "/etc/passwd")],
    "device": [_entry("club/null", tarfile.CHRTYPE)],
    "pipe": [_entry("club/pipe", tarfile.FIFOTYPE)],
}


@pytest.mark.parametrize("kind", MALICIOUS)
def test_fault_48_malicious_archive(stage: Mishaps, kind: str, tmp_path: Path) -> None:
    archive = tmp_path / "evil.tar"
    with tarfile.open(archive, "w") as tar:
        for member in [_entry("club/manage.py"), *MALICIOUS[kind]]:
            tar.addfile(member, io.BytesIO(b""))
    checksum = "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()
    run = stage.play(shaky={"source": {"archive": str(archive), "checksum": checksum}})
    stage.refused(run, str(archive))
    assert not Path(TRACE).exists()
    assert not stage.bed.hosts[stage.host].ok(f"test -e {TRACE}")


def test_an_archive_with_another_checksum(stage: Mishaps) -> None:
    other = {"archive": f"{stage.bed.stock['url']}/archives/club-1.0.tar.gz", "checksum": f"sha256:{'1' * 64}"}
    stage.refused(stage.play(shaky={"source": other}), "is not what its checksum says", stage.bed.stock["tar_sha256"])
    stage.refused(stage.play(shaky={"source": {"archive": other["archive"]}}), "checksum: is missing")
    gone = {**other, "archive": f"{stage.bed.stock['url']}/archives/club-9.9.tar.gz"}
    stage.refused(stage.play(shaky={"source": gone}), "club-9.9.tar.gz", "404")
    stage.converges()


class _Unsafe(str):
    """A text that Ansible is not to take for a template."""


yaml.SafeDumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def test_fault_50_jinja_in_texts(stage: Mishaps, tmp_path: Path) -> None:
    """In values of the manifest, in files of a project, and in what a failing project says: it stays text."""
    jinja = "{{ lookup('pipe', 'touch /opt/garage-trace') }} {% raw %} {{ 6 * 7 }}"
    say = 'import os\nfrom .settings import *\nCLUB = os.environ["CLUB_SAYS"] + " first plays"\n'
    fail = f"from .settings import *\nraise ValueError({jinja!r})\n"
    acts = {
        "shaky": {
            "source": base(stage.bed),
            "settings": "club.stage",
            "env": {"CLUB_SAYS": _Unsafe(jinja)},
            "files": [{"path": "club/stage.py", "content": say}],
        },
        "failing": {
            "source": base(stage.bed),
            "settings": "club.stage",
            "files": [{"path": "club/stage.py", "content": _Unsafe(fail)}],
        },
    }
    variables = tmp_path / "manifest.yml"
    manifest = stage.manifest(acts)
    variables.write_text(yaml.dump({"backstage_acts": manifest.pop("backstage_acts")}, Dumper=yaml.SafeDumper))
    run = stage.bed.controller(stage.host).play("deploy", f"--extra-vars=@{variables}", **manifest)
    ((_act, _host), (_step, said)) = next(iter(failures(run).items()))
    assert jinja in said
    assert (
        "{{ lookup(&#x27;pipe&#x27;, &#x27;touch /opt/garage-trace&#x27;) }} {% raw %} {{ 6 * 7 }} first"
        in stage.page()
    )
    assert not Path(TRACE).exists()
    assert not stage.bed.hosts[stage.host].ok(f"test -e {TRACE}")
    stage.converges()
