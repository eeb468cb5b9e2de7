# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call says when it refuses, as a value for the last column of a table."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError


def told(function: Callable[..., Any], *args: Any, **options: Any) -> str:
    """The message of the error that the call ends with; empty where it ends well."""
    try:
        function(*args, **options)
    except BackstageError as error:
        return error.message
    return ""
