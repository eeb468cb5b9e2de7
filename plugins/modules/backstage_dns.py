#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_dns
short_description: Point host names at addresses, by the API of a PowerDNS server
version_added: 1.1.0
description:
  - Reads each zone once, compares it, and changes what differs in one request a zone, which PowerDNS carries out as a
    whole or not at all. Then asks every name server whether it has the change.
  - Records of a Production have a comment whose account is C(backstage:) and its name. All other records stay as they
    are. Where one of them is in the way, the module fails, names it, and has changed nothing in any zone.
  - In place of O(names) it takes a manifest. The names of its Venues are pointed at the variable
    C(backstage_public_address) of the hosts where they are booked. The controller's half of the module reads the
    manifest; the server's host does not see it.
  - It writes records of the types A and AAAA. A record of somebody else that says the same is left to him.
extends_documentation_fragment:
  - backstage.django.manifest
author:
  - The Backstage maintainers (@backstage-django)
options:
  production:
    type: str
    required: true
    description: The Production. It marks the records as its own.
  state:
    type: str
    default: present
    choices: [present, absent]
    description: V(absent) removes all records of the Production from O(zones). The zones stay.
  api:
    type: str
    default: http://127.0.0.1:8081
    description:
      - The URL of the server's API, without C(/api/v1).
      - For somebody else's server run the task on the controller (C(delegate_to)), and give O(key).
  key:
    type: str
    description: The key of the API. Without it O(key_file) is read.
  key_file:
    type: path
    default: /etc/powerdns/pdns.d/backstage-key.conf
    description: A file with the key alone, or with PowerDNS's line C(api-key=).
  timeout:
    type: int
    default: 10
    description: How many seconds one answer of the API may take. Reading is tried three times.
  zones:
    type: list
    elements: str
    required: true
    description:
      - The zones in which names may be written. A name belongs to the longest of them that it ends with.
      - One that the server does not have is made, with O(name_servers).
  name_servers:
    type: list
    elements: dict
    default: []
    description:
      - The name servers of O(zones), the primary first. A new zone gets their names, and the addresses of those whose
        names lie in it. In a zone that is there already, these records are left alone.
      - Each address is asked whether it has what was written.
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
  primaries:
    type: list
    elements: str
    default: []
    description:
      - The addresses of the servers from which this one copies O(zones). The zones are made as copies, and nothing else
        is done. Without it this server is the primary.
  names:
    type: list
    elements: dict
    default: []
    description: The host names, and where they point.
    suboptions:
      name:
        type: str
        required: true
        description: The host name.
      addresses:
        type: list
        elements: str
        required: true
        description: The addresses, version 4 or 6. With V([]) the Production's records of this name are removed.
  ttl:
    type: int
    default: 300
    description: For how many seconds resolvers may keep the records.
  dnssec:
    type: bool
    default: false
    description:
      - V(true) signs the zones. The DS record for the zone above is shown by C(pdnsutil show-zone) on the server.
      - V(false) leaves a zone as it is. Nothing here ends the signing of a zone, for while the zone above has its DS
        record, nobody could resolve it.
  prune:
    type: bool
    default: false
    description: Whether records of the Production at other names than O(names) are removed. Without it they are named.
  wait:
    type: int
    default: 15
    description: For how many seconds after a change the name servers may lag behind, before there is a warning.
attributes:
  check_mode:
    support: full
    description:
      - Reads the zones and plans. The name servers are not asked.
      - If O(key_file) does not exist, PowerDNS is not installed yet. The module then plans for a server without zones.
  diff_mode:
    support: full
    description: Shows each record as a zone file has it.
  idempotent:
    support: full
    description: Compares contents, so a second run with the same options changes nothing.
  action_group:
    support: full
    description: Use C(group/backstage.django.backstage) in C(module_defaults) to give O(production) once.
    membership:
      - backstage.django.backstage
"""

EXAMPLES = r"""
---
- name: Point a name at its host, by the PowerDNS of this host
  backstage.django.backstage_dns:
    production: jazz
    zones: [example.com]
    name_servers:
      - name: ns1.example.com
        addresses: [192.0.2.53]
      - name: ns2.example.com
        addresses: [198.51.100.53]
    names:
      - name: kittens.example.com
        addresses: [192.0.2.7, "2001:db8::7"]

- name: Do so at somebody else's server, which this machine reaches
  backstage.django.backstage_dns:
    production: jazz
    api: https://dns.example.net
    key: "{{ vault_dns_key }}"
    zones: [example.com]
    names:
      - name: kittens.example.com
        addresses: [192.0.2.7]
  delegate_to: localhost
  become: false

- name: Copy the zones to a secondary
  backstage.django.backstage_dns:
    production: jazz
    zones: [example.com]
    primaries: [192.0.2.53]

- name: Remove all records of the Production
  backstage.django.backstage_dns:
    production: jazz
    state: absent
    zones: [example.com]
"""

RETURN = r"""
plan:
  description: Every change, in this order.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(zone) or V(record).
      type: str
    name:
      description: The zone, or the name and the type.
      type: str
      sample: kittens.example.com A
    verb:
      description: V(create), V(copy) or V(sign) for a zone, V(write) or V(remove) for a record.
      type: str
    before:
      description: What is there now, as a zone file has it.
      type: str
    after:
      description: What will be there.
      type: str
diff:
  description: The same changes in Ansible's form, shown by C(--diff).
  returned: success
  type: list
  elements: dict
serials:
  description: The serial of each zone. Empty in check mode.
  returned: success
  type: dict
  sample: {example.com: 2026112902}
behind:
  description: The name servers that do not have that serial yet, a sentence each. They are warnings, too.
  returned: success
  type: list
  elements: str
unlisted:
  description: Names that have records of this Production and are not in O(names).
  returned: success
  type: list
  elements: str
homeless:
  description: Names that none of O(zones) has. Nothing is written for them.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.producers import dns_specs, manager, orders


def main() -> None:
    module = AnsibleModule(argument_spec=dns_specs.dns(), supports_check_mode=True)
    try:
        order = orders.read(module.params, module.check_mode)
        outcome = manager.check(order) if module.check_mode else manager.reconcile(order)
    except BackstageError as error:
        module.fail_json(msg=str(error))
    for warning in outcome.warnings():
        module.warn(warning)
    module.exit_json(**outcome.result())


if __name__ == "__main__":
    main()
