# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian packages that provide what a build looks for."""

from __future__ import annotations

from collections.abc import Iterable

_C = ("gcc", "python3-dev")
_MYSQL = (*_C, "default-libmysqlclient-dev", "pkg-config")
_XML = (*_C, "libxml2-dev", "libxslt1-dev")
_LDAP = (*_C, "libldap-dev", "libsasl2-dev")
_PANGO = ("libpango-1.0-0", "libpangoft2-1.0-0")
_RUST = ("cargo", *_C)

# programs, headers and libraries
_WANTED: dict[str, tuple[str, ...]] = {
    "gcc": _C,
    "cc": _C,
    "g++": ("g++", "python3-dev"),
    "c++": ("g++", "python3-dev"),
    "uWSGI": _C,
    "Python.h": _C,
    "pg_config": (*_C, "libpq-dev"),
    "libpq-fe.h": (*_C, "libpq-dev"),
    "mysql.h": _MYSQL,
    "pkg-config": ("pkg-config",),
    "libxml2": _XML,
    "libxml/xmlversion.h": _XML,
    "jpeg": (*_C, "libjpeg-dev", "zlib1g-dev"),
    "zlib": (*_C, "libjpeg-dev", "zlib1g-dev"),
    "zlib.h": (*_C, "zlib1g-dev"),
    "ffi.h": (*_C, "libffi-dev"),
    "openssl/opensslv.h": (*_C, "libssl-dev"),
    "lber.h": _LDAP,
    "ldap.h": _LDAP,
    "sasl/sasl.h": _LDAP,
    "curl-config": (*_C, "libcurl4-openssl-dev", "libssl-dev"),
    "GDAL": ("gdal-bin",),  # its library has a different name on each Debian release, and depends on GEOS
    "GEOS": ("gdal-bin",),
    "SpatiaLite": ("libsqlite3-mod-spatialite",),
    "gdal-config": ("g++", "libgdal-dev", "python3-dev"),
    "Rust": _RUST,
    "cargo": _RUST,
    "git": ("git",),
    "Git": ("git",),
    "npm": ("npm",),
    "npx": ("npm",),
    "node": ("nodejs",),
    "sassc": ("sassc",),
    "msgfmt": ("gettext",),
    "msgmerge": ("gettext",),
    "msguniq": ("gettext",),
    "pandoc": ("pandoc",),
    "cmake": ("cmake",),
    "postgis": ("postgresql-postgis",),
    "make": ("make",),
    "esbuild": ("esbuild",),
    # libraries that are loaded at run time; if the name differs between Debian releases, a package that depends on it
    "libcairo.so.2": ("libcairo2",),
    "libcairo-2": ("libcairo2",),
    "libpango-1.0-0": _PANGO,
    "libpango-1.0.so.0": _PANGO,
    "libgobject-2.0-0": _PANGO,
    "libgobject-2.0.so.0": _PANGO,
    "libpangoft2-1.0-0": _PANGO,
    "libGL.so.1": ("libgl1",),
    "libgthread-2.0.so.0": _PANGO,
    "libmagic": ("file",),
    "libmagic.so.1": ("file",),
    "zbar": ("zbar-tools",),
    "libzbar.so.0": ("zbar-tools",),
    "libpq.so.5": ("libpq5",),
    "libmariadb.so.3": ("libmariadb3",),
    "libxmlsec1.so.1": ("libxmlsec1-openssl",),
    "libxmlsec1-openssl.so.1": ("libxmlsec1-openssl",),
}
# Python packages that are often built from source, each with everything that its build needs
_BUILT: dict[str, tuple[str, ...]] = {
    "bcrypt": _RUST,
    "cffi": (*_C, "libffi-dev"),
    "cryptography": (*_RUST, "libssl-dev", "pkg-config"),
    "gdal": ("g++", "libgdal-dev", "python3-dev"),
    "lxml": _XML,
    "mysqlclient": _MYSQL,
    "pillow": (*_C, "libjpeg-dev", "zlib1g-dev"),
    "psycopg-c": (*_C, "libpq-dev"),
    "psycopg2": (*_C, "libpq-dev"),
    "pycairo": (*_C, "libcairo2-dev", "pkg-config"),
    "pycurl": (*_C, "libcurl4-openssl-dev", "libssl-dev"),
    "python-ldap": _LDAP,
    "xmlsec": (*_XML, "libxmlsec1-dev", "pkg-config"),
}
UNKNOWN = "the Debian package that has it"
BUILT = "|".join(map(str, _BUILT))


def packages(wanted: Iterable[str]) -> list[str]:
    """Return the Debian packages for programs, headers, libraries and Python packages, and none for unknown ones."""
    found: set[str] = set()
    for word in wanted:
        name = word.split("==")[0]
        found.update(_WANTED.get(word) or _BUILT.get(name.lower().replace("_", "-"), ()))
    return sorted(found)


def said(wanted: Iterable[str]) -> str:
    """Return the same packages as a part of a sentence."""
    found = packages(wanted)
    if not found:
        return UNKNOWN
    return " and ".join(part for part in (", ".join(found[:-1]), found[-1]) if part)
