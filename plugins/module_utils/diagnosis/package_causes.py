# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes and cures of failures with an Act's packages, recognized in the output of uv and of package builds."""

from __future__ import annotations

from ..host import debian
from . import build_tools
from .rows import Row

ROWS: list[Row] = [
    Row(
        "hash mismatch",
        r"Hash mismatch for `([^`]+)`",
        "the index has another '{0}' than the hashes of the requirements say: renew them, if you trust what it has",
    ),
    Row(
        "index wants a password",
        r"(?:credentials|client error) \((?:401 Unauthorized|403 Forbidden)\)"
        r"|An index URL \(\S+\) returned a 403 Forbidden",
        "the index wants a username and a password: write them into 'index'",
    ),
    Row(
        "index unreachable",
        r"Failed to fetch: `([^`]+)`",
        "the index does not answer at {0}: is it up, and may this host reach it? Another one goes into 'index'",
    ),
    Row(
        "requirement from git",
        r"Git operation failed.*?fatal: (.*)",
        "a requirement comes from git, which says: {0}",
    ),
    Row(
        "Python too old",
        r"the current Python version \(([\d.]+)\) does not satisfy Python(\S+) and"
        r" (?:(\S+) depends on|you require (\S+?),)",
        "'{2}' needs Python{1}, and this host has {0}: choose a version that suits, or a host with a later Debian",
    ),
    Row(
        "another Python needed",
        r"Because (\S+) requires Python (\S+)",
        "'{0}' needs Python{1}, which this host has not: choose a version that suits, or a host with a later Debian",
    ),
    Row(
        "no wheel for this Python",
        r"(\S+) has no wheels with a matching (?:Python|platform)",
        "'{0}' has no wheel for this Python, and no source to build it from: choose another version",
    ),
    Row(
        "requirement unknown",
        r"Because ([\w.-]+) was not found in the package registry",
        "the package '{0}' is not in the index: correct the requirements",
    ),
    Row(
        "version unknown",
        r"there is no version of (\S+?),? and"
        r"|Because only .{1,200} available.{0,200} and (?:you require|\S+ depends on) (\S+?),? we",
        "the index has no {0}: correct the requirements",
    ),
    Row(
        "requirement contradicted",
        r"Because (\S+==\S+) depends on (?=([\w.-]+?)[\[<>=!~])(\S+) and you require (?=\2[\[<>=!~])(\S+?), we can"
        r" conclude",
        "'{0}' needs another {1} than the requirements name ({2}, and not {3}): change one of the two",
    ),
    Row(
        "requirement unresolvable",
        r"No solution found when resolving dependencies",
        "the requirements contradict each other: the log says which",
    ),
    Row(
        "requirement unreadable",
        r"Couldn't parse requirement in .*\n(?:.*\n)*?(\S.*)\n\s*\^"
        r"|error: (?:Unexpected|Expected) .{0,99} at (\S+?:\d+):\d+",
        "the requirements can't be read at '{0}': correct that line",
    ),
    Row(
        "version from git",
        r"setuptools[-_]scm was unable to detect version",
        "the project's version comes from its git history, which no host has: give a tag such as v1.2.3 as the source's"
        " 'version', or SETUPTOOLS_SCM_PRETEND_VERSION in 'env'",
    ),
    Row(
        "older tools needed",
        rf"Failed to build `([^`]+)`(?s:.{{0,20000}}?)({'|'.join(build_tools.OLDER)})",
        "the package '{0}' can't be built with today's tools ({1}): write '{tools}' into a file build-constraints.txt,"
        " and name that in 'requirements'",
    ),
    Row(
        "older than this Python",
        r"Failed to build `([^`]+)`(?s:.{0,20000}?)(?:(ImpImporter|SafeConfigParser|getargspec|longintrepr\.h)"
        r"|newer than (PyO3)'s maximum|(?:implicit declaration of|too few arguments to) function [\u2018'](_?Py\w+))",
        "the package '{0}' is older than this host's Python ('{1}'): choose a version that has a wheel for it, or a"
        " host with an earlier Debian",
    ),
    Row(
        "compiler missing",
        r"(?:No such file or directory: '|command ')(?:[\w.-]+-)?(gcc|g\+\+|cc|c\+\+)'"
        r"|Unknown compiler\(s\): \[\['(cc|c\+\+)'\]|you need a C compiler to build (uWSGI)",
        "a package has to be compiled, and there is no compiler: add {packages} to 'packages'",
    ),
    Row(
        "header missing",
        r"fatal error: (\S+\.h(?:pp)?): No such file or|library files could not be found for (\w+),",
        "a package has to be compiled, and {0} is missing: add {packages} to 'packages'",
    ),
    Row(
        "program missing",
        r"(pg_config) executable not found|: (pkg-config): not found|sure the (libxml2) and libxslt development"
        r"|No such file or directory: '([\w.+-]+-config)'|can't find (Rust) compiler|(Rust) not found, installing"
        r"|(Git) executable not found|the program '([^']+)' is missing|Can't find (msg\w+)\. Make sure you have GNU"
        r"|error: \[Errno 2\] No such file or directory: '([\w+-]+)'|\bsh: \d+: ([\w.+-]+): not found"
        r"|raise child_exception_type\(.*\)\s+FileNotFoundError: \[Errno 2\] No such file or directory: '([^'/]+)'"
        r"|Could not find the (GDAL|GEOS) library|Unable to load the (SpatiaLite) library",
        "the program or library '{0}' is missing: add {packages} to 'packages'",
    ),
    Row(
        "shared library missing",
        r"cannot load library '(lib[^']+)': |(lib[\w.+-]+\.so[\w.]*): cannot open shared object file"
        r"|failed to find (libmagic)|Unable to find (zbar) shared library",
        "the library '{0}' is missing: add {packages} to 'packages'",
    ),
    Row(
        "library missing",
        rf"Failed to build `((?:{debian.BUILT})==[^`]+)`",
        "the package '{0}' has no wheel for this Python, and building it needs {packages} in 'packages'",
    ),
    Row(
        "build from source failed",
        r"Failed to build `([^`]+)`",
        "the package '{0}' has no wheel for this Python, and building it failed: does it need something in 'packages'?",
    ),
    Row(
        "requirements not named",
        r"the project says nowhere which packages it needs",
        "the project says nowhere which packages it needs; add a requirements.txt, or name its files in 'requirements'",
    ),
]
