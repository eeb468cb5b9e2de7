# SPDX-License-Identifier: GPL-3.0-or-later
"""No code of packages that an Act chose runs as the user that owns what other Acts use."""

from __future__ import annotations

from hostile.stranger import Stranger

CACHE = "/srv/backstage/jazz/cache"
OWN = ["evilpth-ran-as-jazz-evil", "evilpth-ran-as-jazz_evil"]
# the files of packages in the cache
CONTENT = f"find {CACHE}/uv/archive-v0 -type f -name '*.py' | sort | xargs sha256sum | sha256sum"


def test_a_pth_file_can_not_poison_the_cache(stranger: Stranger) -> None:
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
