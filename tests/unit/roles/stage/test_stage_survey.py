# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role stage refuses, and what it finds."""

from __future__ import annotations

from pathlib import Path

import pytest
import stage_survey


@pytest.fixture(name="vassals")
def fixture_vassals(tmp_path: Path) -> Path:
    """The emperor's directory, with a Sess that plays and something that no emperor starts."""
    vassals = tmp_path / "vassals"
    vassals.mkdir()
    (vassals / "backstage.jazz.kittens.0123456789ab.1.ini").symlink_to("/srv/backstage/jazz/acts/kittens/uwsgi.ini")
    (vassals / "README").touch()
    (vassals / ".backstage.new.ini").touch()
    return vassals


@pytest.mark.parametrize(
    ("name", "target", "foreign"),
    [
        ("blog.ini", "", True),
        ("blog.yaml", "", True),
        ("blog.json", "", True),
        ("blog.ini", "/etc/uwsgi/apps-available/blog.ini", True),
        ("backstage.jazz.blog.0123456789ab.1.ini", "", True),
        ("backstage.jazz.blog.0123456789ab.1.ini", "/srv/backstage/jazz/acts/blog/uwsgi.ini", False),
        ("backstage.jazz.blog.0123456789ab.1.ini.door", "", False),
        ("notes.txt", "", False),
    ],
)
def test_foreign_vassals(vassals: Path, name: str, target: str, foreign: bool) -> None:
    """Ours is a link to a Sess; of the rest only what an emperor would start is in the way."""
    path = vassals / name
    if target:
        path.symlink_to(target)
    else:
        path.touch()
    assert stage_survey.foreign_vassals(str(vassals)) == ([str(path)] if foreign else [])


def test_what_plays(vassals: Path) -> None:
    """A vassal that is only being made does not play yet."""
    answer = stage_survey.stage({"vassals": str(vassals), "ini": "/none.ini", "tools": "/none"})
    allowed = int(Path("/proc/sys/net/core/somaxconn").read_text())
    playing = ["backstage.jazz.kittens.0123456789ab.1.ini"]
    assert answer == {"refusals": [], "playing": playing, "uv": "", "somaxconn": allowed}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--emperor", "{vassals}"],
        ["--emperor={vassals}"],
        ["--emperor", "{vassals}/*.ini"],
        ["--master", "--vassals-dir", "{vassals}/"],
        ["{ini}"],
        ["--ini", "{ini}"],
        ["--ini={ini}"],
    ],
)
def test_another_emperor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vassals: Path, arguments: list[str]) -> None:
    """However it was told, an emperor that watches our directory is named; ours is not."""
    ini = tmp_path / "theirs.ini"
    ini.write_text(f"[uwsgi]\nemperor = {vassals}\n", encoding="utf-8")
    running = {
        1: ["/sbin/init"],
        2: ["/usr/bin/uwsgi", *(argument.format(vassals=vassals, ini=ini) for argument in arguments)],
        3: ["/usr/bin/uwsgi-core", "--ini", "/etc/backstage/emperor.ini"],
        4: ["/usr/bin/uwsgi-core", "--emperor", "/etc/uwsgi/vassals"],
    }
    monkeypatch.setattr(stage_survey, "processes", lambda: iter(running))
    monkeypatch.setattr(stage_survey, "arguments", running.__getitem__)
    (refusal,) = stage_survey.refusals(str(vassals), "/etc/backstage/emperor.ini")
    assert refusal.startswith(f"Another emperor watches {vassals}: process 2 (/usr/bin/uwsgi ")
    assert refusal.endswith("Stop and disable it, or set stage_vassals to another directory.")


def test_the_packaged_emperor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, vassals: Path) -> None:
    """Debian's own emperor is named though it doesn't run yet: it would at the next boot."""
    packaged = tmp_path / "emperor.ini"
    packaged.write_text(f"[uwsgi]\nautoload = true\nemperor = {vassals}\n", encoding="utf-8")
    monkeypatch.setattr(stage_survey, "PACKAGED", str(packaged))
    monkeypatch.setattr(stage_survey, "missing_packages", lambda wanted: [])
    assert stage_survey.other_emperors(str(vassals), "/none.ini") == [f"the package uwsgi-emperor ({packaged})"]
    monkeypatch.setattr(stage_survey, "missing_packages", lambda wanted: wanted)
    assert stage_survey.other_emperors(str(vassals), "/none.ini") == []


@pytest.mark.parametrize("directory", ["vassals", "/etc/vassals;", "/etc/my vassals", "/etc/va\nssals", "/@(exec)", ""])
def test_a_directory_stays_a_directory(directory: str) -> None:
    """The directory's name stands in an ini file, a unit and a shell script: it must mean nothing to them."""
    (refusal,) = stage_survey.refusals(directory, "/none.ini")
    assert refusal.startswith(f"stage_vassals is {directory!r}: give an absolute path")


def test_uv_counts_when_it_is_whole(tmp_path: Path) -> None:
    """pip writes the record last, so an interrupted installation has none."""
    uv, record = tmp_path / "bin/uv", tmp_path / "lib/python3.13/site-packages/uv-0.11.0.dist-info/RECORD"
    for path in (uv, record):
        path.parent.mkdir(parents=True)
    uv.touch(0o755)
    assert stage_survey.uv_version(str(tmp_path)) == ""
    record.touch()
    assert stage_survey.uv_version(str(tmp_path)) == "0.11.0"
    uv.unlink()
    assert stage_survey.uv_version(str(tmp_path)) == ""
