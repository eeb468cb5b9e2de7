# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate authority that a manifest names, as plain data. It is made and checked like the nouns."""

from __future__ import annotations

from dataclasses import dataclass, field

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


@dataclass(frozen=True)
class Acme:
    """The authority that gives certificates.

    Args:
        directory: the URL at which it begins.
        contact: a mail address for it.
        ca: the PEM text of those who vouch for its server, if the system does not know them.
        profile: a kind of certificate that it has.
        account_key: the PEM text of the account's key; empty where each host makes its own.
        tsig_key: the key with which hosts write challenges to DNS, as tsig-keygen prints it; empty where they have one.
    """

    directory: str = LETS_ENCRYPT
    contact: str = ""
    ca: str = ""
    profile: str = ""
    account_key: str = field(default="", repr=False)
    tsig_key: str = field(default="", repr=False)
