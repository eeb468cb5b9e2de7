# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a value of the manifest may be. Each check returns what is wrong, or nothing.

Everything that ends in a path, an ini, an nginx file or a command line passes one of these.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Container, Iterable
from fnmatch import fnmatchcase
from typing import Any, Optional

from ..host import names

LONGEST_VARIABLE = 131000  # name and value: beyond it uWSGI's re-exec fails (execve's MAX_ARG_STRLEN)
SHORTEST_SECRET = 8
LONGEST_NAME = 200  # of a Venue: backstage.<production>.<venue>.log has at most 255 (NAME_MAX)
LEAST_MEMORY = 32  # M
LEAST_CPU = 5  # percent
ROOM_FOR_TASKS = 4  # uWSGI's master, and a few that the Act starts
MOST_TASKS = 1 << 22  # the kernel's own most (PID_MAX_LIMIT)
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
OWN_VARIABLES = {
    "DJANGO_SETTINGS_MODULE": "use 'settings'",
    "HOME": "it is the Act's data directory",
    "LC_ALL": "it is always C.UTF-8",
}
OWN_PREFIXES = {
    "BACKSTAGE_": "these are exported by Backstage",
    "UWSGI_": "uWSGI reads these as options",
}
CREDENTIALS = "it holds credentials, which would be seen; take them out of the URL"
_INDEX = re.compile(r"https?://([A-Z0-9._-]+|\[[0-9A-F:.]+\])(:[0-9]+)?(/[^\s?#\\]*)?\Z", re.IGNORECASE | re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def production(name: str) -> Optional[str]:
    if not names.PRODUCTION.match(name):
        return "use a letter, then up to 14 lower-case letters and digits"
    if name in names.RESERVED_PRODUCTIONS:
        return "this name is taken by the system; choose another one"
    return None


def act(name: str) -> Optional[str]:
    if not names.ACT.match(name):
        return "use a letter, then up to 31 lower-case letters, digits and hyphens"
    return None


def host_name(name: str) -> Optional[str]:
    if len(name) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} characters, too long for the files that are named after it"
    if name != name.lower() or name.endswith("."):
        return f"write it as '{name.lower().rstrip('.')}'"
    if not name.isascii():
        return f"write its ASCII form, '{_punycode(name)}'"
    if not names.is_host_name(name):
        return "use a DNS host name: labels of letters, digits and hyphens, joined by dots"
    return None


def _punycode(name: str) -> str:
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return "xn--..."


def inner_path(path: str, directory: bool = False) -> Optional[str]:
    """A path inside the code: relative, normal, and never out of it."""
    plain = path[:-1] if directory and path.endswith("/") else path
    if not plain or _CONTROL.search(plain) or len(plain) > 1024:
        return "use a path inside the code, without control characters"
    if plain.startswith(("/", "-")) or posixpath.normpath(plain) != plain:
        return f"use a relative path in its shortest form, such as '{_relative(plain)}'"
    if plain == ".":
        return "name something inside the code, not the code itself"
    if plain.split("/")[0] == "..":
        return "it leaves the code; use a path inside it"
    return None


def _relative(path: str) -> str:
    return posixpath.normpath(path.lstrip("/-")) or "."


def url_path(path: str) -> Optional[str]:
    if not path.startswith("/") or re.search(r"[^A-Za-z0-9/._~!&'()*+,;=:@%?-]", path):
        return "use an absolute URL path, such as '/' or '/about/'"
    return None


def command_line(text: str) -> Optional[str]:
    """A command. It is split into words as a shell does, and run without a shell."""
    if _CONTROL.search(text):
        return "write it on one line, without control characters"
    try:
        words = shlex.split(text)
    except ValueError as error:
        return f"its quotes do not match ({error})"
    if not words:
        return "it is empty; leave it out"
    return None


def worker_program(text: str) -> Optional[str]:
    """A program of the environment, with its arguments."""
    problem = command_line(text)
    if problem:
        return problem
    program = shlex.split(text)[0]
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z", program):
        return "begin with a program of the environment, by its name alone, such as 'celery -A kittens worker'"
    return None


def time_of_day(text: str) -> Optional[str]:
    return None if re.match(r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", text) else "write hours and minutes in quotes: '03:00'"


def directory(path: str) -> Optional[str]:
    """A directory inside the code. Its name is written into the vassal's ini, where special characters are code."""
    if path == ".":
        return None
    if not re.match(r"[A-Za-z0-9._+/-]+\Z", path):
        return "use a path of letters, digits and . _ + - /"
    return inner_path(path)


def module(dotted: str) -> Optional[str]:
    return None if names.DOTTED.match(dotted) else "use a dotted module, such as 'kittens.settings'"


def application(value: str) -> Optional[str]:
    return None if names.CALLABLE.match(value) else "use 'module:callable', such as 'kittens.wsgi:application'"


def application_of(interface: str, value: str) -> Optional[str]:
    """The callable of an Act. The name of its module must not belong to the interface of another Stage kind."""
    named = next((name for name in ("asgi", "wsgi") if value.split(":", 1)[0].endswith(name)), interface)
    if named == interface:
        return None
    return (
        f"it is the {named.upper()} callable, and the stage plays {interface.upper()}; name that one, or change 'stage'"
    )


def package(name: str) -> Optional[str]:
    return None if names.PACKAGE.match(name) else "no Debian package has such a name"


def manage(value: str) -> Optional[str]:
    if value.startswith("-m "):
        if not names.DOTTED.match(value[3:]):
            return "write '-m module', such as '-m kittens'"
        return None
    if value.endswith(".py"):
        return inner_path(value)
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z", value):
        return "use a *.py file of the project, '-m module', or a console script of the environment"
    return None


def variable(name: str, value: Any) -> Optional[str]:
    """One environment variable. A value that would not reach the Act byte for byte is refused."""
    if not names.VARIABLE.match(name):
        return "use letters, digits and underscores for the name of a variable"
    if name in OWN_VARIABLES:
        return f"Backstage sets it; {OWN_VARIABLES[name]}"
    for prefix, reason in OWN_PREFIXES.items():
        if name.startswith(prefix):
            return f"its name may not start with {prefix}: {reason}"
    if isinstance(value, bool) or value is None:
        return "this is not text in YAML; write what the project expects, in quotes"
    if not isinstance(value, (str, int, float)):
        return "use a single value, not a list or a dictionary"
    return _text(name, str(value))


def _text(name: str, text: str) -> Optional[str]:
    if re.search(r"[\ud800-\udfff]", text):
        return "it holds half a character (a lone surrogate), which is not text"
    if "\0" in text:
        return "it holds a NUL byte, which no environment variable can"
    if text and text[-1] in " \t\r\n\v\f":
        return "it ends in white space, which uWSGI would cut off; remove it"
    if len(name) + len(text.encode()) > LONGEST_VARIABLE:
        return f"name and value are longer than {LONGEST_VARIABLE} bytes"
    return None


def secret(value: str, taken: Container[str]) -> Optional[str]:
    """The value of a secret. Output masks it wherever it occurs, so it must not be a word that output needs."""
    if len(value) < SHORTEST_SECRET:
        return f"it is shorter than {SHORTEST_SECRET} characters; use a longer one"
    if value in taken:
        return "it is the same as a name in the manifest; use another one"
    return None


def between(value: int, lowest: int, highest: int) -> Optional[str]:
    if not lowest <= value <= highest:
        return f"use a number from {lowest} to {highest}"
    return None


def reserved(name: str, reserved_names: Iterable[str]) -> Optional[str]:
    """A variable. Those from which the server of a Stage kind reads options are refused."""
    if any(fnmatchcase(name, pattern) for pattern in reserved_names):
        return "the server of this stage reads it as an option; remove it"
    return None


def limit_of_memory(value: str) -> Optional[str]:
    """An amount of memory, as systemd writes it."""
    match = re.match(r"([1-9][0-9]{0,11})([KMG])\Z", value)
    if not match:
        return "use a number and K, M or G, such as 512M"
    if int(match.group(1)) * UNITS[match.group(2)] < LEAST_MEMORY * UNITS["M"]:
        return f"no Sess starts with so little; use at least {LEAST_MEMORY}M"
    return None


def limit_of_cpu(value: str) -> Optional[str]:
    """A part of one core, as systemd's CPUQuota."""
    match = re.match(r"([1-9][0-9]{0,5})%\Z", value)
    if not match:
        return "use a percentage of one core, such as 50% (200% is two cores)"
    return f"no Sess starts with so little; use at least {LEAST_CPU}%" if int(match.group(1)) < LEAST_CPU else None


def limit_of_tasks(value: int, processes: int, threads: int) -> Optional[str]:
    """A number of processes and threads, large enough for those that always run."""
    needed = processes * threads + ROOM_FOR_TASKS
    if value < needed:
        each = f"{processes} process{'es' * (processes > 1)} with {threads} thread{'s' * (threads > 1)} each"
        return f"its {each} and uWSGI's master need room; use at least {needed}"
    return between(value, needed, MOST_TASKS)


def git_location(url: str) -> Optional[str]:
    """A repository for git: not an option, not a remote helper, and without credentials."""
    if url.startswith("-") or _CONTROL.search(url) or "::" in url or url.strip() != url:
        return "use an https, ssh or git URL, or a path on the controller"
    if re.match(r"[a-z0-9+.-]+://", url, re.IGNORECASE) and not re.match(
        r"(https?|ssh|git|file)://", url, re.IGNORECASE
    ):
        return "use an https, ssh, git or file URL"
    if re.match(r"(\w+://)?([^/@]*@)?-", url):
        return "its host begins with a hyphen, which a program would take for an option"
    if re.match(r"https?://[^/]*@|ssh://[^/]*:[^/]*@", url, re.IGNORECASE):
        return CREDENTIALS
    return None


def may_hold_credentials(text: str) -> bool:
    """Return whether a message must not repeat a text: it may be a URL with a user, however it is written."""
    return re.search(r"//.*@|:/?[^/]*@", text, re.DOTALL) is not None


def archive_location(place: str) -> Optional[str]:
    """A URL or a path on the controller, without credentials inside."""
    if _CONTROL.search(place) or place.strip() != place or place.startswith("-"):
        return "use an https URL, or a path on the controller"
    if re.match(r"[a-z0-9+.-]+://", place, re.IGNORECASE) and not re.match(r"https?://", place, re.IGNORECASE):
        return "use an https URL, or a path on the controller"
    return _url_without_credentials(place)


def _url_without_credentials(url: str) -> Optional[str]:
    if re.match(r"[a-z][a-z0-9+.-]*:[/\\]*[^/]*@", url, re.IGNORECASE):
        return CREDENTIALS
    return None


def checksum(value: str) -> Optional[str]:
    if not re.match(r"sha256:[0-9a-f]{64}\Z", value):
        return "write sha256: and the 64 characters that sha256sum prints"
    return None


def pinned_package(requirement: str) -> Optional[str]:
    """A requirement that names one content: an exact version, or a URL with its hash."""
    name = r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?"
    if re.match(name + r"==[A-Za-z0-9][A-Za-z0-9.+!_-]*\Z", requirement):
        return None
    if re.match(name + r" @ https?://[^\s;#@]+#sha256=[0-9a-f]{64}\Z", requirement):
        return None
    return "pin it: 'kittens==1.4.2', or 'kittens @ https://.../kittens-1.4.2-py3-none-any.whl#sha256=...'"


def package_version(version: str) -> Optional[str]:
    return None if re.match(r"[A-Za-z0-9][A-Za-z0-9.+!_-]*\Z", version) else "use an exact version, such as '1.4.2'"


def gig_path(path: str) -> Optional[str]:
    """Where an Act plays on a Venue: the root, or a prefix, which is written into a file of nginx."""
    if path != "/" and not names.URL_PREFIX.match(path + "/"):
        return "use '/', or a path such as '/blog'"
    if path.startswith("/backstage-"):
        return "what begins so is kept for nginx's own pages; choose another one"
    return None


def index_url(url: str) -> Optional[str]:
    if _url_without_credentials(url):
        return f"{CREDENTIALS}, and give them as username and password"
    if not _INDEX.match(url):
        return "use an https URL, such as 'https://pypi.example.com/simple/'"
    return None


def find_links(place: str) -> Optional[str]:
    """A page with links, a directory of the host, or one inside the code."""
    if re.match(r"[a-z][a-z0-9+.-]*:", place, re.IGNORECASE):  # uv takes one slash for two
        return index_url(place)
    if place.startswith("/"):
        shortest = posixpath.normpath(place) == place.rstrip("/") and not place.startswith("//")
        return None if shortest else "use the directory's shortest form"
    return inner_path(place, directory=True)


def url_prefix(prefix: str) -> Optional[str]:
    """A URL prefix for a file of nginx."""
    if not names.URL_PREFIX.match(prefix):
        return "use a URL prefix that begins and ends with a slash, such as '/static/'"
    return None


def git_version(version: str) -> Optional[str]:
    if re.match(r"(?=.*[a-f])[0-9a-f]{7,39}\Z", version):  # of digits alone it is a date, and a tag
        return "a commit is written in full, with its 40 characters"
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9._/+@-]*\Z", version) or ".." in version or "@{" in version:
        return "use a tag, a branch or a full commit id"
    return None
