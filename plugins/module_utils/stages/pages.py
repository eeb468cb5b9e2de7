# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A walk like a visitor's: a page, its redirects, and the style sheets and scripts that the last page names.

A callable makes the requests, so the same walk works at a door and through nginx. Answers of an Act are not
trusted: every walk is short, and a redirect never leads to another server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Callable, NamedTuple, Optional
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from ..diagnosis import lookup
from ..host.errors import BackstageError
from ..manifest.nouns import Health

STEPS = 8
ASSETS = 20
WHERE = "is it in the static files of an app"
"""A part of the message about a missing style sheet or script, by which a rehearsal recognizes it."""
_LONGEST = 4096
_REDIRECTS = (301, 302, 303, 307, 308)
_SAFE = "/%:@!$&'()*+,;=~"


class Answer(NamedTuple):
    """An answer: its status, where it redirects to, the start of its body, and all headers in lower case."""

    status: int
    location: str = ""
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Page(NamedTuple):
    """A page that a visitor requests: a host name and the rest of the URL."""

    name: str
    uri: str

    @property
    def path(self) -> str:
        return self.uri.partition("?")[0]


@dataclass(frozen=True)
class Site:
    """The pages that a walk may request.

    Args:
        name: the host name.
        aliases: other names, which nginx redirects to this one.
        path: the URL path of the Act.
        ports: the ports that a URL may have; None for no port.
        beside: the paths of other Acts with this name.
        scheme: https if the connection is encrypted.
    """

    name: str
    aliases: tuple[str, ...] = ()
    path: str = "/"
    ports: tuple[Optional[int], ...] = (None, 80)
    beside: frozenset[str] = frozenset()
    scheme: str = "http"

    def has(self, url: SplitResult) -> bool:
        """Return whether a URL is one of this Act's pages here."""
        return self.serves(url) and _is_below(url, self.path)

    def serves(self, url: SplitResult) -> bool:
        """Return whether a URL belongs to this server, and not to another Act."""
        taken = [path for path in self.beside if len(path) > len(self.path) and _is_below(url, path)]
        return url.scheme == self.scheme and self.has_name(url) and url.port in self.ports and not taken

    def has_name(self, url: SplitResult) -> bool:
        return url.hostname in (self.name, *self.aliases)

    def joined(self, here: Page, location: str) -> Optional[SplitResult]:
        """Resolve a URL as a browser does on a page. Return None if it is invalid or too long."""
        try:
            url = urlsplit(urljoin(f"{self.scheme}://{here.name}{here.uri}", location))
            url.port  # noqa: B018 -- it is checked when it is read
        except ValueError:
            return None
        return url if len(url.geturl()) <= _LONGEST else None


@dataclass
class Walk:
    """The walk of one visitor.

    Args:
        site: the pages that it may request.
        fetch: requests a page with the visitor's cookies.
    """

    site: Site
    fetch: Callable[[Page, str], Answer]
    pages: list[Page] = field(default_factory=list)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: set[tuple[Page, str]] = field(default_factory=set)

    def ask(self, page: Page) -> Answer:
        """Request one page, and keep its cookies."""
        cookies = self._cookies(page)
        self.pages.append(page)
        self.asked.add((page, cookies))  # with its own cookie, a page that redirects to itself is a different request
        answer = self.fetch(page, cookies)
        _keep_cookies(self.cookies.setdefault(page.name, {}), answer, self.site.scheme)
        return answer

    def follow(self, answer: Answer) -> Answer:
        """Follow redirects that stay on the site.

        Returns:
            The last answer: a page, or a redirect away from the site.

        Raises:
            BackstageError: the redirects lead to https, or never end.
        """
        while True:
            target = self._target(answer)
            if target is None:
                return answer
            if (target, self._cookies(target)) in self.asked or len(self.pages) > STEPS:
                raise BackstageError(self._endless(target))
            answer = self.ask(target)

    def _cookies(self, page: Page) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.get(page.name, {}).items())

    def _target(self, answer: Answer) -> Optional[Page]:
        """Return the page of this site that a redirect leads to."""
        if answer.status not in _REDIRECTS or not answer.location:
            return None
        here = self.pages[-1]
        url = self.site.joined(here, answer.location)
        if url is None:
            return None
        if (url.scheme, self.site.scheme) == ("http", "https") and self.site.has_name(url):
            url = url._replace(scheme="https", netloc=url.hostname or "")  # nginx redirects there
        if url.scheme == "https" != self.site.scheme and self.site.has_name(url):
            # no visitor would get any further
            raise BackstageError(lookup.find(f"{here.path} leads to {answer.location[:200]}"))
        return _page(url) if self.site.has(url) else None

    def _endless(self, target: Page) -> str:
        first = self.pages[0]
        alias = next((page.name for page in [*self.pages, target] if page.name in self.site.aliases), "")
        if alias:
            return (
                f"{first.path} leads to {alias}, and nginx redirects back to {self.site.name} without end: set"
                f" PREPEND_WWW = False, or make {alias} the Venue's name and {self.site.name} its alias"
            )
        way = ", ".join(dict.fromkeys(page.path for page in [*self.pages[1:], target]))
        return (
            f"{first.path} leads to {way}, and so on without end: correct the redirect, or set health.path to another"
            " page"
        )

    @property
    def way(self) -> str:
        """Return the way to the last page, as the start of a sentence; empty if there was no redirect."""
        first, last = self.pages[0], self.pages[-1]
        return "" if first == last else f"{first.path} leads to {last.path}: "


def _is_below(url: SplitResult, path: str) -> bool:
    return (url.path + "/").startswith(path.rstrip("/") + "/")


def _page(url: SplitResult) -> Page:
    path = quote(url.path or "/", safe=_SAFE)
    return Page(url.hostname or "", path + (f"?{quote(url.query, safe=_SAFE + '/?')}" if url.query else ""))


def _keep_cookies(jar: dict[str, str], answer: Answer, scheme: str) -> None:
    """Keep the cookies that a browser would send again by this scheme."""
    for header, value in answer.headers:
        if header != "set-cookie" or len(value) > _LONGEST or len(jar) > STEPS:
            continue
        first, *rest = value.split(";")
        name, _equals, text = (part.strip() for part in first.partition("="))
        attributes = [part.strip().lower() for part in rest]
        if "max-age=0" in attributes or not text.strip('"'):
            jar.pop(name, None)
        elif "secure" in attributes and scheme == "http":
            continue
        elif (name + text).isascii() and (name + text).isprintable():
            jar[name] = text


class _Parser(HTMLParser):
    """A parser for the style sheets and scripts that a page names."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "base" and not self.base:
            self.base = given.get("href", "")
        if tag == "link" and given.get("href") and "stylesheet" in given.get("rel", "").lower().split():
            self.found.append(("style sheet", given["href"]))
        if tag == "script" and given.get("src"):
            self.found.append(("script", given["src"]))


def assets(page: Page, answer: Answer, site: Site) -> Iterator[tuple[str, Page]]:
    """Yield the style sheets and scripts on the site that an answer names: the kind and the page of each."""
    if answer.header("content-type").partition(";")[0].strip() != "text/html":
        return
    parser = _Parser()
    parser.feed(answer.body)
    start = site.joined(page, parser.base) if parser.base else None
    base = _page(start) if start else page
    seen: set[Page] = set()
    for kind, text in parser.found:
        url = site.joined(base, text.strip())
        if url is None or not site.serves(url) or (start and not site.has_name(start)):
            continue
        asset = _page(url)
        if asset not in seen and len(seen) < ASSETS:
            seen.add(asset)
            yield kind, asset


def judge(walk: Walk, health: Health, start: Page, log: Callable[[], str]) -> Optional[Answer]:
    """Request a page and judge it by the Act's health.

    Args:
        walk: the visitor.
        health: the accepted answers. If it names a status, the first answer has to have it.
        start: the page.
        log: returns what the Act has printed since.

    Returns:
        The last page, whose style sheets are checked next; None if only the first status counts.

    Raises:
        BackstageError: it is not accepted.
    """
    answer = walk.ask(start)
    if health.status and not health.accepts(answer.status):
        raise BackstageError(refusal(walk, answer, log))
    if health.status and health.text is None:
        return None
    answer = walk.follow(answer)
    if not health.status and not health.accepts(answer.status):
        raise BackstageError(refusal(walk, answer, log))
    if health.text and health.text not in answer.body:
        raise BackstageError(f"{walk.pages[-1].path} answers {answer.status} without the text '{health.text}'")
    return None if health.status else answer


def refusal(walk: Walk, answer: Answer, log: Callable[[], str]) -> str:
    """Return why an answer is not accepted."""
    last = walk.pages[-1]
    said = lookup.answer(answer.status, last.path, last.name, f"{log()}\n{answer.body}")
    if answer.status in (401, 403):
        said += ": set health.path to a page that everybody may read, or health.status to what it answers"
    return walk.way + said


def missing(page: Page, kind: str, asset: Page, status: int) -> str:
    """Return why a page with a missing style sheet or script is not accepted."""
    return (
        f"{page.path} names the {kind} {asset.path}, which answers {status}: {WHERE}, or made by a command that belongs"
        " into 'after_static', such as offline compression, or into 'build', such as 'npm ci'?"
        " 'health: {status: [200]}' has the first answer's status judged alone"
    )
