# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest options that the modules accept, for tests that change one thing of them."""

from __future__ import annotations

from typing import Any

from ansible_collections.backstage.django.plugins.module_utils.host.errors import Refusal
from ansible_collections.backstage.django.plugins.module_utils.manifest import parse as manifest
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Manifest

Item = dict[str, Any]

COMMIT = "0123456789abcdef0123456789abcdef01234567"
VENUE = "kittens.example.com"


def act(**more: Any) -> Item:
    return {"name": "kittens", "source": {"path": "kittens"}, **more}


def git(**more: Any) -> Item:
    return {"git": "https://git.example.com/kittens.git", "version": "v1", **more}


def options(**more: Any) -> Item:
    """All options of backstage_production, as its module has them."""
    defaults = {key: rule.get("default") for key, rule in spec.production().items()}
    return {**defaults, "production": "jazz", "acts": [act()], **more}


def booked(**more: Any) -> Item:
    """One Act with a Venue and a Gig."""
    return options(**{"venues": [{"name": VENUE}], "gigs": [{"act": "kittens", "venue": VENUE}], **more})


def parse(**more: Any) -> Manifest:
    return manifest.parse(options(**more))


def refused(given: Item) -> list[str]:
    """The lines of the refusal; none where the options are accepted."""
    try:
        manifest.parse(given)
    except Refusal as refusal:
        return str(refusal).splitlines()
    return []
