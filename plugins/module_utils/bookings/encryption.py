# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that Venues with TLS need before nginx may be told of them."""

from __future__ import annotations

from ..certificates import pairs
from ..certificates.pairs import Pairs
from ..host.facts import Host
from ..state.plan import Step
from .blocks import Block


def is_encrypted(block: Block) -> bool:
    """Whether a Venue's file has TLS."""
    return block.get("tls", "none") != "none"


def places(production: str, host: Host, blocks: dict[str, Block]) -> set[str]:
    """Where the certificates of these Venues lie: nginx names a path there when it can't load one."""
    return {Pairs.of(host, production, name).root for name, block in blocks.items() if is_encrypted(block)}


def steps(production: str, host: Host, wanted: dict[str, Block]) -> list[Step]:
    """A new certificate for each Venue that has none which would do."""
    return [
        Step("venue", name, "certify", None, f"self-signed, because {fault}")
        for name, fault in _faults(production, host, wanted).items()
    ]


def make(production: str, host: Host, wanted: dict[str, Block]) -> None:
    """Make the certificates that are missing.

    Raises:
        BackstageError: the host is not prepared for TLS, or openssl failed.
    """
    if any(map(is_encrypted, wanted.values())):
        host.need_tls()
    for name in _faults(production, host, wanted):
        Pairs.of(host, production, name).make_selfsigned(_names(wanted[name]))


def sweep(production: str, host: Host, left: dict[str, Block]) -> None:
    """Remove the certificates of Venues that nginx serves without TLS, or no more."""
    pairs.sweep(host, production, {name for name, block in left.items() if is_encrypted(block)})


def _faults(production: str, host: Host, wanted: dict[str, Block]) -> dict[str, str]:
    encrypted = {name: block for name, block in wanted.items() if is_encrypted(block)}
    found = {
        name: Pairs.of(host, production, name).selfsigned_fault(_names(block)) for name, block in encrypted.items()
    }
    return {name: fault for name, fault in found.items() if fault}


def _names(block: Block) -> list[str]:
    return [block["name"], *block["aliases"]]
