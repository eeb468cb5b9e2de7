#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_venue
short_description: Open a host name on a host
version_added: 1.0.0
description:
  - Has nginx answer for a host name, whatever plays there. A Venue without a Gig answers 404.
  - The configuration is tested before nginx reads it. nginx is reloaded at most once, and never restarted.
  - A name that another Production, or another file of nginx, has already is refused.
  - A new alias is told to the Acts that play there first, by a switch.
  - An option that is not given means what it is on the host already, else the default that its text says.
extends_documentation_fragment:
  - backstage.django.common
  - backstage.django.venue
author:
  - The Backstage maintainers (@backstage-django)
notes:
  - O(state=absent) is refused while an Act is booked there.
seealso:
  - module: backstage.django.backstage_gig
"""

EXAMPLES = r"""
---
- name: Open the kittens' house
  backstage.django.backstage_venue:
    production: jazz
    name: kittens.example.com
    aliases: [www.kittens.example.com]

- name: Close it for today
  backstage.django.backstage_venue:
    production: jazz
    name: kittens.example.com
    state: closed
"""

RETURN = r"""
plan:
  description: What was done, or in check mode would be, step by step.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(venue), or V(sess) when an Act is told its new names.
      type: str
    name:
      description: Which one.
      type: str
    verb:
      description: What is done to it, such as V(build), V(play) or V(book).
      type: str
    before:
      description: What was there, without secrets; nothing where nothing was.
      type: raw
    after:
      description: What is there then, without secrets; nothing where nothing is.
      type: raw
  sample:
    - {noun: venue, name: kittens.example.com, verb: close, before: open, after: closed}
diff:
  description: The same steps in Ansible's form, shown by C(--diff).
  returned: success
  type: list
  elements: dict
playing:
  description: What plays of this Production on this host, by Act.
  returned: on success, and where an Act failed
  type: dict
  sample:
    kittens:
      release: 018ea27b9e62
      sess: 018ea27b9e62.2
      since: "2026-11-21T11:13:08Z"
missing:
  description: Always empty here; see M(backstage.django.backstage_act).
  returned: success
  type: list
  elements: str
unlisted:
  description: Always empty here; see M(backstage.django.backstage_production).
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.productions import options, results


def main() -> None:
    module = AnsibleModule(argument_spec=spec.one_venue(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_venue(module.params))


if __name__ == "__main__":
    main()
