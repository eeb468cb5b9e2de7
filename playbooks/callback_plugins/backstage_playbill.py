# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load the callback plugin of the collection with its playbooks, so that nobody has to enable it."""

from __future__ import annotations

from ansible_collections.backstage.django.plugins.callback import playbill

DOCUMENTATION = r"""
name: backstage_playbill
type: aggregate
short_description: Load the callback plugin backstage.django.playbill
description:
  - Ansible loads the callback plugins that lie beside a playbook.
"""


class CallbackModule(playbill.CallbackModule):
    """The callback plugin, without a need to be enabled."""

    CALLBACK_NAME = "backstage_playbill"
    CALLBACK_NEEDS_ENABLED = False
