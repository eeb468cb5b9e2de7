#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_venue
short_description: One venue of a Production
"""

EXAMPLES = r""""""

RETURN = r""""""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils import orders, results, spec


def main() -> None:
    module = AnsibleModule(argument_spec=spec.one_venue(), supports_check_mode=True)
    results.carry_out(module, lambda: orders.for_venue(module.params))


if __name__ == "__main__":
    main()
