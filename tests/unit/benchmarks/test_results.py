# SPDX-License-Identifier: GPL-3.0-or-later
"""The committed results: complete, proving what they must, and what the documentation says."""

from __future__ import annotations

import hashlib
import json

import bench
import report

RESULTS = json.loads(report.RESULTS.read_text(encoding="utf-8"))


def test_the_page_says_what_was_measured() -> None:
    assert report.PAGE.read_text(encoding="utf-8") == report.render(RESULTS)


def test_every_part_was_measured() -> None:
    assert set(RESULTS) - set(report.LATER) == set(report.PARTS)
    assert {*report.PARTS, *report.LATER} == {"environment", *bench.PARTS}


def test_no_proof_fails() -> None:
    assert [row.measure for row in report.rows(RESULTS) if row.must and not row.met] == []


def test_the_plots_show_what_was_measured() -> None:
    plots = sorted((report.PAGE.parent / "images").glob("benchmarks-*.svg"))
    assert [plot.name for plot in plots] == [f"benchmarks-{name}.svg" for name in ("latency", "nothing", "silence")]
    digest = hashlib.sha256(report.RESULTS.read_bytes()).hexdigest()
    assert [plot.name for plot in plots if f"of {digest}" not in plot.read_text(encoding="utf-8")] == [], "make plots"
    page = report.PAGE.read_text(encoding="utf-8")
    assert [plot.name for plot in plots if f"(images/{plot.name})" not in page] == []
