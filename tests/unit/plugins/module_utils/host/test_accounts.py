# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and groups by their files: what the C library says of them, without reading all of them for each."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import accounts

from ...costs import opened
from ...house import enlist


def test_what_the_c_library_says() -> None:
    enlist({"curtain": "/nonexistent", "stagehand": "/srv/stagehand"})
    for entry in pwd.getpwall():
        assert accounts.user(entry.pw_name) == pwd.getpwnam(entry.pw_name)
        extra = [number for number in os.getgrouplist(entry.pw_name, entry.pw_gid) if number != entry.pw_gid]
        assert accounts.extra_groups(entry) == sorted(grp.getgrgid(number).gr_name for number in extra)
    for group in grp.getgrall():
        assert accounts.group_id(group.gr_name) == group.gr_gid


def test_nobody() -> None:
    for ask in (accounts.user, accounts.group_id):
        with pytest.raises(KeyError):
            ask("nobody-of-this-name")


def test_the_files_are_read_once_and_again_when_they_have_changed() -> None:
    enlist({"curtain": "/nonexistent", "stagehand": "/srv/stagehand"})
    accounts.user("stagehand")
    with opened() as found:
        assert [accounts.user("stagehand").pw_dir for _time in range(9)] == ["/srv/stagehand"] * 9
    assert found == []
    enlist({"curtain": "/nonexistent", "stagehand": "/srv/moved"})
    assert accounts.user("stagehand").pw_dir == "/srv/moved"


def test_a_line_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Such as those that send the C library to another place."""
    for name, text in {
        "PASSWD": "+::::::\n\nnis\nada:x:7:8:Ada:/home/ada:/bin/sh\nada:x:9:9::/:\n",
        "GROUP": "+:::\nada:x:8:\nband:x:9:ada,bob\n",
    }.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(accounts, name, str(tmp_path / name))
    entry = accounts.user("ada")
    assert (entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell) == (7, 8, "/home/ada", "/bin/sh")
    assert (accounts.group_id("band"), accounts.extra_groups(entry)) == (9, ["band"])
