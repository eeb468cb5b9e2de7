#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_gig
short_description: Book an Act at a Venue on a host
version_added: 1.0.0
description:
  - Lets visitors of a Venue reach an Act. The Act's Sess and the Venue have to be there already.
  - The Act is told its new host names first, by a switch; then nginx is, and the page is asked for as a visitor would.
    Where that does not answer, nginx's configuration of before is put back and the module fails.
  - An Act in the place of another one takes it over. With another O(path) than it has at that Venue, it moves,
    and the next M(backstage.django.backstage_act) builds it for that one. Without O(path) it is where it is.
extends_documentation_fragment:
  - backstage.django.common
  - backstage.django.gig
author:
  - The Backstage maintainers (@backstage-django)
seealso:
  - module: backstage.django.backstage_sess
  - module: backstage.django.backstage_venue
"""

EXAMPLES = r"""
---
- name: Book the kittens
  backstage.django.backstage_gig:
    production: jazz
    act: kittens
    venue: kittens.example.com

- name: Cancel them
  backstage.django.backstage_gig:
    production: jazz
    act: kittens
    venue: kittens.example.com
    state: absent
"""

RETURN = r"""
plan:
  description: What was done, or in check mode would be, step by step.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(gig), or V(sess) when an Act is told its new names.
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
    - noun: sess
      name: kittens
      verb: play
      before: {release: 018ea27b9e62}
      after: {release: 018ea27b9e62, because: [variable BACKSTAGE_HOSTS changed, variable BACKSTAGE_ORIGINS changed]}
    - {noun: gig, name: kittens at kittens.example.com/, verb: book, before: null, after: kittens}
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
    module = AnsibleModule(argument_spec=spec.one_gig(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_gig(module.params))


if __name__ == "__main__":
    main()
