#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_host_info
short_description: Read the facts of a host that this collection's roles need
version_added: 1.1.0
description:
  - Reads in one call what a role would otherwise read with many tasks, and changes nothing. It reads only what the
    options ask for.
  - It returns what would keep the role from working, before the role changes anything.
extends_documentation_fragment:
  - backstage.django.reading
author:
  - The Backstage maintainers (@backstage-django)
options:
  packages:
    type: list
    elements: str
    default: []
    description: Debian packages that the role needs. RV(missing) has those that are not installed.
  service:
    type: dict
    description: The service that the role keeps.
    suboptions:
      name:
        type: str
        required: true
        description: Its name.
      pidfile:
        type: str
        default: ""
        description: Its PID file, for hosts where PID 1 is not systemd.
      files:
        type: list
        elements: str
        default: []
        description: The files that it reads at its start. It is stale if one of them is newer than its process.
      workers:
        type: str
        default: ""
        description: A part of the titles of the child processes that read these files, if the main process does not.
  record:
    type: path
    description: The file in which M(backstage.django.backstage_files) recorded what the role wrote.
  uv:
    type: path
    description: The virtual environment that contains uv.
  emperor:
    type: dict
    description: The directory that Backstage's uWSGI emperor watches.
    suboptions:
      vassals:
        type: str
        required: true
        description: The directory.
      ini:
        type: str
        required: true
        description: The configuration of Backstage's own emperor. Another emperor on the same directory is refused.
  nginx:
    type: dict
    description: The host's nginx and its configuration.
    suboptions:
      port:
        type: int
        required: true
        description: The port that the role wants for nginx.
      tls_port:
        type: int
        default: 0
        description: The port that it wants for TLS; V(0) where it wants none.
      ours:
        type: list
        elements: str
        required: true
        description: The files of nginx that the role writes. An error in one of them is not a reason to refuse.
      venues:
        type: path
        required: true
        description: The directory with a file for each Venue.
      facts:
        type: path
        required: true
        description: The file in which the role records that it disabled the package's own site.
  postgresql:
    type: bool
    default: false
    description: Whether to look for the host's PostgreSQL cluster.
  producer:
    type: dict
    description: What to look at of PowerDNS.
    suboptions:
      listen:
        type: list
        elements: str
        required: true
        description: The addresses where it is to answer.
      ours:
        type: list
        elements: str
        required: true
        description: The files that the role writes.
      key:
        type: path
        required: true
        description: The file with the key of its API.
  leaving:
    type: bool
    default: false
    description:
      - Whether the role is about to remove what it made. Then RV(refusals) lists what is still in use, and not what
        would prevent a new installation.
requirements:
  - The module runs as root (C(become) of the play).
attributes:
  platform:
    support: full
    platforms: debian
    description: The systems that the module runs on. Any other system is in RV(refusals).
seealso:
  - module: backstage.django.backstage_files
  - module: backstage.django.backstage_info
"""

EXAMPLES = r"""
---
- name: Read the facts that a role needs
  backstage.django.backstage_host_info:
    packages: [nginx]
    service:
      name: nginx
      pidfile: /run/nginx.pid
      workers: worker process
      files: [/etc/nginx/conf.d/backstage.conf]
  register: host

- name: Refuse a host on which the role cannot work
  ansible.builtin.assert:
    that: host.refusals | length == 0
    fail_msg: "{{ host.refusals | join(' ') }}"

- name: Start nginx if it is down
  ansible.builtin.service:
    name: nginx
    state: started
  when: not host.service.running
"""

RETURN = r"""
refusals:
  description: What prevents the role from working, one sentence each with its cure.
  returned: always
  type: list
  elements: str
  sample: ["Port 80 is taken by apache2 (process 4711). Stop it, or set front_of_house_http_port to another port."]
system:
  description: The host's system.
  returned: always
  type: dict
  contains:
    distribution:
      description: Its id, in lower case.
      type: str
      sample: debian
    version:
      description: Its version.
      type: str
      sample: "13"
    name:
      description: Both, for people.
      type: str
    systemd:
      description: Whether PID 1 is systemd.
      type: bool
    ipv6:
      description: Whether the kernel supports IPv6.
      type: bool
    somaxconn:
      description: The kernel's maximum for the listen queue of a socket.
      type: int
missing:
  description: The packages of O(packages) that are not installed.
  returned: always
  type: list
  elements: str
python_apt:
  description: Whether M(ansible.builtin.apt) works in check mode, or has nothing to install.
  returned: always
  type: bool
service:
  description: The service.
  returned: when O(service) is given
  type: dict
  contains:
    known:
      description: Whether it exists.
      type: bool
    running:
      description: Whether it runs.
      type: bool
    enabled:
      description: Whether it starts when the host boots.
      type: bool
    reread:
      description: Whether systemd has to reload its unit.
      type: bool
    stale:
      description: Whether it started before one of its files was written.
      type: bool
recorded:
  description: The text of O(record) if everything on the host matches it; else empty.
  returned: when O(record) is given
  type: str
uv:
  description: The version of uv; empty if it is not installed, or if its installation was interrupted.
  returned: when O(uv) is given
  type: str
emperor:
  description: The directory of the emperor.
  returned: when O(emperor) is given
  type: dict
  contains:
    playing:
      description: The vassals of Backstage in it.
      type: list
      elements: str
nginx:
  description: The host's nginx.
  returned: when O(nginx) is given
  type: dict
  contains:
    broken:
      description: Whether nginx refuses its configuration because of one of the files in O(nginx.ours).
      type: bool
    taken_by:
      description: The program other than nginx that has the port; empty if none has.
      type: str
    default_site:
      description: Whether the package's own site is V(untouched), V(changed) by somebody, or not enabled (V(none)).
      type: str
    default_site_removed:
      description: Whether an earlier run of the role disabled that site.
      type: bool
    http2_directive:
      description: Whether HTTP/2 is a directive of this nginx, and not a word of its listeners.
      type: bool
    optional_groups:
      description: Whether its OpenSSL leaves out groups for key exchange that it does not know, where told so.
      type: bool
    venues:
      description: The files of the Venues.
      type: list
      elements: str
    limits_files:
      description: Whether a file that is not Backstage's sets C(worker_rlimit_nofile).
      type: bool
    connections:
      description: The number of C(worker_connections), and the file that sets it.
      type: dict
      contains:
        path:
          description: The file.
          type: str
        number:
          description: The number.
          type: int
producer:
  description: What the role producer has made here.
  returned: when O(producer) is given
  type: dict
  contains:
    database:
      description: Whether the database has its tables.
      type: bool
    key:
      description: Whether there is a key of the API.
      type: bool
    zones:
      description: The zones in the database.
      type: list
      elements: str
postgresql:
  description: The host's cluster; if it has several, the one with the lowest port.
  returned: when O(postgresql=true)
  type: dict
  contains:
    version:
      description: Its version; empty if there is no cluster.
      type: str
    name:
      description: Its name.
      type: str
    port:
      description: Its port.
      type: int
    online:
      description: Whether it runs.
      type: bool
    acts:
      description: With O(leaving=true), the Acts that have a database in it.
      type: list
      elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.host import host_info, host_specs
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError


def main() -> None:
    module = AnsibleModule(argument_spec=host_specs.info(), supports_check_mode=True)
    try:
        found = host_info.read(module.params)
    except BackstageError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
