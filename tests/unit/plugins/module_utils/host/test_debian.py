# SPDX-License-Identifier: GPL-3.0-or-later
"""What a build looks for, and the Debian packages that have it."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import debian, names

SAID = [
    ([], debian.UNKNOWN),
    (["purr.h", "miaow"], debian.UNKNOWN),
    (["npm"], "npm"),
    (["gcc"], "gcc and python3-dev"),
    (["pg_config", "psycopg2==2.9.10"], "gcc, libpq-dev and python3-dev"),
    (["Python.h", "Python_LDAP==3.4.8"], "gcc, libldap-dev, libsasl2-dev and python3-dev"),
]


@pytest.mark.parametrize(("wanted", "said"), SAID)
def test_said(wanted: list[str], said: str) -> None:
    assert debian.said(wanted) == said


def test_every_package_has_a_name_of_debians() -> None:
    found = debian.packages([*debian._WANTED, *debian._BUILT])
    assert [name for name in found if not names.PACKAGE.match(name)] == []
