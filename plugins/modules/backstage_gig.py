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
  - Lets visitors of a Venue reach an Act. The Act's Sess and the Venue have to exist.
  - The Act first gets its new host names by a switch. Then nginx is configured, and the page is requested as a visitor
    would do it. If it does not answer, nginx's earlier configuration is restored and the module fails.
  - An Act that is booked in the place of another Act, at the same time, replaces it.
  - An O(path) that differs from the Act's current path at that Venue moves the Act, and the next
    M(backstage.django.backstage_act) builds it for the new path. Without O(path) the path stays.
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

- name: Book them for the weekend
  backstage.django.backstage_gig:
    production: jazz
    act: kittens
    venue: kittens.example.com
    when: [Sat+Sun, "2026-12-31 20:00-06:00"]

- name: Cancel them
  backstage.django.backstage_gig:
    production: jazz
    act: kittens
    venue: kittens.example.com
    state: absent
"""

RETURN = r"""
plan:
  description: The steps that were done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(gig), or V(sess) if an Act gets new host names.
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
    - noun: sess
      name: kittens
      verb: play
      before: {release: 018ea27b9e62}
      after: {release: 018ea27b9e62, because: [variable BACKSTAGE_HOSTS changed, variable BACKSTAGE_ORIGINS changed]}
    - {noun: gig, name: kittens at kittens.example.com/, verb: book, before: null, after: kittens}
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
    module = AnsibleModule(argument_spec=spec.one_gig(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_gig(module.params))


if __name__ == "__main__":
    main()
