# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks, on one prepared host: deploys under load, and what each run costs."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import generator
import loads
import ratios
import report
from controller import Controller, Failed
from host import Host
from loads import Bench, Plan
from production import Repository, wagtail

CHECKOUT = Path(__file__).resolve().parents[2]

FULL = [
    Plan("keep-alive", deploys=20, rollbacks=5, at_least=200_000),
    Plan("a connection per request", deploys=20, rollbacks=5, at_least=100_000, close=True),
    Plan("keep-alive and threads", deploys=8, rollbacks=2, at_least=100_000, threads=4, slow=4),
]
SHORT = [
    Plan("keep-alive", deploys=3, rollbacks=1, at_least=20_000, before=4),
    Plan("a connection per request", deploys=1, rollbacks=0, at_least=5_000, before=3, close=True),
]


def part_loads(bench: Bench, short: bool) -> list[dict[str, Any]]:
    found = []
    for plan in SHORT if short else FULL:
        found.append(loads.under_load(bench, plan))
        print(
            f"bench: {plan.name}: {found[-1]['requests']:,} requests, {found[-1]['failures']}",
            file=sys.stderr,
            flush=True,
        )
    return found


def part_controls(bench: Bench, short: bool) -> list[dict[str, Any]]:
    return [loads.control(bench, kind) for kind in (["stop-start"] if short else ["stop-start", "touch"])]


def part_rollback(bench: Bench, short: bool) -> dict[str, Any]:
    return ratios.rollback(bench, 2 if short else 5)


def part_redeploy(bench: Bench, short: bool) -> dict[str, Any]:
    return ratios.redeploy(bench, 2 if short else 5)


def part_first(bench: Bench, short: bool) -> dict[str, Any]:
    return ratios.first_deploys(bench)


def part_wagtail(bench: Bench, short: bool) -> dict[str, Any]:
    """The same of a project that nobody here wrote: 31 packages, 200 migrations, 180 MB of dependencies."""
    subprocess.run([sys.executable, CHECKOUT / "tests" / "acts" / "make_acts.py", "wagtail"], check=True)
    repository = Repository(bench.work / "wagtail", wagtail())
    other = Bench(bench.host, bench.controller, repository, bench.work, "wag")
    return {"redeploy": ratios.redeploy(other, 2 if short else 5), "first": ratios.first_deploys(other)}


def part_crowd(bench: Bench, short: bool) -> dict[str, Any]:
    """A Production that grows from one Gig to a hundred: doing nothing, and redeploying one of them."""
    rounds = 3 if short else 7
    nothing, one = [], {}
    for count in (1, 10) if short else (1, 10, 100):
        production, inventory = ratios.chorus(bench, "crowd", count)
        bench.controller.play("site", inventory)
        nothing.append(ratios.nothing(bench, inventory, count, rounds))
        if count == 10:
            nothing.append(ratios.nothing(bench, inventory, count, rounds, "site"))
        one[str(count)] = ratios.redeploy_one(bench, inventory, production.names[0], rounds)
    return {"nothing": nothing, "redeploy_one_s": one}


def part_asleep(bench: Bench, short: bool) -> dict[str, Any]:
    return ratios.asleep(bench, 100 if short else 1000)


def part_idle(bench: Bench, short: bool) -> list[dict[str, Any]]:
    """The last one: the host's emperor runs no more."""
    return ratios.idle(bench, (1, 100) if short else (1, 10, 100, 1000), 3 if short else 5)


PARTS: dict[str, Callable[[Bench, bool], Any]] = {
    "loads": part_loads,
    "controls": part_controls,
    "rollback": part_rollback,
    "redeploy": part_redeploy,
    "first": part_first,
    "wagtail": part_wagtail,
    "crowd": part_crowd,
    "asleep": part_asleep,
    "idle": part_idle,
}
PROOFS = ("loads", "controls", "idle")  # what a short run takes unless told otherwise


def environment(host: Host) -> dict[str, str]:
    """Where and with what this was measured."""
    cpu = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    query = ["dpkg-query", "-Wf", "${Package} ${Version}\\n", "nginx", "uwsgi-core", "python3"]
    packages = host.run(*query).split("\n")
    release = host.run("sh", "-c", '. /etc/os-release; echo "$PRETTY_NAME"').strip()
    core = subprocess.run(["ansible", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")[0]
    commit = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--exclude=*"]
    described = subprocess.run(
        commit, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout.strip()
    django = (CHECKOUT / "tests/benchmarks/acts/encore/requirements.txt").read_text().strip()
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "machine": f"{len(cpu)} x {cpu[0] if cpu else 'unknown CPU'}, {memory:.0f} GiB",
        "other work on it at the start": f"load average {os.getloadavg()[0]:.2f}",
        "host": ", ".join([release, *(package for package in packages if package)]),
        "Act": f"encore, {django}",
        "controller": core,
        "commit": described or "not committed",
    }


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ssh-config", type=Path, required=True)
    parser.add_argument(
        "--host", required=True, help="its name in the ssh_config: empty, or prepared by an earlier run"
    )
    parser.add_argument("--address", required=True)
    parser.add_argument("--short", action="store_true", help="a small proof for CI; writes no results")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts; the others keep their written results")
    return parser.parse_args()


def measure(bench: Bench, parts: list[str], short: bool) -> dict[str, Any]:
    results = {}
    for part in parts:
        began = time.monotonic()
        results[part] = PARTS[part](bench, short)
        print(f"bench: {part:<10} {time.monotonic() - began:6.1f} s", file=sys.stderr, flush=True)
    return results


def verdict(results: dict[str, Any]) -> int:
    """Print each measure; fail where a proof doesn't hold."""
    found = report.rows(results)
    for row in found:
        sign = "ok" if row.met else "FAILED" if row.must else "missed"
        print(f"{sign:<7} {row.measure}: {row.value} (target: {row.target})")
    failed = sum(row.must and not row.met for row in found)
    print(f"{len(found) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    args = options()
    parts = args.only or [part for part in PARTS if not args.short or part in PROOFS]
    host = Host(args.host, args.address, args.ssh_config.resolve())
    with tempfile.TemporaryDirectory(prefix="backstage-bench-") as scratch:
        work = Path(scratch)
        host.prepare(generator.build(work))
        bench = Bench(host, Controller(work), Repository(work / "encore"), work)
        try:
            results = measure(bench, parts, args.short)
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        if not args.short:
            report.merge({**results, "environment": environment(host)})
    return verdict(results)


if __name__ == "__main__":
    sys.exit(main())
