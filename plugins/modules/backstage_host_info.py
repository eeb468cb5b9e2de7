#!/usr/bin/python
# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backstage_host_info
short_description: Read what the roles of this collection need to know of a host
version_added: 1.1.0
description:
  - Reads in one call what a role would else ask with many tasks, and changes nothing. What is not asked for is not
    read.
  - It says what would keep the role from working, before the role changes anything.
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
        description: Where it notes its process, on hosts where PID 1 is not systemd.
      files:
        type: list
        elements: str
        default: []
        description: The files that it reads when it starts. It is stale when one of them is newer than its process.
      workers:
        type: str
        default: ""
        description: A part of the titles of the child processes that read these files, where the main process does not.
  record:
    type: path
    description: The file in which M(backstage.django.backstage_files) noted what the role wrote.
  uv:
    type: path
    description: The virtual environment in which uv is looked for.
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
        description: The configuration of Backstage's own emperor. Any other emperor is refused.
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
        description: The files of nginx that the role writes. A mistake in one of them is no reason to refuse.
      venues:
        type: path
        required: true
        description: The directory with a file for each Venue.
      facts:
        type: path
        required: true
        description: The file in which the role noted that it took the package's own site out.
  postgresql:
    type: bool
    default: false
    description: Whether to look for the host's cluster of PostgreSQL.
  leaving:
    type: bool
    default: false
    description:
      - Whether the role is about to take away what it made. RV(refusals) then has what is still in use, and not what
        would be in the way of a new installation.
requirements:
  - The module runs as root (C(become) of the play).
attributes:
  check_mode:
    support: full
    description: Reads, with or without it.
  diff_mode:
    support: N/A
    description: There is nothing to show.
  idempotent:
    support: full
    description: It changes nothing.
  platform:
    support: full
    platforms: debian
    description: The systems that the module runs on. Any other one is in RV(refusals).
seealso:
  - module: backstage.django.backstage_files
  - module: backstage.django.backstage_info
"""

EXAMPLES = r"""
---
- name: Read what a role needs to know
  backstage.django.backstage_host_info:
    packages: [nginx]
    service:
      name: nginx
      pidfile: /run/nginx.pid
      workers: worker process
      files: [/etc/nginx/conf.d/backstage.conf]
  register: host

- name: Refuse what could not work
  ansible.builtin.assert:
    that: host.refusals | length == 0
    fail_msg: "{{ host.refusals | join(' ') }}"

- name: Start nginx, where it is down
  ansible.builtin.service:
    name: nginx
    state: started
  when: not host.service.running
"""

RETURN = r"""
refusals:
  description: What stands in the way, a sentence each with what to do about it.
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
      description: Both, as people read them.
      type: str
    systemd:
      description: Whether PID 1 is systemd.
      type: bool
    ipv6:
      description: Whether the kernel speaks IPv6.
      type: bool
    somaxconn:
      description: The longest queue that the kernel allows a socket.
      type: int
missing:
  description: The packages of O(packages) that are not installed.
  returned: always
  type: list
  elements: str
python_apt:
  description: Whether M(ansible.builtin.apt) works in check mode, or has nothing to do.
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
      description: Whether systemd has to read its unit again.
      type: bool
    stale:
      description: Whether it started before one of its files was written.
      type: bool
recorded:
  description: The text of O(record), while everything is as it says; else empty.
  returned: when O(record) is given
  type: str
uv:
  description: The version of uv; empty where there is none, or where its installation was interrupted.
  returned: when O(uv) is given
  type: str
emperor:
  description: The directory of the emperor.
  returned: when O(emperor) is given
  type: dict
  contains:
    playing:
      description: The vassals of Backstage's that it has.
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
      description: Which program other than nginx has the port; empty where none has.
      type: str
    default_site:
      description: Whether the package's own site is V(untouched), V(changed) by somebody, or not enabled (V(none)).
      type: str
    default_site_removed:
      description: Whether an earlier run of the role took that site out.
      type: bool
    http2_directive:
      description: Whether HTTP/2 is a directive of this nginx, and not a word of its listeners.
      type: bool
    optional_groups:
      description: Whether its OpenSSL leaves out groups for key exchange that it does not know, where told so.
      type: bool
    venues:
      description: The files of Venues.
      type: list
      elements: str
    limits_files:
      description: Whether a file of somebody else's sets C(worker_rlimit_nofile).
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
postgresql:
  description: The host's cluster; the one with the lowest port, where it has several.
  returned: when O(postgresql=true)
  type: dict
  contains:
    version:
      description: Its version; empty where there is no cluster.
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
