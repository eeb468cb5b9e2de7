# SPDX-License-Identifier: GPL-3.0-or-later
"""Managers that answer a rehearsal from a script, and a rehearsal with them."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any, Optional

import pytest
from ansible_collections.backstage.django.plugins.module_utils.diagnosis import lookup
from ansible_collections.backstage.django.plugins.module_utils.host.errors import BackstageError
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import Act
from ansible_collections.backstage.django.plugins.module_utils.productions import manager as production
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order, Outcome
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import findings
from ansible_collections.backstage.django.plugins.module_utils.rehearsals import rehearsal as rehearsals

from ...house import House
from ...manifests import COMMIT, VENUE

BUILD = ("environment", "settings", "check", "collectstatic", "packages")
FILES = {
    "manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kittens.settings")',
    "kittens/settings.py": "",
    "kittens/wsgi.py": "application = get_wsgi_application()\n",
    "requirements.txt": "Django\n",
}
SQLITE = {"engine": "django.db.backends.sqlite3", "name": "{code}/../../../data/db.sqlite3"}
IN_THE_CODE = {**SQLITE, "name": "{code}/db.sqlite3"}
POSTGRES = {"engine": "django.db.backends.postgresql", "name": "live"}
EXACT = {"path": None, "production": "cats"}


@dataclass
class Managers:
    """What the managers answer, one failure after the other, and what they were asked.

    Args:
        house: the host.
        script: the failures, each as the step and what the Act printed; None where all is well.
        looks: what Django says of a release that plays; or a function that is told the Act.
        record: what is known of every release that was built; likewise.
        warnings: what is said of a Sess that plays.
    """

    house: House
    script: list[Optional[tuple[str, str]]]
    looks: Any = field(default_factory=dict)
    record: Any = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def carry_out(self, order: Order) -> Outcome:
        self.orders.append(order)
        if order.strike:
            return Outcome()
        failure = self.script[0]
        if failure and (failure[0] in BUILD) == (order.through == "build"):
            self.script.pop(0)
            step, printed = failure
            return Outcome(errors=[BackstageError(lookup.find(printed) or printed, "act kittens", step, printed)])
        release = production.wanted_release(order, "kittens")
        if order.through == "build" and not self.house.state().releases.get(release):
            code = self.house.act().release(release).code
            record = self.record(order.manifest.acts["kittens"]) if callable(self.record) else self.record
            databases = json.loads(json.dumps(record).replace("{code}", code))
            self.house.build(release, **databases)
        elif order.through == "play":
            self.script.pop(0)
            return Outcome(warnings=self.warnings)
        return Outcome()

    def ask(self, order: Order, _act: str, _mode: str, options: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(options["applied"])
        looks = self.looks(order.manifest.acts["kittens"]) if callable(self.looks) else self.looks
        return {"pages": ["/", "/a/"], "warnings": [], "unwritten": [], "pending": [], **looks}


def options(house: House, **more: Any) -> dict[str, Any]:
    archive = house.root / "kittens.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    defaults = {key: rule.get("default") for key, rule in spec.rehearsal().items()}
    return {
        **defaults,
        "path": "/kittens",
        "act": "kittens",
        "production": "tryout",
        "acts": [{"name": "kittens", "source": {"path": "/kittens", "git": None}, "settings": None}],
        "venues": [{"name": VENUE}],
        "gigs": [{"act": "kittens", "venue": VENUE}],
        "resolved": {"kittens": {"content": COMMIT, "label": "v1"}},
        "shipped": {"kittens": {"path": str(archive), "sha256": ""}},
        **more,
    }


def rehearse(
    house: House, monkeypatch: pytest.MonkeyPatch, *script: Optional[tuple[str, str]], more: Any = None, **managers: Any
) -> tuple[dict[str, Any], Managers]:
    """What a rehearsal returns, and what it did."""
    made = Managers(house, [*script], **managers)
    monkeypatch.setattr(production, "carry_out", made.carry_out)
    monkeypatch.setattr(production, "ask", made.ask)
    rehearsal = rehearsals.Rehearsal(options(house, **(more or {})))
    found = rehearsal.run()
    result = findings.as_result(found, rehearsal.before, rehearsal.exact)
    return {**result, "verdict": findings.verdict(found, result) if found.error or result["lacking"] else ""}, made


def contents(act: Act) -> str:
    return "".join(file.content for file in act.files)
