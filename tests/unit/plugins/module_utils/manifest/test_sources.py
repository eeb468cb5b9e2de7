# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest may say of a source: each kind, what is for it alone, and the line that refuses the rest."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Source

from ...manifests import Item, act, options, parse, refused

SUM = "sha256:" + "a" * 64
WHEEL = "kittens @ https://x/kittens-1.4-py3-none-any.whl#sha256=" + "b" * 64
URL = "https://git.example.com/kittens.git"

ACCEPTED: list[tuple[Item, Source]] = [
    ({"archive": "https://x/a.tgz", "checksum": SUM}, Source("archive", "https://x/a.tgz", checksum=SUM)),
    ({"archive": "dist/a.zip", "checksum": SUM, "subdir": "site"}, Source("archive", "dist/a.zip", "", "site", SUM)),
    ({"package": "kittens==1.4.2"}, Source("package", "kittens==1.4.2")),
    ({"package": "kittens[pg]==1.4.2+local"}, Source("package", "kittens[pg]==1.4.2+local")),
    ({"package": WHEEL}, Source("package", WHEEL)),
    ({"package": "kittens==1.4.2", "version": "1.5"}, Source("package", "kittens==1.4.2", "1.5")),
    ({"git": URL, "version": "v1", "submodules": True}, Source("git", URL, "v1", submodules=True)),
    ({"git": "git@x:a", "version": "v1", "key": "k"}, Source("git", "git@x:a", "v1", key="k")),
    (
        {"git": URL, "version": "v1", "username": "ada", "password": "p"},
        Source("git", URL, "v1", username="ada", password="p"),
    ),
]
SOURCE = "backstage_acts[kittens].source"
REFUSED: list[tuple[Item, str]] = [
    ({"archive": "a.tgz"}, ".checksum: is missing; write sha256: and what sha256sum prints"),
    (
        {"archive": "a.tgz", "checksum": "md5:1"},
        ".checksum: 'md5:1': write sha256: and the 64 characters that sha256sum prints",
    ),
    (
        {"archive": "ftp://x/a.tgz", "checksum": SUM},
        ".archive: 'ftp://x/a.tgz': use an https URL, or a path on the controller",
    ),
    (
        {"archive": "https://a:b@x/a.tgz", "checksum": SUM},
        ".archive: it holds credentials, which would be seen; take them out of the URL",
    ),
    (
        {"archive": "a.tgz", "checksum": SUM, "version": "v1"},
        ".version: 'v1': an archive has no version but its checksum; remove it",
    ),
    *[
        (
            {"package": name},
            f".package: '{name}': pin it: 'kittens==1.4.2', or"
            " 'kittens @ https://.../kittens-1.4.2-py3-none-any.whl#sha256=...'",
        )
        for name in ("kittens", "kittens>=1", "kittens==1.*", "--index-url=x", "kittens==1; x", "kittens @ https://x/a")
    ],
    (
        {"package": WHEEL, "version": "1.5"},
        ".version: '1.5': a package by its URL has no other version; name the URL",
    ),
    ({"package": "kittens==1", "version": "main; x"}, ".version: 'main; x': use an exact version, such as '1.4.2'"),
    ({"package": "kittens==1", "subdir": "a"}, ".subdir: 'a': is for git, archive, path; remove it"),
    (
        {"git": "https://me:s3cret@x/a.git", "version": "v1"},
        ".git: it holds credentials, which would be seen; take them out of the URL",
    ),
    *[
        (
            {"git": place, "version": "v1"},
            f".git: '{place}': its host begins with a hyphen, which a program would take for an option",
        )
        for place in ("ssh://-oProxyCommand=touch/x", "https://-x/y")
    ],
    ({"path": "a", "checksum": SUM}, f".checksum: '{SUM}': is for archive; remove it"),
    ({"path": "a", "submodules": True}, ".submodules: True: is for git; remove it"),
    ({"path": "a", "password": "s3cret"}, ".password: is for git; remove it"),
    (
        {"git": URL, "version": "v1", "password": "p"},
        ": give username and password, or neither; with a token alone, any username will do",
    ),
    (
        {"git": "git@x:a", "version": "v1", "username": "a", "password": "p"},
        ".password: is for an https URL; over ssh use 'key'",
    ),
]


@pytest.mark.parametrize(("item", "source"), ACCEPTED)
def test_accepted(item: Item, source: Source) -> None:
    assert parse(acts=[act(source=item)]).acts["kittens"].source == source


@pytest.mark.parametrize(("item", "said"), REFUSED)
def test_refused(item: Item, said: str) -> None:
    assert refused(options(acts=[act(source=item)])) == [SOURCE + said]


def test_the_version_of_a_run_is_laid_over_a_pin() -> None:
    found = parse(acts=[act(source={"package": "kittens[pg]==1.4.2"})], versions={"kittens": "1.5"}).acts["kittens"]
    assert found.source is not None
    assert (found.source.requirement, found.source.label) == ("kittens[pg]==1.5", "kittens[pg]==1.5")


def test_a_package_has_no_program_of_its_own() -> None:
    package = {"package": "kittens==1"}
    assert parse(acts=[act(source=package)]).acts["kittens"].manage == "-m django"
    assert parse(acts=[act(source=package, manage="kittens")]).acts["kittens"].manage == "kittens"
    assert parse(acts=[act()]).acts["kittens"].manage == Act("x").manage == "manage.py"


def test_credentials_are_not_printed() -> None:
    private = {"git": URL, "version": "v1", "username": "ada", "password": "s3cret-token"}
    assert "s3cret-token" not in repr(parse(acts=[act(source=private)]))
