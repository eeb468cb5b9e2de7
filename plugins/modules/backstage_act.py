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
  - What plays goes on playing, until M(backstage.django.backstage_sess) plays the new release.
  - A release is named by what makes it, so the same source and options are built once, and never again.
  - An option that is not given means what it is on the host already, else the default that its text says. V([]) and
    V({}) mean empty.
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
      - The path below which it is going to be booked, for it is built for that one. Only for an Act that is not booked
        yet; afterwards its Gig says so.
      - Defaults to the path of its Gig, else V(/).
  delete_data:
    type: bool
    default: false
    description: Whether O(state=absent) takes the Act's data, uploads, history and system users away, too.
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

- name: Build the next version of the kittens, with all the rest as it is
  backstage.django.backstage_act:
    production: jazz
    name: kittens
    source: {git: "https://git.example.com/kittens.git", version: v1.4.3}

- name: Take the kittens away, with their data
  backstage.django.backstage_act:
    production: jazz
    name: kittens
    state: absent
    delete_data: true
"""

RETURN = r"""
plan:
  description: What was done, or in check mode would be, step by step.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(act), or V(sess) when a removal stops it.
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
    - {noun: act, name: kittens, verb: build, before: 018ea27b9e62, after: 470b2dc8ed91}
    - {noun: act, name: kittens, verb: migrate, before: null, after: 470b2dc8ed91}
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
  description: In check mode, the Act's name where its source would be sent to the host; else empty.
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
    module = AnsibleModule(argument_spec=spec.one_act(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_act(module.params))


if __name__ == "__main__":
    main()
