# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Booking manager: Venues and Gigs as nginx server blocks, tested, then reloaded at most once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Optional

from . import files, front, names, nginx, process, server_block
from .errors import BackstageError
from .host import Host
from .layout import Production
from .nouns import Act, Gig, Manifest, Venue
from .plan import Change, Phase, Step, differing
from .server_block import Booked
from .state import HostState

Block = dict[str, Any]


@dataclass
class Bookings:
    """What is booked on this host, and what should be.

    Args:
        manifest: the Venues and Gigs that should be; others stay as they are.
        state: the Acts on this host.
        host: the host's facts.
        prune: whether what left the manifest is taken down.
        left: Acts whose new Gigs are left out, for they failed.
        coming: Act -> the release that it is about to play: its URLs are served beside the present ones.
    """

    manifest: Manifest
    state: HostState
    host: Host
    prune: bool = False
    left: set[str] = field(default_factory=set)
    coming: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before: dict[str, Block] = front.blocks(self.paths.name, self.host)
        self.taken: dict[str, BackstageError] = self._taken()

    def _taken(self) -> dict[str, BackstageError]:
        """The Venues one of whose names somebody else's server has already."""
        ours = {name for block in self.before.values() for name in _names(block)}
        claimed = {name for venue in self.manifest.venues.values() for name in venue.names} - ours
        owners = {**nginx.owners(claimed, self.host.venues), **front.other_productions(self.paths.name, self.host)}
        return {
            venue.name: BackstageError(
                f"the name {name} belongs to {owners[name]} already; rename one of them", step="booking"
            )
            for venue in self.manifest.venues.values()
            for name in venue.names
            if name in claimed and name in owners
        }

    def refused(self) -> dict[str, BackstageError]:
        """Known before anything is done: Act or Venue -> why it can't be booked."""
        found = {f"venue {name}": error for name, error in self.taken.items()}
        for gig in self.manifest.gigs:
            if gig.venue in self.taken and gig.state == "present":
                found.pop(f"venue {gig.venue}", None)
                found[gig.act] = self.taken[gig.venue]
        return found

    @property
    def paths(self) -> Production:
        return self.state.paths

    def wanted(self) -> dict[str, Block]:
        """The data of each Venue's file as it should be; pure."""
        wanted = {} if self.prune else dict(self.before)
        for name, venue in self.manifest.venues.items():
            if name in self.taken:
                continue
            if venue.state == "absent":
                wanted.pop(name, None)
                continue
            gigs = [Booked(gig.act, gig.path, (), (), 0) for gig in self._gigs(venue)]
            wanted[name] = server_block.data(self.paths.name, venue, gigs)
        return wanted

    def venues(self) -> dict[str, list[Venue]]:
        """Act -> where it will be booked: the manifest's Venues in its order, then what is left of another time."""
        return self._by_act(self.wanted())

    def left_venues(self) -> dict[str, list[Venue]]:
        """Act -> the Venues that nginx still passes to it, where it will not be booked any more."""
        staying = self.venues()
        found = {}
        for act, venues in self._by_act(self.before).items():
            names_staying = {venue.name for venue in staying.get(act, [])}
            found[act] = [venue for venue in venues if venue.name not in names_staying]
        return found

    def _by_act(self, blocks: dict[str, Block]) -> dict[str, list[Venue]]:
        found: dict[str, list[Venue]] = {}
        for name in [*self.manifest.venues, *sorted({*blocks} - {*self.manifest.venues})]:
            block = blocks.get(name, {"gigs": []})
            for act in dict.fromkeys(gig["act"] for gig in block["gigs"]):
                found.setdefault(act, []).append(_venue(block))
        return found

    def unlisted(self) -> list[str]:
        """What stays booked and is not in the manifest."""
        said = {(gig.act, gig.venue, gig.path) for gig in self.manifest.gigs}
        found = [f"venue {name}" for name in sorted(self.before) if name not in self.manifest.venues]
        for name, block in sorted(self.wanted().items()):
            for gig in block["gigs"]:
                if name in self.manifest.venues and (gig["act"], name, gig["path"]) not in said:
                    found.append(f"gig {gig['act']} at {name}{gig['path']}")
        return found

    def _gigs(self, venue: Venue) -> list[Gig]:
        """The manifest's Gigs at a Venue, and those on disk that it says nothing about."""
        said = [gig for gig in self.manifest.gigs if gig.venue == venue.name]
        places = {gig.path for gig in said if gig.state == "absent" or gig.act not in self.left}
        before = self.before.get(venue.name, {}).get("gigs", [])
        gigs = [gig for gig in said if gig.state == "present" and gig.act not in self.left]
        if not self.prune:
            gigs += [Gig(gig["act"], venue.name, gig["path"]) for gig in before if gig["path"] not in places]
        if self.prune:
            kept = {(gig["act"], gig["path"]) for gig in before}
            gigs += [gig for gig in said if gig.act in self.left and (gig.act, gig.path) in kept]
        return sorted(gigs, key=lambda gig: gig.path)

    def plan(self) -> list[Change]:
        """The steps from what nginx has to what it should have."""
        wanted = self.wanted()
        steps: list[Step] = []
        for name in sorted({*self.before, *wanted}):
            steps += _steps(name, self.before.get(name), wanted.get(name))
            if self.before.get(name) == wanted.get(name) and self._is_edited(name, wanted[name]):
                steps.append(Step("venue", name, "rewrite", self._file(name), self._text(wanted[name])))
        if not steps and self.host.has_front_of_house and nginx.is_stale(self.host.venues):
            steps.append(Step("venue", "all", "reload"))
        return [Change(step, Phase.BOOK) for step in steps]

    def _is_edited(self, name: str, block: Block) -> bool:
        """Whether the file differs from what its own data makes: a hand was at it, or its Act changed."""
        text = self._text(block)
        return text is not None and text != self._file(name)

    def _path(self, name: str) -> str:
        return os.path.join(self.host.venues, server_block.file_name(self.paths.name, name))

    def _file(self, name: str) -> Optional[str]:
        return files.read(self._path(name))

    def _text(self, block: Block) -> Optional[str]:
        """A Venue's file; None while an Act that plays there has no release on this host."""
        booked = []
        for gig in block["gigs"]:
            found = self._booked(gig["act"], gig["path"])
            if found is None:
                return None
            booked.append(found)
        return server_block.render(self.paths, _venue(block), booked, self.host)

    def _booked(self, act: str, path: str) -> Optional[Booked]:
        state = self.state.act(act)
        ids = [state.live_release or state.record.get("release", ""), self.coming.get(act, "")]
        releases = [state.releases[release] for release in ids if release in state.releases]
        if not releases:
            return None
        known: Optional[Act] = self.manifest.acts.get(act)
        timeout = known.timeout if known else state.record["act"]["timeout"]
        static, media = (_prefixes([release[kind] for release in releases]) for kind in ("static", "media"))
        return Booked(act, path, static, media, timeout)

    def apply(self) -> dict[str, BackstageError]:
        """Write, test and use the files; return what was refused or did not answer: Act or Venue -> why.

        Raises:
            BackstageError: nginx refuses the configuration; nothing of it is left.
        """
        self.host.need_front_of_house()
        texts = self._differing()
        nginx.check("its present configuration; nothing was changed")
        failed = self._refused(texts)
        texts = {name: text for name, text in texts.items() if name not in failed}
        old = {name: self._file(name) for name in texts}
        try:
            self._write(texts)
            nginx.check("its configuration with " + ", ".join(texts))
            nginx.reload()
        except BackstageError:
            self._write(old)
            raise
        except OSError as error:
            self._write(old)
            raise BackstageError(str(error), step="booking") from None
        silent = self._ask(texts)
        if silent:
            self._write({name: old[name] for name in silent})
            nginx.reload()
        return {**self.refused(), **self._by_subject({**failed, **silent})}

    def _by_subject(self, failed: dict[str, BackstageError]) -> dict[str, BackstageError]:
        """Each Venue's failure is that of the Acts booked there, or its own where there is none."""
        wanted = self.wanted()
        found = {}
        for name, error in failed.items():
            subjects = [gig["act"] for gig in wanted[name]["gigs"]]
            found.update(dict.fromkeys(subjects or [f"venue {name}"], error))
        return found

    def _refused(self, texts: dict[str, Optional[str]]) -> dict[str, BackstageError]:
        """The Venues that nginx does not take by themselves; the others go on."""
        new = {name: {server_block.file_name(self.paths.name, name): text} for name, text in texts.items() if text}
        try:
            nginx.check_alone({file: text for files_ in new.values() for file, text in files_.items()})
        except BackstageError:
            return {name: error for name, candidate in new.items() for error in _try_alone(candidate)}
        return {}

    def _differing(self) -> dict[str, Optional[str]]:
        """The files to be written, and None for those to be removed."""
        texts: dict[str, Optional[str]] = {}
        wanted = self.wanted()
        for name in sorted({*self.before, *wanted}):
            if name not in wanted:
                texts[name] = None
                continue
            text = self._text(wanted[name])
            if text is None:
                raise BackstageError(f"an Act booked at {name} has no release on this host", step="booking")
            if text != self._file(name):
                texts[name] = text
        return texts

    def _write(self, texts: dict[str, Optional[str]]) -> None:
        for name, text in texts.items():
            if text is None:
                files.remove(self._path(name))
                files.sync_directory(self.host.venues)
                continue
            _make_log(server_block.access_log(self.paths.name, name))
            files.write(self._path(name), text)

    def _ask(self, texts: dict[str, Optional[str]]) -> dict[str, BackstageError]:
        """Ask every Venue that was written: what is new there has to answer."""
        failed: dict[str, BackstageError] = {}
        wanted = self.wanted()
        for name, text in texts.items():
            for gig in wanted[name]["gigs"] if text and wanted[name]["state"] == "open" else []:
                act = self.manifest.acts.get(gig["act"])
                if act is None or not self.state.act(gig["act"]).live:
                    continue
                try:
                    front.ask(act, name, self.host)
                except BackstageError as error:
                    failed[name] = error
        return failed


def _try_alone(candidate: dict[str, str]) -> list[BackstageError]:
    try:
        nginx.check_alone(candidate)
    except BackstageError as error:
        return [error]
    return []


def _venue(block: Block) -> Venue:
    return Venue(block["name"], block["aliases"], block["tls"], block["state"])


def _names(block: Block) -> list[str]:
    return [block["name"], *block["aliases"]]


def _prefixes(webs: list[dict[str, str]]) -> tuple[str, ...]:
    """The URL prefixes that nginx serves from files, each once; checked when they were built."""
    found = []
    for web in webs:
        if web["url"] and web["url"] not in found:
            found.append(web["url"])
    return tuple(found)


def _steps(name: str, before: Optional[Block], after: Optional[Block]) -> list[Step]:
    """The steps that turn one Venue's data into another's."""
    if before == after:
        return []
    steps: list[Step] = []
    old_gigs = {gig["path"]: gig["act"] for gig in (before or {}).get("gigs", [])}
    new_gigs = {gig["path"]: gig["act"] for gig in (after or {}).get("gigs", [])}
    if before is None and after is not None:
        steps.append(Step("venue", name, "add", None, {key: after[key] for key in ("aliases", "state", "tls")}))
    if before is not None and after is not None:
        if before["state"] != after["state"]:
            verb = {"open": "open", "closed": "close"}[after["state"]]
            steps.append(Step("venue", name, verb, before["state"], after["state"]))
        shown = differing(_settings(before), _settings(after))
        if shown["before"] or shown["after"]:
            steps.append(Step("venue", name, "change", shown["before"], shown["after"]))
    for path in sorted({*old_gigs, *new_gigs}):
        old, new = old_gigs.get(path), new_gigs.get(path)
        if old != new:
            verb = "book" if old is None else "cancel" if new is None else "rebook"
            steps.append(Step("gig", f"{new or old} at {name}{path}", verb, old, new))
    if after is None:
        steps.append(Step("venue", name, "remove", _settings(before or {}), None))
    return steps


def _settings(block: Block) -> Block:
    return {key: block[key] for key in ("aliases", "tls") if key in block}


def _make_log(path: str) -> None:
    """Make the access log as nginx's own are: its test, run by root, would make it readable for everybody."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
    try:
        os.fchown(handle, process.User.named(names.WWW_GROUP).uid, process.group_id(names.LOG_GROUP))
    finally:
        os.close(handle)
