# SPDX-License-Identifier: GPL-3.0-or-later
"""The callboard: everything of an Act is on one page that loads nothing, and nothing that an Act says is obeyed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.plugin_utils import callboard

from ..boards import answer, info, many, status, three

AT = "2026-11-30 10:00 UTC"
VOID = {"meta", "link", "img", "input", "br", "hr"}


class Page(HTMLParser):
    """A page as a browser reads it: its elements, and the text of each row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, Optional[str]]]] = []
        self.rows: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.texts.append(data)
        if "tr" in self.open:
            self.rows[-1] += f" {data.strip()}" if data.strip() else ""


def page(**hosts: Any) -> Page:
    return Page(callboard.page("cats", hosts, AT))


def test_the_page_of_three_acts() -> None:
    found = page(h1=three())
    rows = [" ".join(row.split()) for row in found.rows]
    assert rows[1] == "birds ✖ dark birds.example.com/ 502 000000005cde v1.3 2026-11-21 11:13 ada 3 43 MiB 411 0"
    assert [row.split()[0] for row in rows[1:4]] == ["birds", "puppies", "kittens"], "what is in trouble comes first"
    text = " ".join(" ".join(found.texts).split())
    for said in (
        "1 Act plays 1 to look at 1 in trouble",
        "act puppies: last error: OperationalError: connection to server failed",
        "drift: act kittens: /srv/backstage/cats/acts/kittens/live: changed by hand; site repairs it",
        "certificate of kittens.example.com: ends 2026-12-09T00:00:00Z, 8 days are left",
        "https://birds.example.com/: 502",
        "Packages Django==5.2.15, psycopg==3.3.9, asgiref==3.11.0",
        "Static files 131 files, 2 MiB",
        "2026-11-21T11:13:08Z played 000000001f00 by ada",
        "Installed apps django.contrib.admin, django.contrib.auth, act1",
        "Pending migrations puppies.0003_tail",
    ):
        assert said in text, said


def test_it_loads_nothing_and_runs_nothing() -> None:
    found = page(h1=many(100))
    tags = {tag for tag, _attributes in found.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "video", "audio"}
    for _tag, attributes in found.elements:
        assert not {"src", "srcset", "style", "onclick", "action", "background"} & {*attributes}
        for value in filter(None, [attributes.get("href")]):
            assert re.match(r"#|https://act-\d{3}\.example\.com/\Z", value)
    text = callboard.page("cats", {"h1": many(3)}, AT)
    assert "url(" not in text
    assert "@import" not in text
    policy = next(a["content"] for tag, a in found.elements if tag == "meta" and "http-equiv" in a)
    assert (policy or "").startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_a_screen_reader_finds_its_way() -> None:
    found = page(h1=three(), h2=many(2))
    elements = found.elements
    assert dict(elements[0][1]) == {"lang": "en"}
    heads = [attributes for tag, attributes in elements if tag == "th"]
    assert all(attributes.get("scope") in ("col", "row") for attributes in heads)
    levels = [int(tag[1]) for tag, _attributes in elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    ids = [attributes["id"] for _tag, attributes in elements if "id" in attributes]
    assert len(ids) == len({*ids})
    targets = [str(a["href"])[1:] for tag, a in elements if tag == "a" and str(a["href"]).startswith("#")]
    assert {*targets} <= {*ids}
    assert {tag for tag, _attributes in elements} >= {"main", "header", "table", "details", "summary"}
    assert "prefers-color-scheme: dark" in callboard.page("cats", {}, AT)


def test_what_acts_say_is_only_text() -> None:
    evil = '"><script>alert(1)</script><a href="javascript:x">{{ 7 * 7 }}'
    bad = status(1)
    bad.update(state=evil, source=evil, by=evil, pending=[evil], last_error={"at": None, "text": evil})
    bad["set"]["apps"] = [evil]
    found = page(h1=info({"kittens": bad}, [answer("kittens", 0, error=evil)], remarks=[evil], drift=[{"line": evil}]))
    assert not [tag for tag, _attributes in found.elements if tag == "script"]
    assert not [a for tag, a in found.elements if tag == "a" and str(a["href"]).startswith("javascript")]
    assert "".join(found.texts).count(evil) >= 7
    assert "49" not in "".join(found.texts)


JUDGED: list[tuple[dict[str, Any], list[dict[str, Any]], str]] = [
    (status(1), [answer("kittens")], "well"),
    (status(1), [answer("kittens", 404)], "well"),
    (status(1), [answer("kittens", 503, "closed")], "well"),
    (status(1), [answer("kittens", 503)], "bad"),
    (status(1), [answer("kittens", 0, error="it does not answer")], "bad"),
    (status(1), [answer("kittens", 302, error="it answers 404")], "bad"),
    (status(1, "dark"), [], "bad"),
    (status(1, "never heard of"), [], "bad"),
    (status(1, "stopped"), [], "warning"),
    (status(1, pending=["a.1"]), [], "warning"),
    (status(1, pending=None), [], "well"),
    (status(1, held="0123"), [], "warning"),
    (status(1, errors=1), [], "warning"),
]


@pytest.mark.parametrize(("one", "answers", "judged"), JUDGED)
def test_how_an_act_is_judged(one: dict[str, Any], answers: list[dict[str, Any]], judged: str) -> None:
    (card,) = callboard.cards({"h1": info({"kittens": one}, answers)})
    assert card.judged == judged


def test_the_same_act_on_two_hosts_has_two_rows() -> None:
    found = page(h1=info({"kittens": status(1)}, []), h2=info({"kittens": status(2)}, []))
    assert [" ".join(row.split()[:2]) for row in found.rows[1:3]] == ["kittens h1", "kittens h2"]


def test_a_hundred_acts_are_on_one_page() -> None:
    found = page(h1=many(100))
    assert len(found.rows) == 101
    assert len(callboard.page("cats", {"h1": many(100)}, AT)) < 300_000


def test_a_production_without_acts_has_a_page_too() -> None:
    assert "Nothing of this Production is on its hosts." in "".join(page(h1=info({}, [])).texts)
