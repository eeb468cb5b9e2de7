"""What is playing here: the words of Backstage, each with its value in this very process."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

import django
from django.http import HttpRequest
from django.utils import timezone

STARTED = timezone.now()


@dataclass(frozen=True)
class Credit:
    """One line of the playbill."""

    term: str
    value: str
    meaning: str


def stage(request: HttpRequest) -> str:
    """The server that runs this process."""
    version = request.META.get("uwsgi.version")
    if version:
        return f"uWSGI {version.decode()}"
    return request.META.get("SERVER_SOFTWARE", "unknown")


def playbill(request: HttpRequest) -> list[Credit]:
    """The lines of the playbill, from the whole company down to this one performance."""
    exported = os.environ.get
    act = exported("BACKSTAGE_ACT", "jamsession")
    player = pwd.getpwuid(os.getuid()).pw_name
    return [
        Credit(
            "Production",
            exported("BACKSTAGE_PRODUCTION", "a rehearsal"),
            "Everything that plays together: one manifest in one inventory.",
        ),
        Credit(
            "Act",
            act,
            f"One Django project: this one, on Django {django.get_version()}.",
        ),
        Credit(
            "Release",
            exported("BACKSTAGE_RELEASE", "a checkout"),
            "The Act, built once: code, environment and static files, named by all that went in.",
        ),
        Credit(
            "Sess",
            f"since {STARTED:%H:%M:%S} UTC",
            f"A release that plays, as the system user {player}. A change starts a new Sess beside"
            " the old one, and visitors move over between two notes.",
        ),
        Credit("Stage", stage(request), "Where a Sess plays: it loads the Act and answers."),
        Credit(
            "Venue",
            request.get_host(),
            "The name that the audience comes to. Front of house, nginx, keeps its door.",
        ),
        Credit(
            "Gig",
            f"{act} at {request.path}",
            "An Act booked at a Venue: what you are looking at.",
        ),
    ]
