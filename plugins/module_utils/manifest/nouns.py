# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nouns of a manifest as plain data, with their defaults.

The other files of ``manifest`` have checked every value; nothing here checks anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Optional

from .acme import Acme
from .jobs import Hooks, Seed, Timer, Worker

ASLEEP = "asleep"
"""The state of a Sess that has no process while nobody asks for it."""


@dataclass(frozen=True)
class Source:
    """Where an Act's code comes from: one kind, and what that kind needs.

    Args:
        kind: git, archive, package or path.
        location: the repository, the URL, the requirement or the directory.
        version: git: a tag, a branch or a commit. package: laid over the pin.
        subdir: where manage.py is.
        checksum: of an archive, as sha256:HEX.
        submodules: git: whether they are fetched, too.
        key: git over ssh: a deploy key on the controller.
        username: git over https.
        password: git over https.
    """

    kind: str
    location: str
    version: str = ""
    subdir: str = ""
    checksum: str = ""
    submodules: bool = False
    # the controller's own: never part of an id, never on a host
    key: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def requirement(self) -> str:
        """The pin of a package, with the version of this run if it has one."""
        return f"{self.location.split('==', 1)[0]}=={self.version}" if self.version else self.location

    @property
    def label(self) -> str:
        """What a reader of a plan or a history calls it."""
        return self.requirement if self.kind == "package" else self.version or self.location


@dataclass(frozen=True)
class Index:
    """Where the packages of an Act come from.

    Args:
        url: the index; empty for PyPI, or for none where find_links are given.
        extra_urls: indexes that are asked before it.
        find_links: pages or directories with wheels: URLs, absolute paths of the host, or paths inside the code.
        username: of the indexes.
        password: of the indexes.
    """

    url: str = ""
    extra_urls: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class StaticUrl:
    """Static files that Django does not know, served by nginx: a URL prefix, and a directory inside the code."""

    url: str
    root: str


@dataclass(frozen=True)
class File:
    """A file that is written into the code before it is sealed."""

    path: str
    content: str


@dataclass(frozen=True)
class Health:
    """What the gate asks of a Sess before it goes live."""

    path: str = "/"
    status: tuple[int, ...] = ()
    text: Optional[str] = None
    host: Optional[str] = None
    timeout: int = 30

    def accepts(self, status: int) -> bool:
        return status in self.status if self.status else 200 <= status < 400


@dataclass(frozen=True)
class Act:
    """A runnable Django project."""

    name: str
    state: str = "present"
    source: Optional[Source] = None
    refresh: str = ""
    requirements: Optional[list[str]] = None
    index: Index = field(default_factory=Index)
    settings: str = ""
    application: str = ""
    manage: str = "manage.py"
    chdir: str = "."
    files: list[File] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    # None: those of the Sess that plays
    secrets: Optional[dict[str, str]] = field(default=None, repr=False)
    # the engine; empty for whatever the project has
    database: str = ""
    writable: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    build: list[str] = field(default_factory=list)
    static: str = "auto"
    static_urls: list[StaticUrl] = field(default_factory=list)
    after_static: list[str] = field(default_factory=list)
    migrate: bool = True
    fixtures: list[str] = field(default_factory=list)
    seed: list[Seed] = field(default_factory=list)
    health: Health = field(default_factory=Health)
    timeout: int = 60
    keep_releases: int = 5
    workers: list[Worker] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    hooks: Hooks = field(default_factory=Hooks)
    dump: bool = False
    was: str = ""
    media: str = "local"


@dataclass(frozen=True)
class Limits:
    """The most that a Sess may use of its host. An empty value is no limit.

    Args:
        memory: of all its processes together, such as 512M.
        cpu: of one core, such as 50%.
        tasks: processes and threads.
    """

    memory: str = ""
    cpu: str = ""
    tasks: Optional[int] = None

    def given(self) -> dict[str, Any]:
        """Return the limits that are set."""
        return {key: value for key, value in summary(self).items() if value not in (None, "")}


STAGE_GROUP = "backstage_stage"
"""The group of the inventory whose hosts play Acts."""


@dataclass(frozen=True)
class Sess:
    """An Act playing on a Stage."""

    act: str
    stage: str = "uwsgi"
    worker_class: str = ""
    manager: str = ""
    processes: int = 2
    threads: int = 1
    limits: Limits = field(default_factory=Limits)
    hosts: list[str] = field(default_factory=lambda: [STAGE_GROUP])
    port: Optional[int] = None
    state: str = "started"
    idle: int = 300
    standby: int = 0

    @property
    def plays(self) -> bool:
        return self.state in ("started", ASLEEP)


@dataclass(frozen=True)
class Auth:
    """The users who can see a Venue, by their passwords.

    Args:
        users: the hash of each one's password.
        realm: what a browser says they are for; the Venue's name where it is empty.
    """

    users: dict[str, str] = field(default_factory=dict, repr=False)
    realm: str = ""


@dataclass(frozen=True)
class Rate:
    """How many requests one address may send to the Acts of a Venue.

    Args:
        requests: such as 5/s or 100/m; empty for any number.
        burst: how many more at once.
    """

    requests: str = ""
    burst: int = 0


@dataclass(frozen=True)
class Proxies:
    """The proxies in front of a Venue, which tell the addresses of its visitors.

    Args:
        addresses: of the proxies.
        header: in which they name the visitor's address.
    """

    addresses: list[str] = field(default_factory=list)
    header: str = "X-Forwarded-For"


@dataclass(frozen=True)
class Pair:
    """A certificate with its chain, and its key, as PEM texts."""

    certificate: str = field(repr=False)
    key: str = field(repr=False)


WAITING = "waiting"
"""The mode of a Venue that has no TLS until an authority has given its certificate. No manifest has this mode."""


@dataclass(frozen=True)
class Tls:
    """How a Venue is encrypted.

    Args:
        mode: none, selfsigned, files or acme.
        certificate: with files: the PEM text of the certificate with its chain.
        key: with files: the PEM text of its key.
        challenge: with acme: how the authority is shown that the names are this host's.
        hsts: the days for which browsers come by HTTPS alone; 0 for nothing said.
    """

    mode: str = "none"
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    challenge: str = "http-01"
    hsts: int = 0

    @property
    def pair(self) -> Pair:
        return Pair(self.certificate, self.key)


@dataclass(frozen=True)
class Venue:
    """A host name, its aliases, and the options of its server."""

    name: str
    aliases: list[str] = field(default_factory=list)
    tls: Tls = field(default_factory=Tls)
    state: str = "open"
    timezone: str = "UTC"
    auth: Auth = field(default_factory=Auth)
    allow: list[str] = field(default_factory=list)
    deny: list[str] = field(default_factory=list)
    rate: Rate = field(default_factory=Rate)
    upload: str = "10m"
    proxies: Proxies = field(default_factory=Proxies)
    dns: bool = True
    was: str = ""

    @property
    def names(self) -> list[str]:
        return [self.name, *self.aliases]

    @property
    def scheme(self) -> str:
        """What its URLs begin with. Visitors without TLS are redirected to https."""
        return "http" if self.tls.mode in ("none", WAITING) else "https"


@dataclass(frozen=True)
class Gig:
    """An Act, booked at a Venue.

    Args:
        act: the Act.
        venue: the Venue.
        path: the URL path below which it plays there.
        when: its times, in the Venue's time zone; none for always.
        state: present or absent.
    """

    act: str
    venue: str
    path: str = "/"
    when: tuple[str, ...] = ()
    state: str = "present"


@dataclass(frozen=True)
class Manifest:
    """Everything that a Production wants. Without an authority, its hosts keep the one that they have."""

    production: str
    acts: dict[str, Act] = field(default_factory=dict)
    sesses: dict[str, Sess] = field(default_factory=dict)
    venues: dict[str, Venue] = field(default_factory=dict)
    gigs: list[Gig] = field(default_factory=list)
    acme: Optional[Acme] = None

    def gigs_of(self, act: str) -> list[Gig]:
        return [gig for gig in self.gigs if gig.act == act and gig.state == "present"]

    def only(self, acts: set[str]) -> Manifest:
        """Return the same manifest without other Acts, their Sesses, Gigs and Venues."""
        gigs = [gig for gig in self.gigs if gig.act in acts]
        booked = {gig.venue for gig in gigs}
        return Manifest(
            self.production,
            {name: act for name, act in self.acts.items() if name in acts},
            {name: sess for name, sess in self.sesses.items() if name in acts},
            {name: venue for name, venue in self.venues.items() if name in booked},
            gigs,
            self.acme,
        )


def summary(value: Any) -> Any:
    """Return a noun as plain JSON data without its secrets."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: summary(getattr(value, f.name)) for f in fields(value) if f.repr}
    if isinstance(value, (list, tuple)):
        return [summary(item) for item in value]
    if isinstance(value, dict):
        return {key: summary(item) for key, item in value.items()}
    return value
