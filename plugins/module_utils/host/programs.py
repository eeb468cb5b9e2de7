# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run programs of the host for their output, if they are installed."""

from __future__ import annotations

from . import process

MISSING = 127
"""The exit code of a program that is not installed, as in a shell."""
_WHOLE = 16 * 2**20
"""The maximum number of bytes of an output: `nginx -T` prints every file that it reads."""


def ask(*argv: str) -> process.Result:
    """Run a program and return its output. A program that is not installed returns a result, too."""
    try:
        return process.run(list(argv), timeout=60, keep=_WHOLE)
    except FileNotFoundError as error:
        return process.Result(MISSING, "", str(error))
