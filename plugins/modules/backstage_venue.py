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
  - Makes nginx answer for a host name, whether or not an Act plays there. A Venue without a Gig answers 404.
  - The configuration is tested before nginx reads it. nginx is reloaded at most once, and never restarted.
  - A name that another Production or another file of nginx already has is refused.
  - The Acts at this Venue first get a new alias by a switch.
  - An option that is not given keeps its value on the host. If the host has none, the default in its description
    applies.
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
  description: The steps that were done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(venue), or V(sess) if an Act gets new host names.
      type: str
    name:
      description: The name of the noun.
      type: str
    verb:
      description: What the step does, such as V(build), V(play) or V(book).
      type: str
    before:
      description: The state before the step, without secrets; null if there was none.
      type: raw
    after:
      description: The state after the step, without secrets; null if there is none.
      type: raw
  sample:
    - {noun: venue, name: kittens.example.com, verb: close, before: open, after: closed}
diff:
  description: The same steps in words, in Ansible's form, shown by C(--diff).
  returned: success
  type: list
  elements: dict
playing:
  description: What this Production plays on this host, by Act.
  returned: on success, and if an Act failed
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
playbill:
  description: What plays where at the end of the run, and what the run did for it. Empty in check mode.
  returned: on success, and if an Act failed
  type: dict
  contains:
    rows:
      description:
        - One for each Gig, each Act without one, and each Act that was removed. If there are more than 25, only those
          for which the run did something.
      type: list
      elements: dict
      contains:
        venue:
          description: The URL of the Gig; empty for an Act without one.
          type: str
        act:
          description: The Act.
          type: str
        release:
          description: The release that plays; null if none does.
          type: str
        state:
          description: What became of the Act, in a few words.
          type: str
        health:
          description: V(answers) if the run started it and it passed the gate; the step that failed; else empty.
          type: str
        seconds:
          description: How long its steps took; null if there were none.
          type: float
    others:
      description: The number of Gigs and Acts that have no row.
      type: int
unlisted:
  description: Always empty here; see M(backstage.django.backstage_production).
  returned: success
  type: list
  elements: str
asking:
  description:
    - The certificates that an authority has to be asked for when records of DNS are written, as PRODUCTION.VENUE. The
      program C(backstage-certificates --now) of the host takes these words.
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
