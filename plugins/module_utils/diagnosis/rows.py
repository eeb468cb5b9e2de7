# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row of the table of known causes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One known cause.

    Args:
        name: its name in tests and docs.
        pattern: found in the error or in the end of the log; its groups fill the sentence.
        sentence: the cause and its cure. {packages} are the Debian packages for what the groups name, {package} is the
            Python package of a module, {tools} are the build requirements for an old package.
    """

    name: str
    pattern: str
    sentence: str
