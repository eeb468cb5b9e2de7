# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian packages, as dpkg knows them."""

from __future__ import annotations

import re

from . import programs

_QUERY = ("dpkg-query", "--show")


def missing(wanted: list[str]) -> list[str]:
    """Return the packages (NAME, NAME:ARCH, NAME=VERSION) that dpkg does not list as installed."""
    plain = {package: re.split("[=/:]", package)[0] for package in wanted}
    if not plain:
        return []
    known = programs.ask(*_QUERY, "--showformat=${Package} ${db:Status-Status}\n", "--", *plain.values())
    installed = {line.split()[0] for line in known.out.splitlines() if line.endswith(" installed")}
    return [package for package, name in plain.items() if name not in installed]


def version(package: str) -> tuple[int, ...]:
    """The numbers that an installed package's own version begins with; none where it is not installed."""
    known = programs.ask(*_QUERY, "--showformat=${db:Status-Status} ${Version}", package)
    found = re.match(r"installed (?:\d+:)?([\d.]*\d)", known.out)
    return tuple(map(int, found.group(1).split("."))) if found else ()


def shipped(package: str) -> dict[str, str]:
    """Return the configuration files of a package -> the MD5 digest with which each was shipped."""
    listed = programs.ask(*_QUERY, "--showformat=${Conffiles}", package)
    fields = [line.split() for line in listed.out.splitlines()]
    return {field[0]: field[1] for field in fields if len(field) > 1}
