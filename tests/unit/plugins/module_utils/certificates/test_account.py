# SPDX-License-Identifier: GPL-3.0-or-later
"""The account at an authority: its key, and what nginx answers with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.certificates import account

from ... import certs
from ...house import House
from ...told import told


@pytest.fixture(autouse=True)
def _a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "USER", "daemon")


def test_a_key_is_made_once(house: House) -> None:
    assert account.fault(house.host, "jazz", "") == "there is none yet"
    account.ensure(house.host, "jazz", "")
    path = account.path(house.host, "jazz")
    key, found = Path(path).read_text(), os.stat(path)
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o640, 0, 1)
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o750
    assert account.fault(house.host, "jazz", "") == ""
    account.ensure(house.host, "jazz", "")
    assert Path(path).read_text() == key
    text = Path(account.challenge(house.host, "jazz")).read_text()
    assert f'return 200 "$1.{account.thumbprint(key)}";' in text


def test_a_key_of_the_manifest(house: House) -> None:
    account.ensure(house.host, "jazz", "")
    given = certs.key()
    assert account.fault(house.host, "jazz", given) == "the manifest has another key"
    account.ensure(house.host, "jazz", given)
    assert account.fault(house.host, "jazz", given) == account.fault(house.host, "jazz", "") == ""
    account.ensure(house.host, "jazz", "")
    assert Path(account.path(house.host, "jazz")).read_text() == given, "one that leaves the manifest stays"


def test_what_a_hand_has_changed(house: House) -> None:
    account.ensure(house.host, "jazz", "")
    Path(account.challenge(house.host, "jazz")).write_text("")
    assert account.fault(house.host, "jazz", "") == "nginx does not know its key"
    account.ensure(house.host, "jazz", "")
    Path(account.path(house.host, "jazz")).write_text("nonsense")
    assert account.fault(house.host, "jazz", "") == "there is none yet"
    account.ensure(house.host, "jazz", "")
    assert account.fault(house.host, "jazz", "") == ""


@pytest.mark.parametrize("key", [certs.key("RSA", "-pkeyopt", "rsa_keygen_bits:2048"), "", "nonsense"])
def test_a_key_of_another_kind(house: House, key: str) -> None:
    said = told(account.thumbprint, key)
    assert "the account's key is no EC key of the curve P-256: make one with openssl genpkey" in said
    if key:
        assert told(account.ensure, house.host, "jazz", key) == said
    assert os.listdir(house.host.accounts) == []


def test_productions_have_accounts_of_their_own(house: House) -> None:
    for production in ("jazz", "blues"):
        account.ensure(house.host, production, "")
    account.remove(house.host, "jazz")
    account.remove(house.host, "jazz")
    assert os.listdir(house.host.accounts) == ["blues"]
    assert os.listdir(house.host.challenges) == ["blues.conf"]
