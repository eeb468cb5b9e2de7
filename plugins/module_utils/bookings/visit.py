# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Request a page of a Venue, or of a Sess's own port, as a visitor does: through the nginx of this host."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..acts import world
from ..host import files
from ..host.errors import BackstageError
from ..host.facts import STANDARD, Host
from ..host.layout import Act as ActPaths
from ..host.layout import Production
from ..host.timed_socket import TimedSocket
from ..host.timed_tls import TimedTls
from ..manifest.nouns import Act
from ..stages import door, proofs
from ..stages.pages import Answer, Page, Site, Walk, assets, judge, missing
from ..stages.proofs import Question
from ..stages.served import Served
from ..state.read import read_env
from . import addresses, venue_options, written
from .blocks import Block, Gig


class Foreign(BackstageError):
    """Another server answers instead of this Act's Sess."""


class Guarded(BackstageError):
    """The Venue's own options keep this host out."""

    def __init__(self, status: int) -> None:
        super().__init__(f"its options answer {status}", step="nginx")
        self.status = status


@dataclass(frozen=True)
class Place:
    """Where an Act can be asked.

    Args:
        name: a Venue's name, or one of the host itself.
        path: the URL path below which it plays.
        port: the Sess's own; None for a Venue.
        aliases: other names, at which nginx leads to this one.
        beside: the paths of other Acts there.
        guards: the statuses with which nginx keeps visitors out before the Act hears of them.
        scheme: https where the Venue has TLS.
    """

    name: str
    path: str = "/"
    port: Optional[int] = None
    aliases: tuple[str, ...] = ()
    beside: frozenset[str] = frozenset()
    guards: tuple[int, ...] = ()
    scheme: str = "http"

    def below(self, page: str) -> str:
        return self.path.rstrip("/") + page


def get(
    host: Host,
    name: str,
    path: str,
    timeout: float,
    port: Optional[int] = None,
    more: Optional[dict[str, str]] = None,
    scheme: str = "http",
) -> Answer:
    """GET a page of a name from the local nginx.

    Args:
        host: the host's facts.
        name: the name that is asked for.
        path: the page.
        timeout: seconds for the whole answer.
        port: where, if not at the Venues' own port.
        more: more headers.
        scheme: https to ask with TLS, whatever the certificate.

    Raises:
        BackstageError: nobody answered.
    """
    port = port or host.port(scheme)
    origin = host.origin(scheme, name, port)
    site = origin.partition("://")[2]
    client = http.client.HTTPConnection("127.0.0.1", port)
    below = client.sock = TimedSocket(socket.AF_INET, timeout)
    try:
        below.connect((client.host, port))
        if scheme == "https":
            client.sock = TimedTls(below, name)
        client.request("GET", path, headers={"Host": site, "User-Agent": door.AGENT, **(more or {})})
        answer = client.getresponse()
        headers = tuple((key.lower(), value) for key, value in answer.getheaders())
        body = answer.read(1 << 20).decode("utf-8", "replace")
        return Answer(answer.status, answer.getheader("Location", ""), body, headers)
    except (OSError, http.client.HTTPException) as error:
        raise BackstageError(
            f"{origin}{path} does not answer on this host ({error or type(error).__name__})", step="nginx"
        ) from None
    finally:
        client.close()
        below.close()


def _walk(place: Place, host: Host, timeout: float, act: Optional[ActPaths]) -> Walk:
    """Return a visit through nginx that finds out whether this Act's Sess answers."""
    port = place.port or host.port(place.scheme)
    ports = (None, STANDARD[place.scheme], port)
    site = Site(place.name, place.aliases, place.path, ports, place.beside, place.scheme)

    def fetch(page: Page, cookies: str) -> Answer:
        question = Question(proofs.token(act)) if act and page.name == place.name and not _is_file(act, page) else None
        more = {"Cookie": cookies} if cookies else {}
        if question and question.token:
            more[proofs.HEADER] = question.header
        answer = get(host, page.name, page.uri, timeout, port, more, place.scheme)
        if answer.status in place.guards and not (question and question.is_answered(answer)):
            raise Guarded(answer.status)
        if question and question.is_foreign(answer):
            raise Foreign(f"{page.path} answers {answer.status} at {page.name}: {proofs.FOREIGN}", step="nginx")
        return answer

    return Walk(site, fetch)


def _is_file(act: ActPaths, page: Page) -> bool:
    """Return whether nginx serves a page from files, so that no Act can prove that it answered."""
    sess = os.path.basename(os.path.realpath(act.live))
    release = files.read_json(act.release(sess.partition(".")[0]).seal)
    path = world.path(read_env(act.sess(sess).env))
    return bool(release) and Served(release or {}, path, act.sess(sess), act.media).status(page.path) is not None


def ask_booked(act: Act, paths: ActPaths, host: Host) -> None:
    """Ask every open Venue that shows this Act now on this host, and the Sess's own port.

    Raises:
        BackstageError: one does not answer as the Act's health says.
    """
    production = paths.production.name
    found = written.read(production, host)
    for data in found.venues.values():
        for gig in found.shown(production, data) if data["state"] == "open" else []:
            if gig["act"] == paths.name:
                _ask_shown(act, at_venue(data, gig), host, paths)
    if paths.name in found.ports:
        ask(act, at_port(act, found.ports[paths.name]), host, paths)


def _ask_shown(act: Act, place: Place, host: Host, paths: ActPaths) -> None:
    """Ask at a Venue, unless its schedule shows another Act by now."""
    try:
        ask(act, place, host, paths)
    except BackstageError:
        found = written.read(paths.production.name, host)
        data = found.venues.get(place.name)
        if data is None or any(gig["act"] == paths.name for gig in found.shown(paths.production.name, data)):
            raise


def at_port(act: Act, data: dict[str, Any]) -> Place:
    """Return the place of a Sess's own port, with the host name of the Act's health if it has one."""
    return Place(act.health.host or "localhost", data["path"], data["port"])


def at_venue(block: Block, gig: dict[str, Any]) -> Place:
    """Return the place of a Gig."""
    beside = addresses.others(block, gig["act"]) if gig["act"] else ()
    guards = venue_options.guards(block) if block["state"] == "open" else ()
    scheme = addresses.venue(block).scheme
    return Place(block["name"], gig["path"], None, tuple(block["aliases"]), frozenset(beside), guards, scheme)


def ask(act: Act, place: Place, host: Host, paths: ActPaths) -> None:
    """Request the page of the Act's health as a visitor does, and the style sheets and scripts that it names.

    If the Venue's options keep this host out, that is a good answer: the Act has answered at its own door.

    Raises:
        BackstageError: it does not answer as the Act's health says, or somebody else answers.
    """
    walk = _walk(place, host, act.health.timeout, paths)
    try:
        answer = judge(walk, act.health, Page(place.name, place.below(act.health.path)), str)
        page = walk.pages[-1]
        for kind, asset in assets(page, answer, walk.site) if answer else []:
            port = walk.site.ports[-1]
            status = get(host, asset.name, asset.uri, act.health.timeout, port, scheme=place.scheme).status
            if status >= 400:
                raise BackstageError(missing(page, kind, asset, status))
    except Guarded:
        return
    except BackstageError as error:
        raise BackstageError(error.message, step="nginx") from None


def urls(production: str, host: Host, pages: Mapping[str, str], asleep: Container[str] = ()) -> list[dict[str, Any]]:
    """Return the URL of every Gig, every Venue without one, and every port of a Sess, with its present answer.

    Args:
        production: its name.
        host: the host's facts.
        pages: of each Act the page that its health asks for, which stands in for a front page that is not there.
        asleep: the Acts that sleep: they are not asked, which would start them.
    """
    known = written.read(production, host)
    asked = []
    for _name, data in sorted(known.venues.items()):
        for gig in _shown(production, data, known):
            asked.append((at_venue(data, gig), "closed" if gig.get("closed") else data["state"], gig["act"]))
    for act, data in sorted(known.ports.items()):
        asked.append((Place("localhost", data["path"], data["port"]), "local", act))
    found = []
    for place, state, act in asked:
        if act in asleep and state != "closed":
            found.append({**_unasked(place, host, "/"), "error": "asleep, not asked", "state": state, "act": act})
            continue
        paths = Production(production).act(act) if act and state != "closed" else None
        answer = _answer(place, host, "/", paths)
        if answer["status"] == 404 and not answer["error"] and pages.get(act, "/") != "/":
            answer = _answer(place, host, pages[act], paths)
        found.append({**answer, "state": state, "act": act})
    return found


def _shown(production: str, data: Block, known: written.Written) -> list[Gig]:
    """Return which Act each path of a Venue shows now; none if nothing is booked or on."""
    if not data["gigs"]:
        return [{"path": "/", "act": None}]
    on = known.shown(production, data)
    closed = {gig["path"] for gig in data["gigs"]} - {gig["path"] for gig in on}
    return on + [{"path": path, "act": None, "closed": True} for path in sorted(closed)]


def _unasked(place: Place, host: Host, path: str) -> dict[str, Any]:
    return {"url": host.origin(place.scheme, place.name, place.port) + place.below(path), "status": 0, "error": ""}


def _answer(place: Place, host: Host, path: str, act: Optional[ActPaths]) -> dict[str, Any]:
    """Return the status of the first answer, and what is wrong with it or with the page to which it redirects."""
    page, found = place.below(path), _unasked(place, host, path)
    walk = _walk(place, host, 30, act)
    try:
        answer = walk.ask(Page(place.name, page))
        found["status"] = answer.status
        answer = walk.follow(answer)
        if answer.status >= 400 and len(walk.pages) > 1:
            found["error"] = f"{walk.way}it answers {answer.status}"
    except Guarded as guarded:
        found["status"] = found["status"] or guarded.status
    except BackstageError as error:
        found["error"] = error.message
    return found
