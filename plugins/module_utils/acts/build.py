# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build a release at its final path, beside the live one: code, environment, static files, seal."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import time
from dataclasses import dataclass, field, replace
from typing import Any, Optional
from urllib.parse import urlsplit

from ..diagnosis import lookup
from ..host import files, masks, names, process, run_log, user_processes, users
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import Act as ActPaths
from ..host.layout import Release
from ..manifest import inputs, stage_kinds
from ..manifest.nouns import Act, summary
from ..state import history
from . import databases, environments, finish, requirements, steps, unpack, world

_PRETEND = "SETUPTOOLS_SCM_PRETEND_VERSION"
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+(?:(?:a|b|rc|\.?post|\.?dev)\d+)?)\Z")  # a tag that looks like a version
_LOWEST = {"gunicorn": "22", "gunicorn[gevent]": "22", "uvicorn[standard]": "0.30", "uvicorn-worker": "0.2"}
"""The versions with everything that a Stage kind uses."""
_SERVER = re.compile(r"(?:py)?uwsgi(?![\w.-]*[A-Za-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """One release to build.

    Args:
        act: the Act in the manifest.
        address: where it is reached, for the variables about that.
        inputs: everything that the release is computed from.
        release: its id.
        source: the name of the source for people.
        archive: the copied source, in the spool of root.
        secrets: secrets for checks that run the Act's own code.
    """

    act: Act
    address: world.Address
    inputs: dict[str, Any]
    release: str
    source: str
    archive: str
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


def build(job: Job, paths: ActPaths, host: Host) -> dict[str, Any]:
    """Build and seal the release, and return its record.

    Raises:
        BackstageError: a step failed. What it left is removed; unsealed releases are never used.
    """
    host.need_stage()
    missing = _missing_packages(job.act.packages)
    if missing:
        raise BackstageError(
            f"Debian packages are missing on this host: {', '.join(missing)}; backstage.django.site installs them",
            step="packages",
        )
    files.need_room(paths.releases, 6 * os.path.getsize(job.archive), "the release")
    builder = users.builder(paths.production.name, paths.name)
    release = paths.release(job.release)
    user_processes.end_all(builder)
    files.remove_tree(release.root)
    try:
        _rooms(paths, release, builder)
        record = _make(job, paths, release, builder, host)
        user_processes.end_all(builder)
        run_log.phase(job.act.name, "seal")
        finish.finish(job.act, paths, release, builder, record)
    except BaseException:  # also if nobody waits for the run any more
        user_processes.end_all(builder)
        files.remove_tree(release.root)
        raise
    finally:
        _keep_fetched(paths)
        files.remove_tree(paths.workshop)
    return record


def _keep_fetched(paths: ActPaths) -> None:
    """Keep what the builder fetched and built of packages for the next attempt of a rehearsal."""
    cache = environments.cache(paths.workshop)
    if paths.production.name == names.REHEARSAL and os.path.isdir(cache):
        files.remove_tree(paths.fetched)
        os.rename(cache, paths.fetched)


def _rooms(paths: ActPaths, release: Release, builder: process.User) -> None:
    files.directory(release.root, 0o711)
    files.remove_tree(paths.workshop)
    for path in (release.code, release.static, paths.workshop):
        files.directory(path, 0o700, builder.uid, builder.gid)
    if os.path.isdir(paths.fetched):
        os.rename(paths.fetched, environments.cache(paths.workshop))


def _unpack(job: Job, release: Release, builder: process.User) -> str:
    """Unpack the source with the manifest's files, and return the working directory."""
    base = finish.base(release.code, job.act)
    with open(job.archive, "rb") as archive:
        process.call_as(builder, unpack.unpack, archive.fileno(), release.code, pass_fds=[archive.fileno()])
    for file in job.act.files:
        process.call_as(builder, unpack.put, base, file.path, file.content)
    process.call_as(builder, unpack.make_directories, base, job.act.writable)
    where = os.path.normpath(os.path.join(base, job.act.chdir))
    process.call_as(builder, _need_project, where)
    return where


def _make(job: Job, paths: ActPaths, release: Release, builder: process.User, host: Host) -> dict[str, Any]:
    run_log.phase(job.act.name, "source")
    act, where = job.act, _unpack(job, release, builder)
    wanted = _packages(job, builder, finish.base(release.code, act), release.code, host.uv)
    key = environments.make(paths, wanted, host.uv, release.code)
    environment = paths.production.environment(key)
    places = world.Places.of_builder(paths, job.release)
    process.call_as(builder, os.makedirs, places.media, 0o750, True)
    # the path of the new release, because a moving Act still plays at the old path, but is not built for it
    address = replace(job.address, path=job.inputs.get(inputs.PATH, "/"))
    env = world.variables(act, paths.production.name, job.release, act.settings, places, address, host)
    env = {**env, **environments.entered(environment), "TMPDIR": paths.workshop}
    for line in act.build:
        run_log.phase(act.name, line)
        _command(line, builder, env, where)
    user_processes.end_all(builder)
    options = {
        "manage": act.manage,
        "static": act.static,
        "after_static": act.after_static,
        "code": release.code,
        "own": {"STATIC_ROOT": places.static, "MEDIA_ROOT": places.media},
        "database": databases.wanted(act, paths.production.name, places.data),
        "given": world.given(act, job.secrets),
    }
    python = os.path.join(environment, "bin", "python")
    run_log.phase(act.name, "settings, check, static files")
    found = steps.run("build", options, python, builder, {**env, **job.secrets}, where)
    return {
        "format": inputs.FORMAT,
        "release": job.release,
        "inputs": job.inputs,
        "source": job.source,
        "abi": inputs.abi(),
        "environment": key,
        "pinned": wanted.pinned,
        "manage": act.manage,
        "project": os.path.relpath(where, release.code),
        "settings": act.settings or found["settings"],
        "application": act.application or _application(found, job.inputs.get(inputs.SERVER)),
        "writable": act.writable,
        "apps": found["apps"],
        "databases": found["databases"],
        "migrated": found["migrated"],
        "warnings": _warnings(job, found, wanted.requirements),
        "migrations": found["migrations"],
        "graph": found["graph"],
        "debug": found["debug"],
        "static": {
            **_web(found["static_url"], found["static_root"], release, places.static),
            **({"app": True} if act.static == "app" else {}),
        },
        "media": _web(found["media_url"], found["media_root"], release, places.media),
        "static_urls": summary(act.static_urls),
        "built": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "by": history.who(),
    }


def _packages(job: Job, builder: process.User, project: str, code: str, uv: str) -> environments.Wanted:
    """Return the inputs of the environment: the project's requirements, the package that is the Act, and the index."""
    act = job.act
    package = act.source.requirement if act.source and act.source.kind == "package" else ""
    named = [] if package and act.requirements is None else act.requirements
    texts = process.call_as(builder, requirements.collect, code, project, named, uv)
    inner = [place for place in act.index.find_links if not place.startswith("/") and "://" not in place]
    index = replace(act.index, find_links=[_inner(place, project, code) for place in act.index.find_links])
    # the code has no git history, so the tag gives a package its version
    version = _VERSION.match(act.source.version) if act.source and texts["local"] else None
    return environments.Wanted(
        env={**({_PRETEND: version.group(1)} if version else {}), **_plain(act.env)},
        requirements="\n".join(part for part in (package, texts["requirements"]) if part),
        constraints=texts["constraints"],
        building=texts["building"],
        refresh=act.refresh,
        locks=tuple(texts["locks"]),
        projects=tuple(texts["projects"]),
        index=index,
        source=inputs.digest([job.inputs["source"], job.inputs["files"]])[:16] if texts["local"] or inner else "",
        server=tuple(f"{name}>={_LOWEST[name]}" for name in job.inputs.get(inputs.SERVER, {}).get("packages", ())),
    )


def _plain(env: dict[str, str]) -> dict[str, str]:
    """Return the variables that are the same in every release, so without those that contain its path."""
    nowhere = world.Places("", "", "", "")
    return {name: value for name, value in env.items() if world.expand({name: value}, nowhere) == {name: value}}


def _inner(place: str, project: str, code: str) -> str:
    """Return a directory with wheels inside the code, as a path relative to the code."""
    if place.startswith("/") or "://" in place:
        return place
    return "./" + os.path.relpath(os.path.join(project, place), code)


def _need_project(where: str) -> None:
    if not os.path.isdir(where):
        raise BackstageError(f"the source has no directory '{where}': correct 'subdir' or 'chdir'")


def _command(line: str, builder: process.User, env: dict[str, str], cwd: str) -> None:
    argv = shlex.split(line)
    program = os.path.join(cwd, argv[0]) if "/" in argv[0] else shutil.which(argv[0], path=env["PATH"])
    if program is None:
        raise BackstageError(f"the program '{argv[0]}' is missing: add its Debian package to 'packages'", step="build")
    try:
        result = process.run([program, *argv[1:]], builder, env, cwd)
    except OSError as error:
        raise BackstageError(f"'{line}' can't be run ({error.strerror})", step="build") from None
    user_processes.end_all(builder)
    log = lookup.tail(result.said)
    if result.late:
        raise BackstageError(f"'{line}' has not ended within an hour, and was ended", step="build", log=log)
    if not result.ok:
        raise BackstageError(lookup.find(log) or f"'{line}' ended with status {result.code}", step="build", log=log)


def _warnings(job: Job, found: dict[str, Any], needed: str) -> list[str]:
    """Return warnings about the release, one sentence each. The Act's own code influences their texts."""
    act, secrets = job.act, list(job.secrets.values())
    inside = act.source.subdir if act.source else ""
    kept = tuple(os.path.normpath(os.path.join(inside, name)) + "/" for name in act.writable if name.endswith("/"))
    said = found["told"] + [
        f"the log file '{path}' is rotated, but no file can be created beside it in the code: make the"
        " project log into BACKSTAGE_DATA, or into a directory that 'writable' names with a '/'"
        for path in found["rotating"]
        if not path.startswith(kept)
    ]
    own = job.inputs[inputs.SERVER]["stage"] if inputs.SERVER in job.inputs else "the host's own uWSGI"
    said += [
        f"{server.group()} is among the requirements, but the Act plays on {own}: leave it out, because compiling it"
        " takes minutes"
        for server in map(_SERVER.match, needed.splitlines())
        if server
    ]
    return [masks.mask(" ".join(text.split())[:300], secrets) for text in said[:20]]


def _application(found: dict[str, Any], server: Optional[stage_kinds.Server]) -> str:
    """Return the callable that the settings name, as module:callable. Django separates the callable by a dot."""
    interface = stage_kinds.of_server(server).interface
    dotted, setting = found[f"{interface}_application"], f"{interface.upper()}_APPLICATION"
    if not dotted:
        raise BackstageError(f"the settings have no {setting}: set 'application'", step="settings")
    if not names.DOTTED.match(dotted) or "." not in dotted:
        raise BackstageError(
            f"{setting} of the settings is '{dotted}': write it as 'kittens.{interface}.application', or set"
            " 'application'",
            step="settings",
        )
    module, _dot, name = dotted.rpartition(".")
    return f"{module}:{name}"


def _web(said: str, root: str, release: Release, own: str) -> dict[str, Any]:
    """Return where a URL's files are: in the directory made for them, or at a path inside the code.

    Args:
        said: the URL in the settings. A relative one starts at the path of the Act.
        root: the directory.
        release: the release.
        own: the directory made for them.
    """
    if said in ("", "/") or not root or urlsplit(said).netloc:
        return {"url": "", "root": ""}
    relative = not said.startswith("/")
    url = "/" + said if relative else said
    if not names.URL_PREFIX.match(url):  # it comes from the Act, and goes into a file of nginx
        raise BackstageError(
            f"the URL prefix '{url}' of the settings can't be served: use one such as '/static/'", step="settings"
        )
    if root == os.path.normpath(own):
        return {"url": url, "root": "own", "relative": relative}
    if not root.startswith(release.code + "/"):
        return {"url": "", "root": ""}  # nothing was collected there, because the project serves its own
    return {"url": url, "root": os.path.relpath(root, release.code), "relative": relative}


def _missing_packages(packages: list[str]) -> list[str]:
    if not packages:
        return []
    result = process.run(["/usr/bin/dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *packages])
    installed = {line.split()[0] for line in result.out.splitlines() if line.endswith(" ii ")}
    return [name for name in packages if name not in installed]
