# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which key of the manifest makes a release or a Sess, and the ids of both.

A release is named by its inputs and never by its results, so its id is known before anything is
built, in check mode, on an empty host, and is the same on every host with the same Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
from functools import cache
from typing import Any, Optional

from .nouns import Act, summary

PYTHON = "/usr/bin/python3"
"""The distribution's: Debian's uWSGI plugin is built for it and for no other."""

FORMAT = 1
"""It changes only if the same inputs would be sealed as other bytes."""

PATH = "path"
"""The Gig's path, among the inputs of a release where it is not the root."""

SERVER = "server"
"""The Stage kind with the packages that it needs, among the inputs of a release if it needs any."""

RELEASE = "release"
SESS = "sess"
NEITHER = "neither"

ACT_KEYS: dict[str, str] = {
    "name": NEITHER,
    "state": NEITHER,
    "source": RELEASE,
    "refresh": RELEASE,
    "requirements": RELEASE,
    "index": RELEASE,
    "settings": RELEASE,
    "application": RELEASE,
    "manage": RELEASE,
    "chdir": RELEASE,
    "files": RELEASE,
    "env": RELEASE,
    "secrets": SESS,
    "database": SESS,
    "writable": RELEASE,
    "packages": RELEASE,
    "build": RELEASE,
    "static": RELEASE,
    "static_urls": RELEASE,
    "after_static": RELEASE,
    "migrate": NEITHER,
    "fixtures": NEITHER,
    "seed": NEITHER,
    "health": NEITHER,
    "timeout": SESS,
    "keep_releases": NEITHER,
    "workers": SESS,
    "timers": NEITHER,
    "hooks": NEITHER,
    "dump": NEITHER,
    "was": NEITHER,
    "media": NEITHER,
}
SESS_KEYS: dict[str, str] = {
    "act": NEITHER,
    "stage": RELEASE,
    "worker_class": SESS,
    "manager": SESS,
    "processes": SESS,
    "threads": SESS,
    "limits": SESS,
    "hosts": NEITHER,
    "port": SESS,
    "state": NEITHER,
    "idle": SESS,
    "standby": NEITHER,
}


LATER = ("index", "static_urls")
"""Keys that came after the first releases. They are inputs only if they have a value, so that earlier ids stay."""

_EMPTY = Act("")


def release_inputs(act: Act, source: str, path: str = "/", server: Optional[dict[str, Any]] = None) -> dict[str, Any]:
    """Return all inputs of a release of this Act, as plain data.

    Args:
        act: the Act as the manifest says.
        source: the id of its content: a commit, or a digest of names, modes and bytes.
        path: where on its Venues it plays. What is built may hold it: compressed style sheets name absolute URLs, and
            so do scripts that know the site's. It makes the Sess, too, by a variable.
        server: what the Stage kind needs in its environment; None if the host brings the server.
    """
    inputs = {key: summary(getattr(act, key)) for key, makes in ACT_KEYS.items() if makes == RELEASE}
    # the same content from another place, or under another name of the commit, is the same release
    inputs["source"] = {"content": source, "subdir": act.source.subdir if act.source else ""}
    if act.source and act.source.submodules:
        inputs["source"]["submodules"] = True
    for key in LATER:
        if getattr(act, key) == getattr(_EMPTY, key):
            del inputs[key]
    if path != "/":
        inputs[PATH] = path
    if server:
        inputs[SERVER] = server
    return inputs


def hold_digest(known: dict[str, Any]) -> str:
    """Return the digest of a hold: of the source and of the Act in the manifest, without its path."""
    return digest({key: value for key, value in known.items() if key != PATH})


def digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def release_id(inputs: dict[str, Any], abi: str) -> str:
    return digest({"inputs": inputs, "abi": abi, "format": FORMAT})[:12]


@cache
def abi() -> str:
    """Return the binary interface of the distribution's Python, such as cpython-311-x86_64-linux-gnu."""
    if os.path.realpath(sys.executable) == os.path.realpath(PYTHON):
        return str(sysconfig.get_config_var("SOABI"))
    program = "import sysconfig; print(sysconfig.get_config_var('SOABI'))"
    return subprocess.run([PYTHON, "-I", "-c", program], check=True, capture_output=True, text=True).stdout.strip()
