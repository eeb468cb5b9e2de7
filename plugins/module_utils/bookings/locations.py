# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nginx does with a URL: it passes it to an Act's door, or serves it from files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..acts import url_prefixes
from ..host.facts import Host
from ..host.layout import Production
from .options.lines import Lines

# databases, code, settings, logs and copies that editors and administrators leave: nothing that a browser shows
_NOT_SERVED = (
    r"sqlite3?|db3?|mdb|sql|dump|py[cow]?|env|git|htpasswd|htaccess|ini|cfg|conf|log|pem"
    r"|bak|backup|old|orig|save|sw[op]"
)
PRIVATE = "/backstage-private/"
"""The URL prefix that an Act names in X-Accel-Redirect to have nginx send a private file."""
CLOSED = "/backstage-closed.html"
_MEDIA_POLICY = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Left:
    """An earlier path of an Act. Pages that visitors loaded there still request its static files and uploads.

    Args:
        path: the URL path.
        static: URL prefixes of static files below it.
        media: URL prefixes of uploads below it.
    """

    path: str
    static: tuple[str, ...]
    media: tuple[str, ...]


@dataclass(frozen=True)
class Booked:
    """An Act in a server of nginx, with what nginx has to know of it.

    Args:
        act: the Act that plays.
        path: the URL path below which it plays.
        static: URL prefixes of its static files.
        media: URL prefixes of its uploads.
        timeout: its longest request, in seconds.
        others: URL prefixes of files that the manifest names.
        left: where it was before.
        when: its times there; none for always.
        protocol: what is spoken at its door: uwsgi or http.
        app: URL prefixes of static files that the Act answers first.
    """

    act: str
    path: str
    static: tuple[str, ...]
    media: tuple[str, ...]
    timeout: int
    others: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    when: tuple[str, ...] = ()
    protocol: str = "uwsgi"
    app: tuple[str, ...] = ()


@dataclass
class _Urls:
    """The location of each URL prefix. It is two if an Act answers before its files are looked for."""

    doors: dict[str, Booked] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    apps: dict[str, Booked] = field(default_factory=dict)


def claims(booked: Booked) -> list[str]:
    """Return every URL prefix that only this Act may use."""
    own = dict.fromkeys((*booked.static, *booked.app))  # while it changes from one to the other, both
    return [url_prefixes.below(booked.path), *own, *booked.others, *booked.media]


def render(paths: Production, booked: list[Booked], host: Host, lines: Lines, closed: Iterable[str] = ()) -> str:
    """Return the locations of a server for the Acts that play there, each with what the Venue's options add.

    Args:
        paths: the Production.
        booked: the Acts.
        host: the host's facts.
        lines: what the Venue's options add.
        closed: the paths where nobody is on now.
    """
    urls = _sorted(booked)
    shut = [url_prefixes.below(path) for path in closed]
    parts = ["\n    location ~ /\\.(?!well-known/) { return 404; }\n"]
    more = lines.headers + lines.location
    for url, found in urls.files.items():
        if url in urls.apps:
            parts += [
                _app(paths, url, urls.apps[url], host, lines),
                _behind_app(paths, url, urls.apps[url], found, more),
            ]
        else:
            parts.append(_files(paths, url, found, more))
    parts += [_media(url, paths.act(act).media, more) for url, act in urls.media.items()]
    parts += [_door(paths, url, gig, host, lines) for url, gig in urls.doors.items()]
    parts += [_shut(url) for url in shut]
    parts += [_private(paths, lines.headers)] * bool(urls.doors)
    if not {"/"} & {*urls.doors, *urls.files, *urls.media, *shut}:
        parts.append("\n    location / { return 404; }\n")
    return "".join(parts)


def _shut(url: str) -> str:
    """Return the location of a path that is closed now. A longer path has a location of its own."""
    words = f"{{\n        error_page 503 {CLOSED};\n        return 503;\n    }}\n"
    exact = f"\n    location = {url.rstrip('/')} {words}" if url != "/" else ""
    return f"{exact}\n    location {url} {words}"


def _sorted(booked: list[Booked]) -> _Urls:
    """Return one location for each URL prefix.

    Two Acts share a prefix only during a switch in which it moves from one to the other. nginx then looks for the files
    of both.
    """
    urls = _Urls(doors={url_prefixes.below(gig.path): gig for gig in booked})
    for gig in booked:
        for url in gig.media:
            if url not in urls.doors:
                urls.media.setdefault(url, gig.act)
    for gig in booked:
        for url, inside in [
            *((url, "") for url in dict.fromkeys((*gig.static, *gig.app))),
            *((url, "/" + url_prefixes.place(url)) for url in gig.others),
        ]:
            if url not in urls.doors and url not in urls.media:
                urls.files.setdefault(url, []).append((gig.act, inside))
        urls.apps.update({url: gig for url in gig.app if url in urls.files})
    for gig in booked:
        for left in gig.left:
            _add_left(urls, gig.act, left)
    return urls


def _add_left(urls: _Urls, act: str, left: Left) -> None:
    """Add the files of earlier paths. Present files come first, and the paths of other Acts are left out."""
    place = urls.doors.get(url_prefixes.below(left.path))
    is_free = place is None or place.act == act
    for url in left.static:
        if url in urls.files and (act, "") not in urls.files[url]:
            urls.files[url].append((act, ""))
        elif is_free and url not in {**urls.files, **urls.doors, **urls.media}:
            urls.files[url] = [(act, "")]
    for url in left.media:
        if is_free and url not in {**urls.files, **urls.doors}:
            urls.media.setdefault(url, act)


def _door(paths: Production, url: str, gig: Booked, host: Host, lines: Lines) -> str:
    prefix = url.rstrip("/")
    text = _BY_PROTOCOL[gig.protocol](paths, url, gig, host, lines)
    if not prefix:
        return text
    return f"""
    location = {prefix} {{
        absolute_redirect off;
        return 301 {url}$is_args$args;
    }}
{text}"""


def _private(paths: Production, headers: str) -> str:
    """Return the location of private files. The door names the Act, so an Act can have only its own files sent."""
    media = f"{paths.acts}/$backstage_private/media"
    return f"""
    location {PRIVATE} {{
        internal;
        alias {media}/.private/;
        disable_symlinks on from={media}/;
        add_header X-Content-Type-Options nosniff always;
        add_header Content-Security-Policy "{_MEDIA_POLICY}" always;
        add_header Cache-Control "private, no-store" always;
{headers}    }}
"""


def _app(paths: Production, url: str, gig: Booked, host: Host, lines: Lines) -> str:
    """Return the location of static files that the Act answers. nginx looks for the others in its files."""
    module = "uwsgi" if gig.protocol == "uwsgi" else "proxy"
    more = f"""{_withheld()}
        {module}_intercept_errors on;
        error_page 404 = {_behind(url)}$uri;
"""
    return _BY_PROTOCOL[gig.protocol](paths, url, gig, host, replace(lines, door=more))


def _behind_app(paths: Production, url: str, gig: Booked, found: list[tuple[str, str]], more: str) -> str:
    """Return the location of files that nginx looks for if the Act has none. Visitors can't request it."""
    place, inner = _behind(url), url.removeprefix(_script(url, gig))  # a door takes the path of the Act away
    stripped = f"{place}(?:{_escape(url)}|{_escape(inner)})"
    return _files(paths, place + "/", found, f"        internal;\n{more}", stripped)


def _behind(url: str) -> str:
    return f"/backstage-files{url.rstrip('/')}"


def _script(url: str, gig: Booked) -> str:
    """Return the path of an Act in WSGI's form; empty for a URL that is not below it."""
    prefix = gig.path.rstrip("/")
    return prefix if url.startswith(prefix + "/") else ""


def _by_uwsgi(paths: Production, url: str, gig: Booked, host: Host, lines: Lines) -> str:
    prefix, script = _script(url, gig), ""
    if prefix:
        # s: a line feed in a URL belongs to the path, too; the slash is added for the port that the visitor came by
        script = f"""
        rewrite "(?s)^{_escape(prefix)}(/.*)\\z" $1 break;
        uwsgi_param SCRIPT_NAME {prefix};"""
    there = f"uwsgi_pass unix:{paths.act(gig.act).live}/door/s;"
    asked = f"{script}\n        include {host.params};\n        {there}"
    hidden = [f"uwsgi_param HTTP_{name.upper().replace('-', '_')}" for name in lines.hidden]
    return _pass("uwsgi", url, asked, gig, lines, hidden)


def _by_http(paths: Production, url: str, gig: Booked, host: Host, lines: Lines) -> str:
    """Return lines that pass on the URI as nginx has normalized it, without the prefix."""
    prefix = _script(url, gig)
    asked = f"""
        include {host.proxy_params};
        proxy_set_header X-Backstage-Prefix "{prefix}";
        proxy_pass http://unix:{paths.act(gig.act).live}/door/h:{url.removeprefix(prefix)};"""
    return _pass("proxy", url, asked, gig, lines, [f"proxy_set_header {name}" for name in lines.hidden])


_BY_PROTOCOL = {"uwsgi": _by_uwsgi, "http": _by_http}


def _pass(module: str, url: str, asked: str, gig: Booked, lines: Lines, hidden: list[str]) -> str:
    more = lines.location + lines.door + "".join(f'        {name} "";\n' for name in hidden)
    more += "".join(f"        {module}_hide_header {name};\n" for name in lines.dropped)
    return f"""
    # a door that does not answer is not tried twice: the request may have had its effect
    location {url} {{
        set $backstage_private {gig.act};{asked}
        {module}_buffer_size 32k;
        {module}_buffers 8 32k;
        {module}_connect_timeout 5s;
        {module}_read_timeout {gig.timeout + 5}s;
        {module}_send_timeout {gig.timeout + 5}s;
        {module}_next_upstream off;
{more}    }}
"""


def _files(paths: Production, prefix: str, found: list[tuple[str, str]], more: str, stripped: str = "") -> str:
    """Return the location of static files: of the release that plays, then of earlier ones."""
    acts = list(dict.fromkeys(act for act, _inside in found))
    root = paths.act(acts[0]).live if len(acts) == 1 else paths.acts
    tried = []
    for act, inside in found:
        live = "" if len(acts) == 1 else f"/{act}/live"
        tried += [f"{live}{where}{inside}$uri" for where in ("/static", *(f"/older/{n}" for n in range(1, 5)))]
    # z, not the dollar sign: with that, a trailing %0a would match, too
    return f"""
    location {prefix} {{
{_withheld()}
        rewrite ^{stripped or _escape(prefix)}(.*)\\z /$1 break;
        root {root};
        disable_symlinks if_not_owner from={root}/;
        try_files {" ".join(tried)} =404;
        gzip_static on;
        gzip_vary on;
        open_file_cache max=1000 inactive=60s;
        open_file_cache_valid 5s;
        open_file_cache_errors off;
        add_header X-Content-Type-Options nosniff always;
        add_header Cache-Control $backstage_kept always;
{more}    }}
"""


def _media(prefix: str, media: str, more: str) -> str:
    """Return the location of uploads. What a visitor sent must not become a page of the site."""
    return f"""
    location {prefix} {{
{_withheld()}
        alias {media}/;
        disable_symlinks on from={media}/;
        add_header X-Content-Type-Options nosniff always;
        add_header Content-Security-Policy "{_MEDIA_POLICY}" always;
{more}    }}
"""


def _withheld() -> str:
    """Return locations that refuse files which nobody may have, also with the endings of SQLite and of packers."""
    # z, not the dollar sign: with that, a trailing %0a would match, too
    # nothing as an alternative, in place of a question mark: gixy-ng takes that for a regular expression that is slow
    ending = rf"\.({_NOT_SERVED})(|-(journal|wal|shm)|\.(gz|bz2|xz|zst|zip|bak|old))|~"
    return f"""        location ~* "({ending})\\z" {{ return 404; }}"""


def _escape(prefix: str) -> str:
    return prefix.replace(".", "\\.")
