# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of results.json for the documentation's page, by matplotlib, which knows how to draw bars and axes.

`make plots` draws them anew. Each names the digest of the results that it shows, so that a test finds old ones.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from report import RESULTS, most_pings

HERE = Path(__file__).parent
IMAGES = HERE.parents[1] / "docs" / "images"

BEFORE, DURING, TARGET = "#9aa5b1", "#2f6f9f", "#c0392b"
Results = dict[str, Any]


def latency(results: Results) -> Figure:
    """Percentiles of answers before the first deploy and during all of them, one group of bars for each load."""
    loads = results["loads"]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, (percentile, name) in zip(figure.subplots(1, 2), (("p50_ms", "median"), ("p99_ms", "99th percentile"))):
        for offset, when, colour in ((-0.2, "before", BEFORE), (0.2, "during", DURING)):
            heights = [load[when][percentile] for load in loads]
            bars = axes.bar([n + offset for n in range(len(loads))], heights, 0.38, label=when, color=colour)
            axes.bar_label(bars, fmt="%.0f", fontsize=8)
        axes.set_xticks(range(len(loads)), [load["name"].replace(" ", "\n", 1) for load in loads], fontsize=8)
        _dress(axes, f"{name} of an answer, ms")
        axes.legend(frameon=False, fontsize=8)
    return figure


def nothing(results: Results) -> Figure:
    """What a run costs that has nothing to do, in pings, with its target."""
    runs = [*results["crowd"]["nothing"], *({**run, "playbook": "deploy"} for run in results.get("idle", []))]
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.subplots()
    places = range(len(runs))
    bars = axes.barh(places, [run["pings"] for run in runs], 0.55, color=DURING)
    axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=3)
    for place, run in zip(places, runs):
        axes.plot([most_pings(run)] * 2, [place - 0.36, place + 0.36], color=TARGET)
    axes.set_yticks(places, [f"{run['playbook']}, {run['gigs']:,} Gigs" for run in runs], fontsize=8)
    axes.invert_yaxis()
    _dress(axes, "a run with nothing to do, in pings (red: at most)", grid="x")
    return figure


def silence(results: Results) -> Figure:
    """The longest time in which nobody got an answer: a switch of Backstage beside what is done by hand."""
    named = [(f"Backstage, {load['name']}", load["during"]["silence_ms"]) for load in results["loads"]]
    named += [(f"by hand, {control['name']}", control["silence_ms"]) for control in results["controls"]]
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.subplots()
    colours = [DURING if name.startswith("Backstage") else BEFORE for name, _height in named]
    bars = axes.barh(range(len(named)), [length for _name, length in named], 0.55, color=colours)
    axes.bar_label(bars, fmt="%.0f", fontsize=8, padding=3)
    axes.set_yticks(range(len(named)), [name for name, _length in named], fontsize=8)
    axes.invert_yaxis()
    _dress(axes, "longest time without an answer, ms", grid="x")
    return figure


def _dress(axes: Axes, title: str, grid: str = "y") -> None:
    axes.set_title(title, fontsize=9, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, linewidth=0.4, alpha=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)


def draw(text: bytes, place: Path) -> list[Path]:
    """Draw every plot of these results as SVG; the same results give the same bytes."""
    results = json.loads(text)
    metadata = {"Date": None, "Creator": None, "Description": f"of {hashlib.sha256(text).hexdigest()}"}
    mpl.rcParams.update({"svg.hashsalt": "backstage", "font.family": "DejaVu Sans"})
    place.mkdir(exist_ok=True)
    drawn = []
    for plot in (latency, nothing, silence):
        path = place / f"benchmarks-{plot.__name__}.svg"
        plot(results).savefig(path, metadata=metadata)
        drawn.append(path)
    return drawn


if __name__ == "__main__":
    draw(RESULTS.read_bytes(), IMAGES)
