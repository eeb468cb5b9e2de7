# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Attributes of every module that only reads.
    DOCUMENTATION = r"""
attributes:
  check_mode:
    support: full
    description: Reads in check mode, too.
  diff_mode:
    support: N/A
    description: There is nothing to show.
  idempotent:
    support: full
    description: It changes nothing.
"""
