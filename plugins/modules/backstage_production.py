#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_production
short_description: Make a host what a Production's manifest says
version_added: 1.0.0
description:
  - Takes the whole manifest and reconciles one host with it in one call. It builds what is new, migrates, switches to
    it without losing a request, and books it in nginx; what is right already is not touched.
  - One Act's failure ends that Act's part only, and its live release goes on playing. The module fails in the end, with
    one line an Act that names the step and the cause, followed by the end of the log.
  - The playbooks of this collection call it with the variables C(backstage_*) of the inventory. Everything about the
    manifest stands in U(https://github.com/backstage-django/backstage.django/blob/main/docs/manifest.md).
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
      - V(absent) takes the whole Production off the host. The data of its Acts stays, except where O(delete_data)
        names them.
  versions:
    type: dict
    default: {}
    description: Laid over O(acts[].source.version), by Act, as C(backstage_versions).
  only:
    type: list
    elements: str
    default: []
    description: The Acts that this run is about, and where they are booked; the others are left as they are.
  version:
    type: str
    description: Laid over O(acts[].source.version) of the Acts in O(only), for this run. A warning says so.
  through:
    type: str
    choices: [resolve, build, migrate, play]
    default: play
    description:
      - Where the run ends. V(resolve) checks the manifest and finds every source, without asking the host.
      - V(build) and V(migrate) leave what plays, and nginx, as they are.
  rollback:
    type: str
    description:
      - An Act to be rolled back, to the release that played before. Nothing else is done then. It plays with today's
        variables and secrets, and the release that it leaves is held.
  release:
    type: str
    description: The release to roll back to, instead of the one that played before.
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
      - Answers for a seed or fixture that was started and never ended, by its name. V(done) means that what it does is
        there, V(again) runs it again. A fixture's name is C(fixture) and its path.
  prune:
    type: bool
    default: false
    description: Whether Acts, Sesses and Venues that left the manifest are taken down. Not together with O(only).
  delete_data:
    type: list
    elements: str
    default: []
    description:
      - Acts whose data, uploads, history and system users go, too, when the Act is absent, pruned or struck. One that
        is present is refused.
  longest_request:
    type: int
    default: 300
    description: The role's C(stage_longest_request), in seconds. A greater O(acts[].timeout) is refused.
  elsewhere:
    type: list
    elements: str
    default: []
    description: Internal. The controller's half of the module says here which Acts play on other hosts.
  checked:
    type: bool
    default: false
    description: Internal. The controller's half of the module says here that it has checked the manifest.
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
    - name: Make the Production what its manifest says
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

- name: Another Sess of the same release
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

- name: Back to the release that played before
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
  description: What was done, or in check mode would be, step by step.
  returned: success
  type: list
  elements: dict
  contains:
    noun:
      description: V(act), V(sess), V(venue), V(gig), or V(production) when it is struck.
      type: str
    name:
      description: Which one.
      type: str
    verb:
      description:
        - What is done to it.
        - An Act has V(add), V(change), V(build), V(migrate), V(seed), V(unhold), V(discard) for a release beyond
          O(acts[].keep_releases), V(sweep) for what a killed run left, V(mend) for users and modes that
          a hand changed, V(remove) and V(delete data). Of its database it
          has V(create database), and V(close database) where others may connect to it.
        - A Sess has V(play), V(roll back), V(stop), V(sweep) and V(remove), and of its port V(listen) and V(unlisten).
        - A Venue has V(add), V(change), V(open), V(close), V(rewrite) where its file differs from what it should be,
          V(reload) where nginx has not read it, and V(remove). A Gig has V(book), V(rebook), V(move) and V(cancel).
        - The Production has V(strike).
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
  description: What plays of this Production on this host, by Act.
  returned: on success, and where an Act failed
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
  description: What each source is, where O(through=resolve).
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
    gc.disable()  # what a plan holds is held to the end, and walking through it takes as long as the rest
    module = AnsibleModule(argument_spec=spec.production(), supports_check_mode=True)
    results.carry_out(module, lambda: options.for_production(module.params))


if __name__ == "__main__":
    main()
