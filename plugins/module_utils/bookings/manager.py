# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Booking manager: Venues, Gigs and Sesses' own ports as files of nginx, tested, then reloaded at most once."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, field, replace
from typing import Optional

from ..acts.world import Address
from ..host.errors import BackstageError
from ..host.facts import Host
from ..host.layout import Production
from ..manifest.nouns import Gig, Manifest, Venue
from ..state.plan import Change, Phase, Step
from ..state.read import HostState
from . import (
    addresses,
    asking,
    blocks,
    calendars,
    conflicts,
    gigs,
    nginx,
    renamed,
    server_block,
    server_files,
    written,
)
from . import steps as booking_steps
from .blocks import Block
from .booked_acts import BookedActs, Coming
from .conflicts import Others
from .encryption import Encryption
from .locations import Booked
from .passwords import Passwords
from .server_block import port_name
from .server_files import ServerFiles
from .written import Written


@dataclass
class Bookings:
    """What is booked on this host, and what should be.

    Args:
        manifest: the Venues and Gigs that should be; others stay as they are.
        state: the Acts on this host.
        host: the host's facts.
        prune: whether what left the manifest is taken down.
        left: Acts whose new Gigs are left out, for they failed.
        coming: what Acts are about to play: its URLs are served beside the present ones.
        known: what others have on this host, where the run has read it already.
        written: the same of the Production's own files.
        now: the moment that decides which Acts are on.
    """

    manifest: Manifest
    state: HostState
    host: Host
    prune: bool = False
    left: set[str] = field(default_factory=set)
    coming: dict[str, Coming] = field(default_factory=dict)
    known: Optional[Others] = None
    written: Optional[Written] = None
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.timezone.utc))

    def __post_init__(self) -> None:
        found = self.written or written.read(self.paths.name, self.host)
        self.before, self.before_ports, self.files = found.venues, found.ports, found.files
        self.said: dict[str, list[Gig]] = {}
        for gig in self.manifest.gigs:
            self.said.setdefault(gig.venue, []).append(gig)
        self.taken: dict[str, BackstageError] = {}
        self.taken_ports: dict[str, BackstageError] = {}
        self.passwords = Passwords(self.paths.name, self.host, self.manifest.venues)
        manifest = self.manifest
        self.encryption = Encryption(self.paths.name, self.host, manifest.venues, self.before, manifest.acme)
        self.others = self.known or Others(self.paths.name, self.host)
        self.acts = BookedActs(self.manifest, self.state, self.host, self.coming)
        self.find_taken()

    def find_taken(self) -> None:
        """Find the Venues that can't be served as the manifest says, and the ports that somebody else has."""
        zones = calendars.refused(self.manifest, self.host)
        self.taken = {**zones, **self.encryption.refused(), **conflicts.names(self.manifest, self.others)}
        self.taken.update(renamed.refused(self.manifest, self.before))
        self.taken_ports = conflicts.own_ports(self._said_ports(), self.before_ports, self.others)

    def reached(self) -> set[str]:
        """Return the Acts to which nginx passes requests, or will."""
        return {act for block in [*self._before().values(), *self._wanted().values()] for act in blocks.acts(block)}

    def files_of_ours(self) -> set[str]:
        """Return the files of nginx that this Production has, and so can write again."""
        return {*map(self._path, self._before()), *self.encryption.places(self.before)}

    def refused(self) -> dict[str, BackstageError]:
        """Return what is refused before anything is done: Act or Venue -> why it can't be booked."""
        found = {f"venue {name}": error for name, error in self.taken.items()}
        for gig in self.manifest.gigs:
            if gig.venue in self.taken and gig.state == "present":
                found.pop(f"venue {gig.venue}", None)
                found[gig.act] = self.taken[gig.venue]
        return {**found, **self.taken_ports}

    def clashes(self, act: str = "") -> dict[str, BackstageError]:
        """Return the Acts, or only this one, that claim a URL of another Act. Only Acts with a release are known."""
        found: dict[str, BackstageError] = {}
        for name, block in self.wanted().items():
            if act and act not in blocks.acts(block):
                continue
            before = self.before.get(name, {"gigs": []})["gigs"]
            for together in blocks.together(block):
                listed = sorted(together, key=lambda gig: gig not in before or self._changes(gig["act"]))
                booked = [self.acts.finally_(gig["act"], gig["path"]) for gig in listed]
                found.update(conflicts.urls(name, [gig for gig in booked if gig]))
        return {name: error for name, error in found.items() if act in ("", name)}

    def _changes(self, act: str) -> bool:
        """Return whether an Act is about to play another release."""
        return act in self.coming and self.coming[act].release != self.state.act(act).live_release

    @property
    def paths(self) -> Production:
        return self.state.paths

    def wanted(self) -> dict[str, Block]:
        """Return the data of each Venue's file as it should be; pure."""
        paths = self._paths()
        before = {} if self.prune else self.before
        gone = renamed.gone(self.manifest, self.left)
        wanted = {name: blocks.staying(block, paths, gone) for name, block in before.items()}
        for name, venue in self.manifest.venues.items():
            if name in self.taken:
                if name in self.before:
                    wanted[name] = self.before[name]
                continue
            wanted.pop(venue.was, None)
            if venue.state == "absent":
                wanted.pop(name, None)
                continue
            booked = [Booked(gig.act, gig.path, (), (), 0, when=gig.when) for gig in self._gigs(venue, paths, gone)]
            block = server_block.data(self.paths.name, venue, booked)
            wanted[name] = self.encryption.issued.settled(block, self.before.get(name))
        return wanted

    def wanted_ports(self) -> dict[str, Block]:
        """Return the data of each Sess's own port as it should be, by Act; pure."""
        wanted = self._said_ports()
        for act in {*self.taken_ports, *self.left}:
            wanted.pop(act, None)
            if act in self.before_ports:
                wanted[act] = self.before_ports[act]
        return wanted

    def _said_ports(self) -> dict[str, Block]:
        wanted = {} if self.prune else dict(self.before_ports)
        for name in renamed.gone(self.manifest, self.left):
            wanted.pop(name, None)
        paths: Optional[dict[str, str]] = None
        for name, act in self.manifest.acts.items():
            sess = self.manifest.sesses.get(name)
            if sess and sess.port and sess.state != "absent" and act.state != "absent":
                if paths is None:
                    paths = {gig["act"]: gig["path"] for block in self.wanted().values() for gig in block["gigs"]}
                wanted[name] = server_block.port_data(self.paths.name, name, sess.port, paths.get(name, "/"))
            elif sess or act.state == "absent":
                wanted.pop(name, None)
        return wanted

    def _wanted(self) -> dict[str, Block]:
        """Return the data of every file as it should be, by its name."""
        return {**self.wanted(), **{port_name(act): block for act, block in self.wanted_ports().items()}}

    def _before(self) -> dict[str, Block]:
        return {**self.before, **{port_name(act): block for act, block in self.before_ports.items()}}

    def addresses(self) -> dict[str, Address]:
        """Return where each Act will be reached: first the manifest's Venues in its order, then others on disk."""
        return addresses.reached(self.wanted(), self.wanted_ports(), list(self.manifest.venues))

    def addresses_meanwhile(self) -> dict[str, Address]:
        """Return the same, and where nginx still passes requests to it."""
        known = list(self.manifest.venues)
        now = addresses.reached(self.before, self.before_ports, known)
        return addresses.meanwhile(now, self.addresses(), known)

    def unlisted(self) -> list[str]:
        """Return what stays booked and is not in the manifest."""
        said = {(gig.act, gig.venue, gig.path) for gig in self.manifest.gigs}
        found = [f"venue {name}" for name in sorted(set(self.before) - renamed.known(self.manifest))]
        for name, block in sorted(self.wanted().items()):
            for gig in block["gigs"]:
                if name in self.manifest.venues and (gig["act"], name, gig["path"]) not in said:
                    found.append(f"gig {gig['act']} at {name}{gig['path']}")
        return found

    def _paths(self) -> dict[str, str]:
        """Return the path of each Act in the manifest. An Act has one path."""
        return {gig.act: gig.path for gig in self.manifest.gigs if gig.state == "present" and gig.act not in self.left}

    def _gigs(self, venue: Venue, paths: dict[str, str], gone: set[str]) -> list[Gig]:
        """Return the manifest's Gigs at a Venue, and those on disk that it does not mention."""
        block = blocks.staying(self.before.get(venue.name, {"gigs": []}), paths, gone)
        before = [Gig(gig["act"], venue.name, gig["path"], tuple(gig.get("when", ()))) for gig in block["gigs"]]
        return gigs.merged(self.said.get(venue.name, []), before, self.left, self.prune)

    def plan(self) -> list[Change]:
        """Return the steps from what nginx has to what it should have."""
        steps: list[Step] = []
        wanted, own = self.wanted(), self.wanted_ports()
        steps += self.passwords.steps()
        before, found = renamed.steps(self.manifest, self.before, wanted)
        steps += found
        for name in sorted({*before, *wanted}):
            steps += booking_steps.of_venue(name, before.get(name), wanted.get(name))
            steps += calendars.steps(name, before.get(name), wanted.get(name), self.now)
            steps += self._rewrite("venue", name, name, before.get(name), wanted.get(name))
        for act in sorted({*self.before_ports, *own}):
            steps += booking_steps.of_port(act, self.before_ports.get(act), own.get(act))
            steps += self._rewrite("sess", act, port_name(act), self.before_ports.get(act), own.get(act))
        steps += self.encryption.steps(wanted)
        steps += calendars.timer_steps(self.host, calendars.is_used(self.host, self.paths.name, wanted.values()))
        read = [self.host.venues, self.host.challenges, *self._calendar_places(), *self.encryption.links(wanted)]
        if not steps and self.host.has_front_of_house and any(map(nginx.is_stale, read)):
            steps.append(Step("venue", "all", "reload"))
        return [Change(step, Phase.BOOK) for step in steps]

    def _rewrite(
        self, noun: str, subject: str, name: str, before: Optional[Block], after: Optional[Block]
    ) -> list[Step]:
        """Return a step if the file is not as its own data makes it: somebody edited it, or its Act changed."""
        if after is None or before != after:
            return []
        text, found = self._files(after), self.files.get(server_block.file_name(self.paths.name, name))
        if text is None or text == found:
            return []
        if found and text.on != found.on and text.prepared == found.prepared:
            return [Step(noun, subject, "show", found.on.removesuffix(".conf"), text.on.removesuffix(".conf"))]
        return [Step(noun, subject, "rewrite", found and found.shown(), text.shown())]

    def _calendar_places(self) -> list[str]:
        """Return the directories of the calendar from which nginx reads."""
        names = [name for name, found in self.files.items() if found.on]
        return [server_files.directory(self.host, name) for name in names]

    def _path(self, name: str) -> str:
        return os.path.join(self.host.venues, server_block.file_name(self.paths.name, name))

    def _file(self, name: str) -> Optional[ServerFiles]:
        return server_files.read(self.host, server_block.file_name(self.paths.name, name))

    def _files(self, block: Block) -> Optional[ServerFiles]:
        """Return the file of a block, or those of a schedule; None if an Act there has no release on this host."""
        booked = []
        if "port" in block:
            alone = self.acts.now(block["act"], block["path"])
            if alone is None:
                return None
            return ServerFiles(server_block.render_port(self.paths, block["port"], alone, self.host))
        for gig in block["gigs"]:
            found = self.acts.now(gig["act"], gig["path"])
            if found is None:
                return None
            booked.append(replace(found, when=tuple(gig.get("when", ()))))
        if blocks.has_schedule(block):
            return calendars.prepared(self.paths, block, booked, self.host, self.now)
        return ServerFiles(server_block.render(self.paths, addresses.venue(block), booked, self.host))

    def _prepared(self, block: Block) -> dict[str, str]:
        """Return the files that a Venue gets when it has its certificate."""
        found, name = self._files(blocks.with_tls(block)), block["name"]
        if found is None:
            return {}
        if not found.on:
            return {self._path(name): found.text}
        place = server_files.directory(self.host, server_block.file_name(self.paths.name, name))
        return {os.path.join(place, file): text for file, text in found.prepared.items()}

    def apply(self) -> dict[str, BackstageError]:
        """Write and test the files, and reload nginx; return what was refused or did not answer: Act or Venue -> why.

        Raises:
            BackstageError: nginx refuses the configuration; nothing of it is left.
        """
        self.host.need_front_of_house()
        refused = {} if self.coming else {**self.refused(), **self.clashes()}
        self.left |= {name for name in refused if name in self.manifest.acts}
        texts = self._differing()
        if self.coming and not texts:
            return {}
        self.encryption.make(self.wanted(), self._prepared)
        written_anew = {self._path(name) for name in texts}
        self.others.nginx.need_accepted(written_anew | self.encryption.places(self.before))
        failed = self._refused(texts)
        texts = {name: text for name, text in texts.items() if name not in failed}
        old = {name: self._file(name) for name in texts}
        passwords = self.passwords.write()
        renamed.rename_logs(self.manifest, self.before, self.taken)
        try:
            self._write(texts)
            nginx.check("its configuration with " + ", ".join(texts))
            nginx.reload()
        except BackstageError:
            self._put_back(old)
            self.passwords.put_back(passwords)
            raise
        except OSError as error:
            self._put_back(old)
            raise BackstageError(str(error), step="booking") from None
        found = {**refused, **self._by_subject(failed)}
        silent: asking.Failures = {}
        if not self.coming:  # what is coming does not play yet
            written_now = {name: text for name, text in texts.items() if text}
            silent = asking.failures(written_now, self._wanted(), self.manifest, self.state, self.host)
        if silent:
            self._take_back(silent, old)
            nginx.reload()
        self.encryption.sweep(written.blocks(self.paths.name, self.host))
        self.passwords.sweep()
        server_files.sweep(self.host, self.paths.name)
        is_used = calendars.is_used(self.host, self.paths.name, self.wanted().values())
        calendars.timer(self.host).switch(is_used)
        return {**found, **{act: error for errors in silent.values() for act, error in errors.items()}}

    def _put_back(self, old: dict[str, Optional[ServerFiles]]) -> None:
        """Restore the earlier files. nginx has not read the new ones."""
        self._write(old)
        server_files.sweep(self.host, self.paths.name)

    def _take_back(self, silent: asking.Failures, old: dict[str, Optional[ServerFiles]]) -> None:
        """Leave out the new Gigs that did not answer. Others of the same Venue stay."""
        alone = [name for name, errors in silent.items() if set(errors) == set(blocks.acts(self._wanted()[name]))]
        self.left |= {act for errors in silent.values() for act in errors}
        wanted = self._wanted()
        self._write({name: old[name] if name in alone else self._files(wanted[name]) for name in silent})

    def _by_subject(self, failed: dict[str, BackstageError]) -> dict[str, BackstageError]:
        """Return each file's failure by the Acts that are booked there, or by the Venue if there are none."""
        wanted = self._wanted()
        found = {}
        for name, error in failed.items():
            found.update(dict.fromkeys(blocks.acts(wanted[name]) or [f"venue {name}"], error))
        return found

    def _refused(self, texts: dict[str, Optional[ServerFiles]]) -> dict[str, BackstageError]:
        """Return the Venues whose own files nginx refuses, whatever is on. The others go on."""
        new = {server_block.file_name(self.paths.name, name): text for name, text in texts.items() if text}
        found: dict[str, BackstageError] = {}
        for candidates in server_files.candidates(new):
            found.update(nginx.refused_alone(candidates, self.host.http))
        return {name: found[file] for name in texts if (file := server_block.file_name(self.paths.name, name)) in found}

    def _differing(self) -> dict[str, Optional[ServerFiles]]:
        """Return the files to be written, and None for those to be removed."""
        texts: dict[str, Optional[ServerFiles]] = {}
        wanted = self._wanted()
        for name in sorted({*self._before(), *wanted}):
            if name not in wanted:
                texts[name] = None
                continue
            text = self._files(wanted[name])
            if text is None:
                raise BackstageError(f"an Act booked at {name} has no release on this host", step="booking")
            if text != self._file(name):
                texts[name] = text
        return texts

    def _write(self, texts: dict[str, Optional[ServerFiles]]) -> None:
        for name, text in texts.items():
            if text:
                nginx.make_log(server_block.access_log(self.paths.name, name))
            server_files.write(self.host, server_block.file_name(self.paths.name, name), text, self.now)
