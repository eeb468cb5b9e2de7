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
  acme:
    type: dict
    default: {}
    version_added: 1.1.0
    description: The authority that gives certificates, as C(backstage_acme). See O(venues[].tls).
    suboptions:
      directory:
        type: str
        description: The URL of the authority's directory. Defaults to that of Let's Encrypt.
      contact:
        type: str
        description: A mail address for the authority.
      ca:
        type: str
        description:
          - The PEM text of the certificates that vouch for the authority's own server, if Debian does not know them.
      profile:
        type: str
        description: The kind of certificate, as the authority calls it. Defaults to the authority's own choice.
      account_key:
        type: str
        description:
          - The PEM text of the account's key, an EC key of the curve P-256. Without it, each host makes its own.
      tsig_key:
        type: str
        description:
          - The key with which hosts write challenges to DNS, as C(tsig-keygen) prints it. Without it, they use
            C(/var/lib/backstage/acme/tsig.key).
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
    description:
      - The release to roll back to, instead of the one that played before. With O(restore), which needs it, the release
        that played when the dump was made.
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
  restore:
    type: str
    description:
      - An Act whose databases are replaced by the dump of O(release). Such a dump is made before migrations if the Act
        has C(dump). Nothing else is done then. The Act is stopped, its present databases are dumped, too, and the
        release plays again. The release that is left is held.
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
        that is present is refused. If such an Act has C(dump), its databases are dumped to C(/var/backups/backstage)
        before.
  longest_request:
    type: int
    default: 300
    description: The role's C(stage_longest_request), in seconds. A greater O(acts[].timeout) is refused.
  elsewhere:
    type: list
    elements: str
    default: []
    description: Internal. The action plugin passes which Acts play on other hosts.
  shared:
    type: list
    elements: str
    default: []
    description: Internal. The action plugin passes which Acts of this host also play on other hosts.
  following:
    type: list
    elements: str
    default: []
    description: Internal. The action plugin passes for which of them another host leads.
  only_shared:
    type: bool
    default: false
    description:
      - Internal. Whether only the Acts that play on several hosts are built. A task with it comes before the one that
        plays them, so that no host is switched before all hosts have the release.
  dns_follows:
    type: bool
    default: false
    description:
      - Whether records of DNS are written after this task. New certificates whose names are proven by DNS are then
        returned as RV(asking), and no authority is asked for them yet.
  leaving:
    type: str
    description: Internal. The action plugin passes the version that the hosts of an Act leave in a rollback.
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
        - An Act has V(add), V(change), V(rename), V(build), V(dump), V(migrate), V(restore), V(seed), V(unhold),
          V(discard) for a release beyond O(acts[].keep_releases), V(sweep) for what a killed run left, V(mend) for
          users and modes that were changed by hand, V(remove) and V(delete data). Its database has
          V(create database), and V(close database) if others may connect to it.
        - A Sess has V(play), V(roll back), V(stop), V(sweep) and V(remove). Its port has V(listen) and V(unlisten).
        - A Venue has V(add), V(change), V(rename), V(open), V(close), V(rewrite) if its file differs from what it
          should be, V(reload) if nginx has not read it, and V(remove). A Gig has V(book), V(rebook), V(move) and
          V(cancel).
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
  description: The same steps in words, in Ansible's form, shown by C(--diff).
  returned: success
  type: list
  elements: dict
playing:
  description:
    - What this Production plays on this host, by Act.
    - For an Act that is rolled back, restarted, stopped or started, C(version) is a digest of what its release is made
      from. It is the same on hosts with another Python.
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
  description: What is on the host and not in the manifest any more. O(prune) takes it down.
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
