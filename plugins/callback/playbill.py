# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: playbill
type: aggregate
short_description: Show the progress of a run, and at its end what plays where
version_added: 1.1.0
description:
  - While M(backstage.django.backstage_production) or M(backstage.django.backstage_act) works for more than two seconds,
    one line is printed for each phase of an Act that took half a second or more, for what plays now, and for what
    failed. Nothing is printed in check mode, and nothing if there is nothing to do.
  - At the end of the run one table is printed, with a row for each Gig of all hosts, its Act, its release, its state,
    its health, and the seconds that the run needed for the Act.
  - The playbooks of this collection load it. Your own playbooks need
    C(callbacks_enabled = backstage.django.playbill) in C(ansible.cfg).
  - It is silent if the output of Ansible is for programs (C(stdout_callback = ansible.posix.json) and such).
author:
  - The Backstage maintainers (@backstage-django)
requirements:
  - Listed in C(callbacks_enabled), in your own playbooks.
"""

import re
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible_collections.backstage.django.plugins.plugin_utils import watching

FOR_PROGRAMS = re.compile(r"json|junit|xml|null")
"""Callbacks whose output a program reads."""


class CallbackModule(CallbackBase):
    """Has actions print their progress, and prints the playbills of all hosts at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "backstage.django.playbill"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        if FOR_PROGRAMS.search(str(vars(constants)["DEFAULT_STDOUT_CALLBACK"])):
            self.disabled = True
        elif watching.is_watched():
            self.disabled = True  # it is enabled by ansible.cfg and loaded by the playbook: one of both is enough
        else:
            watching.watch()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        lines = watching.lines(watching.kept())
        if lines:
            self._display.banner(watching.TITLE)
            for line in lines:
                self._display.display(line)
