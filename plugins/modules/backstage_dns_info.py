#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_dns_info
short_description: Read where host names point
version_added: 1.1.0
description:
  - Asks every name server for the addresses of every name, over UDP, and compares them with those that it should have.
    Aliases are followed as far as the name server knows them. It changes nothing.
  - A name server that does not answer is asked once, and is no failure.
  - In place of O(names) it takes a manifest, as M(backstage.django.backstage_dns) does. The controller's half of the
    module reads the manifest; the host does not see it.
extends_documentation_fragment:
  - backstage.django.manifest
  - backstage.django.reading
author:
  - The Backstage maintainers (@backstage-django)
options:
  production:
    type: str
    required: true
    description: The Production to which the manifest belongs.
  name_servers:
    type: list
    elements: dict
    default: []
    description: The name servers of the zones. Each address is asked.
    suboptions:
      name:
        type: str
        required: true
        description: Its host name.
      addresses:
        type: list
        elements: str
        required: true
        description: Its addresses, version 4 or 6.
  names:
    type: list
    elements: dict
    default: []
    description: The host names, and where they should point.
    suboptions:
      name:
        type: str
        required: true
        description: The host name.
      addresses:
        type: list
        elements: str
        required: true
        description: The addresses, version 4 or 6.
  show:
    type: bool
    default: false
    description: Whether to print RV(lines) when the module has ended.
attributes:
  action_group:
    support: full
    description: Use C(group/backstage.django.backstage) in C(module_defaults) to give O(production) once.
    membership:
      - backstage.django.backstage
seealso:
  - module: backstage.django.backstage_dns
"""

EXAMPLES = r"""
---
- name: Check that a name points at its host
  backstage.django.backstage_dns_info:
    production: jazz
    name_servers:
      - name: ns1.example.com
        addresses: [192.0.2.53]
    names:
      - name: kittens.example.com
        addresses: [192.0.2.7]
  register: found
  failed_when: found.names | rejectattr('state', 'equalto', 'right') | length > 0
"""

RETURN = r"""
names:
  description:
    - The answers. A name that is right at several name servers is there once, for the first of them. A name server that
      does not answer is there once, without a name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name; empty for a name server that does not answer.
      type: str
    server:
      description: The name server and its address.
      type: str
      sample: ns1.example.com (192.0.2.53)
    state:
      description: V(right), V(differs), or V(unknown) if the name server does not say.
      type: str
    addresses:
      description: The addresses that it answered, or V(CNAME) and the name of which it does not know the addresses.
      type: list
      elements: str
    line:
      description: All of it in one line.
      type: str
lines:
  description: For people, one line for each of RV(names).
  returned: success
  type: list
  elements: str
  sample:
    - "DNS kittens.example.com: 192.0.2.9 instead of 192.0.2.7 (ns2.example.com, 198.51.100.53)"
stdout:
  description: The same as text.
  returned: with O(show=true)
  type: str
"""

from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.producers import dns_specs, orders, pointed


def main() -> None:
    module = AnsibleModule(argument_spec=dns_specs.dns_info(), supports_check_mode=True)
    try:
        names, servers = orders.questions(module.params)
    except BackstageError as error:
        module.fail_json(msg=str(error))
    found = pointed.ask(names, servers)
    lines = [one.line for one in found]
    shown = {"stdout": "\n".join(lines)} if module.params["show"] else {}
    module.exit_json(changed=False, names=[asdict(one) for one in found], lines=lines, **shown)


if __name__ == "__main__":
    main()
