# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's files in a temporary place, laid down as a finished run would have left them."""

from __future__ import annotations

import datetime as dt
import json
import os
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

from ansible_collections.backstage.django.plugins.module_utils.acts import digests, drift, world
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.bookings import (
    blocks,
    calendars,
    server_block,
    server_files,
)
from ansible_collections.backstage.django.plugins.module_utils.bookings.locations import Booked
from ansible_collections.backstage.django.plugins.module_utils.bookings.passwords import Passwords
from ansible_collections.backstage.django.plugins.module_utils.host import files, layout, names, process, users
from ansible_collections.backstage.django.plugins.module_utils.host.facts import Host
from ansible_collections.backstage.django.plugins.module_utils.manifest import inputs
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act, Sess, Source, Venue, summary
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order
from ansible_collections.backstage.django.plugins.module_utils.stages import kinds, sleep, wants
from ansible_collections.backstage.django.plugins.module_utils.stages.crew import Crew
from ansible_collections.backstage.django.plugins.module_utils.state import read as state

from .manifests import COMMIT

A, B, C, D, E, F = (letter * 12 for letter in "abcdef")
KITTENS = Act("kittens", source=Source("git", "https://git.example.com/kittens.git", "v1"), secrets={})
AT = "2026-01-01T00:00:0{}Z"
STATIC = {"url": "/static/", "root": "own", "relative": True}
NONE = {"url": "", "root": ""}
HTTP = Path(__file__).parents[3] / "roles/front_of_house/templates/http.conf.j2"


def wanted(act: Act = KITTENS, venues: tuple[Venue, ...] = (), content: str = COMMIT, **more: Any) -> acts.Want:
    """What a run wants of an Act whose source is this content."""
    address = more.pop("address", world.Address(venues))
    known = inputs.release_inputs(act, content, address.path)
    release = inputs.release_id(known, inputs.abi())
    found = acts.Want(
        act=act,
        address=address,
        release=release,
        content=content,
        digest=inputs.hold_digest(known),
        inputs=known,
        source="v1",
        play=release,
    )
    return replace(found, **more)


def addressed(order: Order, act: str) -> world.Address:
    """Where an order has an Act reached, on a host with nothing else."""
    gigs = {gig.venue: gig.path for gig in order.manifest.gigs_of(act)}
    venues = tuple(venue for venue in order.manifest.venues.values() if venue.name in gigs)
    sess = order.manifest.sesses.get(act)
    return world.Address(venues, next(iter(gigs.values()), "/"), (sess.port,) if sess and sess.port else ())


def released(release: str, **more: Any) -> dict[str, Any]:
    """The record of a sealed release."""
    return {
        "format": inputs.FORMAT,
        "release": release,
        "source": "v1",
        "built": AT.format(0),
        "pinned": True,
        "environment": "e" * 16,
        "project": ".",
        "settings": "kittens.settings",
        "application": "kittens.wsgi:application",
        "manage": "manage.py",
        "static": STATIC,
        "media": NONE,
        "links": {},
        **more,
    }


def enlist(people: dict[str, str]) -> None:
    """Users with these homes, as useradd makes them: the last one is in the first one's group, too.

    The /etc of unit tests is theirs alone, and writing three lines is a thousand times faster than useradd.
    """
    passwd, group = Path("/etc/passwd"), Path("/etc/group")
    accounts = {line.split(":")[0]: line.split(":") for line in passwd.read_text().splitlines()}
    groups = {line.split(":")[0]: line.split(":") for line in group.read_text().splitlines()}
    first, *_others, last = people
    for name, home in people.items():
        number = str(2000 + zlib.crc32(name.encode()) % 50000)
        accounts.setdefault(name, [name, "x", number, number, "Backstage of a test", home, users.SHELL])[5] = home
        groups.setdefault(name, [name, "x", number, ""])[3] = last if name == first else ""
    passwd.write_text("".join(":".join(fields) + "\n" for fields in accounts.values()))
    group.write_text("".join(":".join(fields) + "\n" for fields in groups.values()))


@dataclass
class House:
    """One Production on one host, below a temporary root."""

    root: Path
    production: str
    host: Host
    numbers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def at(cls, root: Path, production: str, **facts: Any) -> House:
        names = (
            "certificates",
            "accounts",
            "challenges",
            "wishes",
            "house",
            "vassals",
            "units",
            "supervisor",
            "stats",
            "venues",
            "wrapper",
            "params",
            "proxy_params",
            "http",
            "visitors",
            "passwords",
            "tls",
            "calendar",
            "bookings",
            "pages",
            "uv",
        )
        places = {name: str(root / name) for name in names}
        for name in ("vassals", "venues", "passwords", "calendar", "pages", "etc", "accounts", "challenges", "wishes"):
            (root / name).mkdir()
        for name in ("visitors", "tls", "bookings"):
            (root / name).touch()
        (root / "http").write_text(HTTP.read_text())  # the role's own: nothing in it differs between hosts
        stage = {**places, "longest_request": 300, **facts}
        (root / "etc" / "stage.json").write_text(json.dumps(stage))
        (root / "etc" / "front_of_house.json").write_text(
            json.dumps({"http_port": 80, "ipv6": True, **places, **facts})
        )
        return cls(root, production, Host.read())

    @property
    def paths(self) -> layout.Production:
        return layout.Production(self.production)

    def act(self, name: str = "kittens") -> layout.Act:
        return self.paths.act(name)

    def state(self, name: str = "kittens") -> state.ActState:
        return state.read(self.production, self.host).act(name)

    def build(self, release: str, act: str = "kittens", **more: Any) -> str:
        """A sealed release."""
        paths = self.act(act).release(release)
        for path in (paths.code, paths.static):
            os.makedirs(path)
        Path(paths.seal).write_text(files.to_json(released(release, **more)))
        self.as_made(act)
        return release

    def record(self, want: acts.Want) -> None:
        paths = self.act(want.act.name)
        os.makedirs(paths.root, exist_ok=True)
        Path(paths.record).write_text(files.to_json(acts.record_of(want)))
        self.as_made(want.act.name)

    def log(self, *events: dict[str, Any], act: str = "kittens") -> None:
        os.makedirs(self.act(act).root, exist_ok=True)
        for event in events:
            files.append_line(self.act(act).history, json.dumps({"at": AT.format(1), "by": "ada", **event}))

    def as_made(self, act: str) -> None:
        """The Act's users, and whatever is there of it, with the owners and modes of a finished run."""
        paths = self.act(act)
        people = {names.builder(self.production, act): "/nonexistent", names.player(self.production, act): paths.data}
        if self.production != "jazz":  # a crew's users are known by their numbers
            users.ensure_act(self.production, act, paths.data)
        enlist(people)
        for _drift, place in drift.of_places(self.state(act)):
            place.mend()

    def played(self, *releases: str, act: str = "kittens") -> None:
        """History: these releases played, the last one last."""
        for release in releases:
            number = self.numbers[release] = self.numbers.get(release, 0) + 1
            self.log({"event": "played", "release": release, "sess": f"{release}.{number}"}, act=act)

    def play(self, want: acts.Want, sess: Optional[Sess] = None, older: tuple[str, ...] = ()) -> str:
        """A Sess that plays what is wanted."""
        name = want.act.name
        paths = self.act(name)
        part = wants.part(wants.Want(sess or Sess(name), want), self.state(name), self.host)
        assert part, "build its release first"
        self.played(part.release, act=name)
        found = f"{part.release}.{self.numbers[part.release]}"
        own = paths.sess(found)
        for path in (own.env, own.door, own.older):
            os.makedirs(path)
        for key, value in part.variables.items():
            Path(own.env, key).write_bytes(value.encode() + b"\n")
        stage = kinds.of(part.stage, self.host, paths, part.manager)
        for file_name, file in stage.files(part, found).items():
            if file:
                files.draft(os.path.join(own.root, file_name), file.text, file.mode)
        counted = {"processes": part.processes, "threads": part.threads, "timeout": part.timeout}
        record = {"sess": found, "release": part.release, "secrets": sorted(part.secrets), **counted}
        record.update({key: getattr(part, key) for key in ("worker_class", "manager", "idle") if getattr(part, key)})
        record.update(stage=part.stage, limits=part.limits.given(), variables=digests.of_variables(part.variables))
        record["workers"] = [summary(worker) for worker in part.workers]
        if part.idle:
            sleep.hang(next(iter(stage.links(found))), own.socket)
        Crew(self.host, paths, found).write(part, process.User("root", 0, 0, [0]))
        if part.workers:
            files.link(Crew(self.host, paths, found).link, own.crew_ini)
        Path(own.record).write_text(files.to_json(record))
        for number, release in enumerate(older, 1):
            os.symlink(paths.release(release).static, os.path.join(own.older, str(number)))
        for path, target in stage.links(found).items():
            files.link(path, target)
        files.link(paths.live, f"sesses/{found}")
        self.as_made(name)
        return found

    def book(self, venue: Venue, *gigs: Booked) -> Path:
        """A Venue's file as nginx has it."""
        path = Path(self.host.venues, server_block.file_name(self.production, venue.name))
        block, now = server_block.data(self.production, venue, list(gigs)), dt.datetime.now(dt.timezone.utc)
        if blocks.has_schedule(block):
            found = calendars.prepared(self.paths, block, list(gigs), self.host, now)
            server_files.write(self.host, path.name, found, now)
        else:
            path.write_text(server_block.render(self.paths, venue, list(gigs), self.host))
        return path

    def listen(self, port: int, booked: Booked) -> Path:
        """The file of a Sess's own port as nginx has it."""
        name = server_block.port_name(booked.act)
        path = Path(self.host.venues, server_block.file_name(self.production, name))
        path.write_text(server_block.render_port(self.paths, port, booked, self.host))
        return path

    def settle(self, order: Order) -> None:
        """Everything as a run of this order would have left it."""
        for name, act in order.manifest.acts.items():
            want = wanted(act, content=order.resolved[name]["content"], address=addressed(order, name))
            if want.release not in self.state(name).releases:
                self.build(want.release, name, inputs=want.inputs)
            self.log({"event": "migrated", "release": want.release, "database": act.database}, act=name)
            for seed in [*[f"fixture {path}" for path in act.fixtures], *[seed.name for seed in act.seed]]:
                self.log({"event": "seed done", "seed": seed}, act=name)
            self.record(want)
            sess = order.manifest.sesses.get(name)
            if sess and sess.plays:
                self.play(want, sess, tuple(self.state(name).history.played()[:4]))
        for venue in order.manifest.venues.values():
            gigs = [gig for gig in order.manifest.gigs if gig.venue == venue.name and gig.state == "present"]
            timeouts = {gig.act: order.manifest.acts[gig.act].timeout for gig in gigs}
            self.book(
                venue,
                *[
                    Booked(
                        gig.act, gig.path, (gig.path.rstrip("/") + "/static/",), (), timeouts[gig.act], when=gig.when
                    )
                    for gig in sorted(gigs, key=lambda gig: (gig.path, gig.act))
                ],
            )
        Passwords(self.production, self.host, order.manifest.venues).write()
        for name, sess in order.manifest.sesses.items():
            if sess.port:
                path = addressed(order, name).path
                urls = (path.rstrip("/") + "/static/",)
                self.listen(sess.port, Booked(name, path, urls, (), order.manifest.acts[name].timeout))

    def seen(self) -> list[tuple[str, bytes]]:
        """Every file and link below the root, to tell that nothing was changed."""
        return sorted(
            (str(path), os.readlink(path).encode() if path.is_symlink() else path.read_bytes())
            for path in self.root.rglob("*")
            if path.is_symlink() or path.is_file()
        )
