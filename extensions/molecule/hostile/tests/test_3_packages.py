# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that an Act chose: nothing of them runs as the owner of what other Acts use."""

from __future__ import annotations

from hostile.stranger import Stranger

CACHE = "/srv/backstage/jazz/cache"
OWN = ["evilpth-ran-as-jazz-evil", "evilpth-ran-as-jazz_evil"]
# every file of the cache that holds something of a package
CONTENT = f"find {CACHE}/uv/archive-v0 -type f -name '*.py' | sort | xargs sha256sum | sha256sum"


def test_a_line_of_a_pth_file_poisons_no_cache(stranger: Stranger) -> None:
    stranger.wheel()
    before = stranger.host.sh(CONTENT)
    requirements = "--find-links /opt/hostile/wheels\nDjango==5.2.15\nsqlparse<1\nevilpth==1.0\n"
    assert stranger.play("evil", files={"requirements.txt": requirements}).code == 0
    assert stranger.host.sh("ls /var/tmp | grep evilpth-ran-as || true").split() in ([], OWN, OWN[1:])
    after = stranger.host.sh(f"{CONTENT.replace('sha256sum | sha256sum', 'grep -l evilpth || true')}")
    assert before != ""
    assert [line for line in after.splitlines() if "django" in line] == []
    assert stranger.play("victim", refresh="another").code == 0
    environment = stranger.environment_of("victim")
    assert stranger.host.sh(f"grep -rl 'put here by evilpth' {environment} || true") == ""
