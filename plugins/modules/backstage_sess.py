#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_sess
short_description: Play one Act on a host
version_added: 1.0.0
description:
  - Plays the release that M(backstage.django.backstage_act) built, in a new Sess. The new Sess is started beside the
    one that plays, has to answer a real request, and only then takes over. The old one finishes its requests.
  - A Sess also consists of variables, secrets and uWSGI options. Changing one of them is a switch without a build.
  - An option that is not given keeps its value on the host. If the host has none, the default in its description
    applies.
extends_documentation_fragment:
  - backstage.django.common
  - backstage.django.sess
author:
  - The Backstage maintainers (@backstage-django)
options:
  secrets:
    type: dict
    description:
      - Environment variables whose values are never shown, as O(backstage.django.backstage_act#module:secrets). They
        replace all current ones; V({}) means none. Without this option the secrets of the Sess that plays are kept.
seealso:
  - module: backstage.django.backstage_act
  - module: backstage.django.backstage_gig
"""

EXAMPLES = r"""
---
- name: Play the kittens
  backstage.django.backstage_sess:
    production: jazz
    act: kittens
    secrets: {SECRET_KEY: "{{ vault_kittens_secret_key }}"}

- name: Play them on more workers
  backstage.django.backstage_sess:
    production: jazz
    act: kittens
    processes: 4

- name: Keep them from taking the whole host
  backstage.django.backstage_sess:
    production: jazz
    act: kittens
    limits: {memory: 512M, cpu: 150%, tasks: 100}

- name: Stop them after they have answered their requests
  backstage.django.backstage_sess:
    production: jazz
    act: kittens
    state: stopped
"""

RETURN = r"""
plan:
  description: The steps that were done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(sess).
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
      after: {release: 018ea27b9e62, because: ["processes: 2 -> 4"]}
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
    module = AnsibleModule(argument_spec=spec.one_sess(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_sess(module.params))


if __name__ == "__main__":
    main()
