# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.backstage.django.plugins.module_utils.acts import url_prefixes


def test_a_place_for_each_url() -> None:
    urls = ["/a/", "/a/b/", "/a-b/", "/a~b/", "/a.b/", "/a_b/"]
    places = {url_prefixes.place(url) for url in urls}
    assert len(places) == len(urls)
    assert all(place.count("/") == 1 for place in places)
