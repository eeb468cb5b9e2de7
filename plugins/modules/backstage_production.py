#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_production
short_description: Make a host match a Production's manifest
version_added: 1.0.0
description:
  - Takes the whole manifest and makes one host match it in one call. It builds what is new, migrates, switches to it
    without losing a request, and books it in nginx. It does not touch what already matches.
  - If an Act fails, only that Act's steps end, and its live release keeps playing. At the end the module fails, with
    one line for each Act that names the step and the cause, followed by the end of the log.
  - The playbooks of this collection call it with the variables C(backstage_*) of the inventory. The manifest is
    described at U(https://github.com/backstage-django/backstage.django/blob/main/docs/manifest.md).
extends_documentation_fragment:
  - backstage.django.common
  - backstage.django.manifest
  - backstage.django.controller
author:
  - The Backstage maintainers (@backstage-django)
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description:
      - V(absent) removes the whole Production from the host. The data of its Acts stays, except for Acts in
        O(delete_data).
  versions:
    type: dict
    default: {}
    description: Versions of sources by Act, as C(backstage_versions). They override O(acts[].source.version).
  only:
    type: list
    elements: str
    default: []
    description: The Acts of this run, with their bookings. Other Acts are not touched.
  version:
    type: str
    description: The version of the Acts in O(only) for this run. It overrides O(acts[].source.version), with a warning.
  through:
    type: str
    choices: [resolve, build, migrate, play]
    default: play
    description:
      - The last step of the run. V(resolve) checks the manifest and finds every source, without contacting the host.
      - V(build) and V(migrate) do not touch the release that plays, nor nginx.
  rollback:
    type: str
    description:
      - An Act to roll back to the release that played before. Nothing else is done then. The release plays with the
        current variables and secrets. The release that is left is held.
  release:
    type: str
    description: The release to roll back to, instead of the one that played before.
  migrations:
    type: str
    choices: [refuse, keep]
    default: refuse
    description:
      - What a rollback does if the database has migrations that the earlier release does not know. V(refuse) changes
        nothing and says how to undo them. V(keep) plays the earlier release with them.
  restart:
    type: str
    description:
      - An Act that is played by another Sess of the same release, with today's variables and secrets. The new Sess has
        to pass the gate, and the old one is drained. Nothing else is done then. This is a change in every run.
  stop:
    type: str
    description:
      - An Act that is stopped when it has finished its requests. Nothing else is done then. It stays stopped until
        O(start), whatever the manifest says meanwhile.
  start:
    type: str
    description:
      - An Act that is played again after O(stop). Nothing else is done then. It plays the release that was deployed
        last. An Act that plays is left alone.
  unhold:
    type: list
    elements: str
    default: []
    description: Acts whose hold ends, so that the release that was rolled back may play again.
  seeds:
    type: dict
    default: {}
    description:
      - Answers, by name, for a seed or fixture that was started and did not end. V(done) means that its effect is
        there. V(again) runs it again. The name of a fixture is C(fixture) and its path.
  prune:
    type: bool
    default: false
    description: Whether to remove Acts, Sesses and Venues that left the manifest. Not together with O(only).
  delete_data:
    type: list
    elements: str
    default: []
    description:
      - Acts whose data, uploads, history and system users are deleted when the Act is absent, pruned or struck. An Act
        that is present is refused.
  longest_request:
    type: int
    default: 300
    description: The role's C(stage_longest_request), in seconds. A greater O(acts[].timeout) is refused.
  elsewhere:
    type: list
    elements: str
    default: []
    description: Internal. The action plugin passes which Acts play on other hosts.
  checked:
    type: bool
    default: false
    description: Internal. The action plugin passes whether it has checked the manifest.
seealso:
  - module: backstage.django.backstage_info
"""

EXAMPLES = r"""
---
- name: Play the kittens
  hosts: backstage_stage
  gather_facts: false
  become: true
  tasks:
    - name: Make the host match the manifest
      backstage.django.backstage_production:
        production: jazz
        acts:
          - name: kittens
            source: {git: "https://git.example.com/kittens.git", version: v1.4.2}
            secrets: {SECRET_KEY: "{{ vault_kittens_secret_key }}"}
        venues:
          - name: kittens.example.com
            aliases: [www.kittens.example.com]
        gigs:
          - {act: kittens, venue: kittens.example.com}

- name: Restart with the same release
  hosts: backstage_stage
  gather_facts: false
  become: true
  tasks:
    - name: Restart the kittens
      backstage.django.backstage_production:
        production: "{{ backstage_production }}"
        acts: "{{ backstage_acts }}"
        venues: "{{ backstage_venues }}"
        gigs: "{{ backstage_gigs }}"
        restart: kittens

- name: Roll back to the release that played before
  hosts: backstage_stage
  gather_facts: false
  become: true
  tasks:
    - name: Roll the kittens back
      backstage.django.backstage_production:
        production: "{{ backstage_production }}"
        acts: "{{ backstage_acts }}"
        venues: "{{ backstage_venues }}"
        gigs: "{{ backstage_gigs }}"
        rollback: kittens
"""

RETURN = r"""
plan:
  description: The steps that were done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(act), V(sess), V(venue), V(gig), or V(production) when it is struck.
      type: str
    name:
      description: The name of the noun.
      type: str
    verb:
      description:
        - What the step does.
        - An Act has V(add), V(change), V(build), V(migrate), V(seed), V(unhold), V(discard) for a release beyond
          O(acts[].keep_releases), V(sweep) for what a killed run left, V(mend) for users and modes that
          were changed by hand, V(remove) and V(delete data). Its database has V(create database), and V(close database)
          if others may connect to it.
        - A Sess has V(play), V(roll back), V(stop), V(sweep) and V(remove). Its port has V(listen) and V(unlisten).
        - A Venue has V(add), V(change), V(open), V(close), V(rewrite) if its file differs from what it should be,
          V(reload) if nginx has not read it, and V(remove). A Gig has V(book), V(rebook), V(move) and V(cancel).
        - The Production has V(strike).
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
    - noun: sess
      name: kittens
      verb: play
      before: {release: 018ea27b9e62}
      after: {release: 470b2dc8ed91, because: [release]}
diff:
  description: The same steps in Ansible's form, shown by C(--diff).
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
  description: In check mode, Acts whose source would be sent to the host; else empty.
  returned: success
  type: list
  elements: str
unlisted:
  description: What is on the host and not in the manifest any more. O(prune) takes it down.
  returned: success
  type: list
  elements: str
resolved:
  description: The result of resolving each source.
  returned: when O(through=resolve)
  type: dict
  sample:
    kittens:
      content: 9286eedc841d06de7a7ce13f534c69cf266e8e96
      label: v1.4.2
"""

import gc

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.productions import options, results


def main() -> None:
    gc.disable()  # a plan is needed to the end: a collection frees nothing, and takes as long as the rest of the run
    module = AnsibleModule(argument_spec=spec.production(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_production(module.params))


if __name__ == "__main__":
    main()
