# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys of every kind, made by the real openssl."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Pair

EC = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def openssl(*argv: str, stdin: str = "") -> str:
    return subprocess.run(["openssl", *argv], input=stdin, check=True, capture_output=True, text=True).stdout


def key(*kind: str) -> str:
    """A new key; without a kind it is one of an elliptic curve."""
    return openssl("genpkey", "-algorithm", *(kind or EC))


def signed(names: list[str], of: str = "", days: str = "30", *more: str) -> Pair:
    """A self-signed certificate for these names, and its key."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "key"
        file.write_text(of or key())
        alternative = ("-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)) if names else ()
        request = ("req", "-x509", "-new", "-key", str(file), "-subj", "/CN=test", "-days", days, *alternative, *more)
        return Pair(openssl(*request), file.read_text())


def issued(names: list[str], begins: str, ends: str) -> Pair:
    """A certificate that is valid between two moments, such as 20260101000000Z."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "key").write_text(key())
        (directory / "index").write_text("")
        (directory / "config").write_text(
            f"[ca]\ndefault_ca=a\n[a]\ndatabase={name}/index\nnew_certs_dir={name}\npolicy=p\nrand_serial=yes\n"
            f"default_md=sha256\ncopy_extensions=copy\n[p]\ncommonName=optional\n"
        )
        alternative = "subjectAltName=" + ",".join(f"DNS:{one}" for one in names)
        request = ("req", "-new", "-key", f"{name}/key", "-subj", "/CN=test", "-addext", alternative)
        openssl(*request, "-out", f"{name}/request")
        openssl(
            "ca", "-batch", "-selfsign", "-config", f"{name}/config", "-keyfile", f"{name}/key", "-notext",
            "-startdate", begins, "-enddate", ends, "-in", f"{name}/request", "-out", f"{name}/certificate",
        )  # fmt: skip
        return Pair((directory / "certificate").read_text(), (directory / "key").read_text())
