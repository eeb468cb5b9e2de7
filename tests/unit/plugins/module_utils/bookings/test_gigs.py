# SPDX-License-Identifier: GPL-3.0-or-later
"""The Gigs of a Venue: what the manifest says, and what stays beside it of what the disk says."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.backstage.django.plugins.module_utils.bookings import gigs
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Gig

V = "a.example"


def gig(act: str, *when: str, **more: Any) -> Gig:
    return Gig(act, V, when=when, **more)


JAZZ, HIPHOP, RESIDENT = gig("jazz", "Fri"), gig("hiphop", "Sat"), gig("resident")
CASES: list[tuple[list[Gig], list[Gig], dict[str, Any], list[Gig]]] = [
    # (the manifest, the disk, options, what should be)
    ([JAZZ, HIPHOP], [], {}, [HIPHOP, JAZZ]),
    ([], [JAZZ, HIPHOP], {}, [HIPHOP, JAZZ]),
    ([JAZZ], [HIPHOP], {}, [HIPHOP, JAZZ]),  # a run for one Act alone
    ([JAZZ], [HIPHOP], {"prune": True}, [JAZZ]),
    ([JAZZ], [RESIDENT], {}, [JAZZ, RESIDENT]),
    ([RESIDENT], [JAZZ], {}, [JAZZ, RESIDENT]),
    ([RESIDENT], [gig("jazz")], {}, [RESIDENT]),
    ([gig("jazz", "Sat")], [HIPHOP], {}, [gig("jazz", "Sat")]),  # its time is taken
    ([gig("jazz", "2026-12-05")], [HIPHOP], {}, [HIPHOP, gig("jazz", "2026-12-05")]),
    ([gig("jazz", "Sun")], [JAZZ], {}, [gig("jazz", "Sun")]),
    ([gig("jazz")], [JAZZ], {}, [gig("jazz")]),
    ([gig("jazz", state="absent")], [JAZZ, HIPHOP], {}, [HIPHOP]),
    ([gig("jazz", state="absent"), HIPHOP], [JAZZ], {}, [HIPHOP]),
    # an Act that failed in this run
    ([gig("jazz", "Sun"), HIPHOP], [JAZZ], {"failed": {"jazz"}, "prune": True}, [HIPHOP, JAZZ]),
    ([gig("jazz", "Sun"), gig("hiphop", "Fri")], [JAZZ], {"failed": {"jazz"}}, [gig("hiphop", "Fri")]),
    ([JAZZ], [], {"failed": {"jazz"}}, []),
    # paths
    ([gig("blog", path="/blog")], [JAZZ], {}, [JAZZ, gig("blog", path="/blog")]),
]


@pytest.mark.parametrize(("said", "before", "more", "after"), CASES)
def test_merged(said: list[Gig], before: list[Gig], more: dict[str, Any], after: list[Gig]) -> None:
    given: dict[str, Any] = {"failed": set(), "prune": False, **more}
    assert gigs.merged(said, before, given["failed"], given["prune"]) == after
