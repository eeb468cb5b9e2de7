#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_act
short_description: Build one Act on a host
version_added: 1.0.0
description:
  - Builds and seals a release of a Django project, with its virtual environment and static files, and runs its
    migrations, fixtures and seeds.
  - The release that plays keeps playing until M(backstage.django.backstage_sess) plays the new one.
  - The id of a release is computed from its inputs, so the same source and options are built only once.
  - An option that is not given keeps its value on the host. If the host has none, the default in its description
    applies. V([]) and V({}) mean empty.
extends_documentation_fragment:
  - backstage.django.common
  - backstage.django.act
  - backstage.django.controller
author:
  - The Backstage maintainers (@backstage-django)
options:
  path:
    type: str
    description:
      - The URL path at which the Act will be booked, because a release is built for one path. Only for an Act that is
        not booked yet; later its Gig sets the path.
      - Defaults to the path of its Gig, else V(/).
  stage:
    type: str
    choices: [uwsgi, gunicorn, asgi]
    description:
      - The server that will run the Act, because its release is built for one. M(backstage.django.backstage_sess) plays
        the release by it.
      - Defaults to the one that runs it, else V(uwsgi).
    version_added: 1.1.0
  worker_class:
    type: str
    choices: [gthread, sync, gevent]
    description: As O(backstage.django.backstage_sess#module:worker_class).
    version_added: 1.1.0
  delete_data:
    type: bool
    default: false
    description: Whether O(state=absent) also removes the Act's data, uploads, history and system users.
notes:
  - Without O(secrets) the Act is built with the secrets of the Sess that plays.
  - O(state=absent) is refused while the Act is booked.
seealso:
  - module: backstage.django.backstage_sess
  - module: backstage.django.backstage_production
"""

EXAMPLES = r"""
---
- name: Build the kittens
  backstage.django.backstage_act:
    production: jazz
    name: kittens
    source: {git: "https://git.example.com/kittens.git", version: v1.4.2}
    secrets: {SECRET_KEY: "{{ vault_kittens_secret_key }}"}

- name: Build the next version of the kittens, with all other options as they are
  backstage.django.backstage_act:
    production: jazz
    name: kittens
    source: {git: "https://git.example.com/kittens.git", version: v1.4.3}

- name: Remove the kittens and their data
  backstage.django.backstage_act:
    production: jazz
    name: kittens
    state: absent
    delete_data: true
"""

RETURN = r"""
plan:
  description: The steps that were done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(act), or V(sess) when a removal stops it.
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
    - {noun: act, name: kittens, verb: build, before: 018ea27b9e62, after: 470b2dc8ed91}
    - {noun: act, name: kittens, verb: migrate, before: null, after: 470b2dc8ed91}
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
  description: In check mode, the Act's name if its source would be sent to the host; else empty.
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
    module = AnsibleModule(argument_spec=spec.one_act(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_act(module.params))


if __name__ == "__main__":
    main()
