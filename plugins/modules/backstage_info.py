#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_info
short_description: Read what plays on a host
"""

EXAMPLES = r""""""

RETURN = r""""""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils import reports


def main() -> None:
    module = AnsibleModule(argument_spec={"production": {"type": "str"}}, supports_check_mode=True)
    found = {"productions": reports.productions()}
    if module.params["production"]:
        found.update(reports.report(module.params["production"]))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
