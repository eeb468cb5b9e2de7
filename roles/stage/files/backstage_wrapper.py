# Managed by Backstage (backstage.django): changes are overwritten.
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that uWSGI loads in place of an Act's own wsgi.py: `module = backstage_wrapper:application`.

It imports the Act's callable and does before the fork what Django would do at the first request: once instead of
once a worker, and a mistake ends the start instead of meeting the first visitor. What is loaded then is frozen, so
that the workers go on sharing its memory. It reads these variables:

BACKSTAGE_APPLICATION  the Act's callable, as "package.module:name"
BACKSTAGE_PREFIX       optional: the path below which the Act plays, such as "/blog"
BACKSTAGE_TOKEN        what this Sess proves itself with; the Act's code does not see it
"""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterable, MutableMapping
from typing import Any, Callable

import backstage_questions

Application = Callable[..., Iterable[bytes]]


class WrapperError(Exception):
    """The Act can't be played as it is; the text says what to change."""


def set_prefix(prefix: str) -> None:
    """Set the script prefix first of all: Django keeps STATIC_URL with the prefix of its first reader."""
    if prefix:
        import django
        from django.urls import set_script_prefix

        # a wsgi.py that calls it by itself would have the root's again
        django.setup = functools.partial(django.setup, set_prefix=False)
        set_script_prefix(prefix.rstrip("/") + "/")


def load(name: str, interface: str = "wsgi") -> Application:
    """Import the callable that "package.module:name" names, and refuse what the server could not call."""
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise WrapperError(f'BACKSTAGE_APPLICATION is {name!r}: write it as "package.module:callable"')
    module = importlib.import_module(module_name)
    try:
        found = getattr(module, attribute)
    except AttributeError:
        raise WrapperError(f"{module_name} has no {attribute!r}: the manifest's application names it") from None
    if not callable(found):
        raise WrapperError(f"{name} is a {type(found).__name__} and can't be called: name the WSGI application")
    if is_asgi(found) and interface == "wsgi":
        raise WrapperError(
            f"{name} is an ASGI application, and this Stage plays WSGI: name the WSGI one, usually in wsgi.py"
        )
    if interface == "asgi" and not is_asgi(found):
        raise WrapperError(f"{name} is no ASGI application, which this Stage plays: name the one in asgi.py")
    return found


def is_asgi(candidate: Any) -> bool:
    """Whether a callable is ASGI: Django's handler, or a coroutine function, or an object with a coroutine call."""
    return inspect.iscoroutinefunction(candidate) or inspect.iscoroutinefunction(type(candidate).__call__)


def prepare() -> None:
    """Load what the first request would load: the URLconf with every view, the template engines, the middleware."""
    from django.conf import settings
    from django.template import engines
    from django.urls import get_resolver

    # Django keeps them with the prefix of now: while an Act moves to another path, visitors still come by the old one.
    _kept = settings.STATIC_URL, settings.MEDIA_URL
    resolve(get_resolver())
    for engine in engines.all():
        # Its loaders and tag libraries come to life with the engine's first use, not with the engine.
        getattr(getattr(engine, "engine", None), "template_loaders", None)


def resolve(resolver: Any) -> None:
    """Import a URLconf and those that it includes."""
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            resolve(pattern)


def logs_request_errors() -> bool:
    """Whether a failing request's traceback gets anywhere by logging: Django's default only mails it to the ADMINS."""
    from django.utils.log import AdminEmailHandler

    logger = logging.getLogger("django.request")
    if not logger.isEnabledFor(logging.ERROR):
        return False
    handlers: list[logging.Handler] = []
    above: logging.Logger | None = logger
    while above:
        handlers += above.handlers
        above = above.parent if above.propagate else None
    if not handlers:
        return logging.lastResort is not None
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, "", (), None)
    printing = (handler for handler in handlers if not isinstance(handler, (logging.NullHandler, AdminEmailHandler)))
    return any(takes(handler, record) for handler in printing)


def takes(handler: logging.Handler, record: logging.LogRecord) -> bool:
    """Whether a handler would emit this record."""
    if record.levelno < handler.level:
        return False
    try:
        return bool(handler.filter(record))
    except (AttributeError, KeyError, TypeError):  # a filter of the project's own that wants a real request
        return True


def print_traceback(request: Any = None, **_: Any) -> None:
    """Print the exception of the request that failed, after a line with its time, as uWSGI's own begin."""
    what = f"{request.method} {request.path!r}" if request is not None else "a request"
    text = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} - {what} failed\n{traceback.format_exc()}"
    print(text, end="", file=sys.stderr, flush=True)  # in one piece, beside what other workers print


def report_errors() -> None:
    """Print tracebacks to the Act's log where nothing else does."""
    from django.core.signals import got_request_exception

    if not logs_request_errors():
        got_request_exception.connect(print_traceback, dispatch_uid="backstage")


def share_memory() -> None:
    """Leave nothing that a forked worker must not share, and keep the collector from touching the rest."""
    from django.db import connections

    connections.close_all()
    close_pools()
    gc.collect()
    gc.freeze()


def close_pools() -> None:
    """Close Django's pools: a connection that is closed goes back into its pool, open, and workers would share it.

    Django has them since 5.1, one for each database whose OPTIONS ask for it, whoever opened it.
    """
    from django.db import connections

    for name in connections:
        if connections.settings[name].get("OPTIONS", {}).get("pool"):
            close_pool = getattr(connections[name], "close_pool", None)
            if close_pool:
                close_pool()


def name_threads() -> None:
    """Print the threads that are alive now: a fork copies the memory, and of the threads only the one that forks."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            line = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} - backstage: {lost(thread.name)}"
            print(line, file=sys.stderr, flush=True)


def lost(thread: str) -> str:
    return (
        f"the thread {thread[:80]!r} was started while the Act was loaded, and does not live in the workers: start it"
        " with the first request, or as a process of its own"
    )


def build(
    environ: MutableMapping[str, str],
    interface: str = "wsgi",
    ask: Callable[..., Any] = backstage_questions.Asked,
) -> Any:
    """The Act's application, ready to be forked.

    Args:
        environ: the variables of the process.
        interface: what the server calls: wsgi or asgi.
        ask: makes of the application one that answers Backstage's questions as well.
    """
    token = environ.pop("BACKSTAGE_TOKEN", "")
    set_prefix(environ.get("BACKSTAGE_PREFIX", ""))
    loaded = load(environ.get("BACKSTAGE_APPLICATION", ""), interface)
    prepare()
    report_errors()
    asked = ask(loaded, token, backstage_questions.worker_count())
    share_memory()
    name_threads()
    return asked


# uWSGI puts its own module there before it loads an Act; gunicorn imports backstage_http instead.
if "uwsgi" in sys.modules:
    application = build(os.environ)
