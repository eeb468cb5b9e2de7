# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rehearse an Act: build, start and request it in a Production of its own, of which only packages stay.

The managers work as in any run. If a step fails, and a line of the manifest cures the cause, the
line is added and the step repeated, until the Act passes the gate or no further line is known.
"""

from __future__ import annotations

import copy
import json
import os
import pwd
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from ..acts import commands, databases
from ..acts import manager as acts
from ..diagnosis import lookup
from ..host import debian, files, locks, names, process, run_log, users
from ..host.errors import BackstageError, Refusal
from ..host.facts import Host
from ..host.layout import REHEARSAL_LOCK, Production
from ..manifest import parse as manifest
from ..manifest.nouns import Act, Manifest, Sess
from ..productions import manager as production
from ..productions import rehearsal_cache
from ..productions.order import Order, Outcome
from ..state import read as state
from ..state.history import who
from . import cures
from .draft import Draft, Item
from .findings import Findings
from .stage_choice import Choice, choose
from .survey import Survey
from .trials import Trials

MOST = 30
"""The maximum number of lines to try, because more would be a loop."""
_LISTS = ("sesses", "venues", "gigs", "act_defaults", "sess_defaults", "venue_defaults", "versions")
_INSECURE = "security.W009"
DEBUG_ON = "DEBUG is on: visitors would read tracebacks"
SUPERFLUOUS = (
    "uWSGI is among its requirements, but the Act plays on Debian's: leave it out, because compiling it takes minutes"
)
_COMMANDS = """
import importlib.metadata, importlib.util, json, re
found = set()
for distribution in importlib.metadata.distributions():
    for entry in distribution.entry_points:
        if entry.group == "console_scripts" and entry.name != "django-admin":
            try:
                spec = importlib.util.find_spec(entry.value.split(":")[0].strip())
                with open(spec.origin, encoding="utf-8") as file:
                    text = file.read()
            except Exception:
                continue
            if re.search(r"execute_from_command_line|ManagementUtility\\(", text):
                found.add(entry.name)
print(json.dumps(sorted(found)))
"""


class Rehearsal:
    """One Act on this host.

    Args:
        options: the module's options.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self.act: str = options["act"]
        self.exact = options["path"] is None
        self.host = Host.read()
        self.paths = Production(names.REHEARSAL)
        item = next(_given(item) for item in options["acts"] if item["name"] == self.act)
        survey = Survey.read(options["shipped"][self.act]["path"])
        self.before = copy.deepcopy(item)
        self.draft = Draft(item, survey)
        self.trials = Trials(self.draft)
        self.choice = Choice() if self.exact else choose(survey, self.act, self.host)
        self.migrates = True
        self.warnings: list[str] = []
        self._looks: dict[str, Item] = {}

    def run(self) -> Findings:
        """Rehearse, and leave nothing, whatever happens.

        Raises:
            BackstageError: the host is not prepared, or another rehearsal does not end.
        """
        self.host.need_stage()
        found = Findings(self.draft, self.choice)
        planned = production.check(self._order("play", real=True)) if self.exact else Outcome()
        found.steps, found.warnings = [step.entry() for step in planned.steps], planned.warnings
        if self.draft.survey.needs(r"uwsgi(?![\w-])"):
            found.warnings.append(f"act {self.act}: {SUPERFLUOUS}")
        with locks.held(REHEARSAL_LOCK, who(), self.options["lock_timeout"]) as waited:
            found.warnings += waited
            began = time.time()
            self._sweep()
            whose = self._bring_back()
            try:
                self._rehearse(found)
            finally:
                run_log.phase(self.act, "removing what was made")
                self._sweep()
                self._put_away(whose, began)
                files.remove(REHEARSAL_LOCK)
        if planned.errors and not found.error:
            found.error = planned.errors[0]
            found.missing += self._missing(found.error)
        return found

    def _bring_back(self) -> str:
        """Restore what earlier rehearsals have kept. Return the owner of this Act's own environments."""
        if not self.options["keep"] or rehearsal_cache.is_old(self.paths):
            rehearsal_cache.forget(self.paths)
        if not self.options["keep"]:
            return ""
        run_log.phase(self.act, "packages of the rehearsal before")
        rehearsal_cache.put_away(self.paths)
        whose = rehearsal_cache.owner(self.options["production"], self._order("build").manifest.acts[self.act])
        rehearsal_cache.bring_back(self.paths.act(self.act), whose)
        return whose

    def _put_away(self, whose: str, began: float) -> None:
        if self.options["keep"]:
            rehearsal_cache.put_away(self.paths, whose, began)
        else:
            rehearsal_cache.forget(self.paths)

    def _rehearse(self, found: Findings) -> None:
        for _line in range(MOST):
            error = self._try()
            if error is None and self._improve():
                continue
            if error is None or not self._cure(error):
                break
        found.plays, found.error, found.tried = error is None, error, self.trials.notes
        found.known = self._record()
        found.warnings += self.warnings  # such as a warning about a thread that does not exist in the workers
        found.warnings += [f"act {self.act}: {warning}" for warning in found.known.get("warnings", [])]
        found.missing = [f"{name} needs a value: this one only let the rehearsal continue" for name in self.draft.asked]
        found.missing += [*self.draft.wishes, *self.choice.wishes, *self._missing(error)]
        if found.plays:
            found.applied = self._history("migrated")
            found.look = self._look(found)

    def _try(self) -> Optional[BackstageError]:
        """Build, then play. Return the failure, if there is one."""
        try:
            for through in ("build", "play"):
                outcome = production.carry_out(self._order(through))
                self.warnings = outcome.warnings
                if outcome.errors:
                    return outcome.errors[0]
                if through == "build":
                    self._need_own_database()
        except BackstageError as error:
            return error
        return None

    def _order(self, through: str, real: bool = False) -> Order:
        """Return the order for the managers: the Act alone, in the rehearsal's own Production, without nginx."""
        lists = {key: self.options[key] for key in _LISTS}
        given = {**lists, "production": self.options["production"], "acts": [self.draft.laid()]}
        if self.choice.sess:
            given["sesses"] = [{"act": self.act, **self.choice.sess}]
        given.update(version=self.options["version"], only=[self.act])
        if self.exact:
            given["acts"] += [item for item in self.options["acts"] if item["name"] != self.act]
        wanted = manifest.parse(given).only({self.act})
        act = wanted.acts[self.act]
        act = replace(act, secrets=act.secrets or {})
        if real:
            return Order(replace(wanted, acts={self.act: act}), self.options["resolved"], through=through)
        if not self.migrates:
            act = replace(act, migrate=False, fixtures=[], seed=[])
        sess = replace(wanted.sesses.get(self.act, Sess(self.act)), state="started", port=None)
        private = replace(wanted, production=names.REHEARSAL, acts={self.act: act}, sesses={self.act: sess})
        order = Order(private, self.options["resolved"], self.options["shipped"], through=through, private=True)
        return replace(order, seeds=self._answers(act))

    def _answers(self, act: Act) -> dict[str, str]:
        """Answer to run a failed seed again with the next line."""
        history = state.read(names.REHEARSAL, self.host).act(self.act).history
        seeds = [seed.name for seed in act.seed] + [acts.FIXTURE + path for path in act.fixtures]
        return {name: "again" for name in seeds if history.seed_state(name) == "seed started"}

    def _need_own_database(self) -> None:
        """Read a database that is not the rehearsal's own, and never migrate it.

        Raises:
            BackstageError: it lacks migrations, so no page of the Act can be requested.
        """
        database = databases.default(self._record())
        places = (self.paths.root + "/", ":memory:")
        given = self._order("build").manifest.acts[self.act].database
        file, _mark, query = database["name"].removeprefix("file:").partition("?")
        own = not os.path.isabs(file) or file.startswith(places) or "mode=memory" in query
        none = database["engine"].rpartition(".")[2] in ("", "dummy")
        self.migrates = bool(given or none or (own and databases.in_a_file(database)))
        if self.migrates:
            return
        pending = self._ask(None)["pending"]
        if pending:
            raise BackstageError(
                f"its database '{database['name']}' is not the rehearsal's own, and lacks {len(pending)} migrations"
                f" ({', '.join(pending[:5])}{' ...' if len(pending) > 5 else ''}), so no page was asked for",
                f"act {self.act}",
                "migrate",
            )

    def _cure(self, error: BackstageError) -> bool:
        """Add the line that cures a failure. Return whether there was one."""
        cause = lookup.recall(error.message)
        if cause and cause.packages:
            return self._add_packages(cause.packages, cause.sentence)
        if cause:
            return self._write(cause.row.name, cause.words, cause.sentence)
        for mark, name in cures.SAID.items():
            if mark in error.message + error.log:
                return self._write(name, (), error.message)
        return False

    def _add_packages(self, packages: str, because: str) -> bool:
        """Add Debian packages. The role installs them, so the rehearsal ends if one is missing."""
        before = list(self.draft.item.get("packages", []))
        wanted = [] if packages == debian.UNKNOWN else packages.replace(" and ", ", ").split(", ")
        self.draft.add("packages", wanted, because)
        return self.draft.item.get("packages", []) != before

    def _write(self, name: str, words: tuple[str, ...], because: str) -> bool:
        # the database of a manifest stays, because another one would lack its data
        known = () if self.exact and name in cures.ELSEWHERE else cures.CURES.get(name, ())
        before = self.draft.state()
        if not self.trials.cure(name, self._case(words, because), known):
            return False
        try:
            self._order("build")
        except Refusal as refusal:  # the line does not fit the others: remove it, and keep the earlier findings
            self.draft.take_back(before, self.draft.state())
            self.trials.notes.append(f"{refusal}; it was taken back")
            return False
        return True

    def _improve(self) -> bool:
        """Find and cure what plays but should not play so, by asking Django."""
        improved = self._write_database()
        if self.exact or improved:
            return improved
        # ask both before curing either, because another line makes another release
        found = {"debug": DEBUG_ON} if self._record().get("debug") else {}
        told = [line for line in self._record().get("warnings", []) if line.startswith("SECRET_KEY ")]
        weak = [f"SECRET_KEY is in the code, or weak ({_INSECURE})"] if self._is_insecure() else told
        if weak:
            found["SECRET_KEY in the code"] = weak[0]
        cured = [self._write(name, (), because) for name, because in found.items()]
        if not any(cured):
            for because in found.values():
                self.draft.wish(because)
        return any(cured)

    def _write_database(self) -> bool:
        """Make the database writable. A page may read one that can't be written, such as a developer's."""
        code = self.paths.act(self.act).release(self._release()).code
        base = os.path.normpath(os.path.join(code, self.draft.subdir))
        inside = databases.sealed(self._record(), code, base, self.draft.item.get("writable", []))
        because = f"the database file '{inside}' lies in the code, which is sealed"
        return bool(inside) and self._write("database in the code", (), because)

    def _is_insecure(self) -> bool:
        return any(line.startswith(_INSECURE) for line in self._ask(None)["warnings"])

    def _case(self, words: tuple[str, ...], because: str) -> cures.Case:
        release = self.paths.act(self.act).release(self._release())
        return cures.Case(
            draft=self.draft,
            words=words,
            because=because.replace(release.code + "/", ""),
            names=self._names(),
            host=self.host,
            release=release,
            record=self._record(),
            commands=self._commands,
            pages=lambda: list(self._ask(None)["pages"]),
        )

    def _names(self) -> list[str]:
        wanted = self._order("play").manifest
        return [name for venue in wanted.venues.values() for name in venue.names]

    def _release(self) -> str:
        """Return the release that is tried, complete or not."""
        return production.wanted_release(self._order("build"), self.act)

    def _record(self) -> Item:
        """Return the record of the release that is tried; empty if it could not be built."""
        known = state.read(names.REHEARSAL, self.host).act(self.act)
        return known.releases.get(self._release(), {})

    def _history(self, event: str) -> list[str]:
        known = state.read(names.REHEARSAL, self.host).act(self.act)
        return [name for line in known.history.events if line["event"] == event for name in line.get("applied", [])]

    def _commands(self) -> list[str]:
        """Return the console scripts of the environments so far that manage a Django project."""
        builder = process.User.named(names.builder(names.REHEARSAL, self.act))
        for key in files.names_in(self.paths.environments):
            python = os.path.join(self.paths.environment(key), "bin", "python")
            result = process.run([python, "-I", "-c", _COMMANDS], builder)
            found: list[str] = json.loads(result.out) if result.ok else []
            if found:
                return found
        return []

    def _ask(self, applied: Optional[list[list[str]]]) -> Item:
        """Return what Django reports about the release that is tried. Its own database is asked only once."""
        release = self._release()
        if applied is not None or release not in self._looks:
            self._looks[release] = production.ask(self._order("play"), self.act, "look", {"applied": applied})
        return self._looks[release]

    def _look(self, found: Findings) -> Item:
        """Return migrations and warnings, with the pending migrations of the live Act if there is one."""
        applied: Optional[list[list[str]]] = None
        try:
            if self.exact:
                try:
                    applied = commands.applied_migrations(self.options["production"], self.act)
                except BackstageError:
                    applied = None  # it does not play yet
            look = self._ask(applied)
        except BackstageError as error:
            found.missing.append(f"Django could not be asked for its warnings: {error.message}")
            return {}
        if self.exact and applied is None:
            look["pending"] = found.applied
        return look

    def _missing(self, error: Optional[BackstageError]) -> list[str]:
        """Return what only people can do."""
        found = []
        if error:
            found.append(str(error).partition("\n")[0])
        if error and error.step == "packages" and not self.exact:
            found.append(f"rehearse again with -e '{json.dumps({'lines': {'packages': self.draft.item['packages']}})}'")
        return found

    def _sweep(self) -> None:
        """Remove everything that a rehearsal makes, or that a killed one left.

        Raises:
            BackstageError: something can't be removed.
        """
        left = set(files.names_in(self.paths.acts))
        everything = Order(
            Manifest(names.REHEARSAL), whole=True, prune=True, strike=True, private=True, delete_data=left
        )
        outcome = production.carry_out(everything)
        for error in outcome.errors:
            raise error
        # in this order a player comes before its builder, in whose group it is
        for entry in sorted(pwd.getpwall(), key=lambda entry: entry.pw_name):
            shared = entry.pw_name == names.environment_builder(names.REHEARSAL)
            if entry.pw_gecos.startswith(f"{users.MARK} {names.REHEARSAL} ") and not shared:
                users.remove(entry.pw_name)


def _given(value: Any) -> Any:
    """Return the value without options that were not given."""
    if isinstance(value, Mapping):
        return {key: _given(item) for key, item in value.items() if item is not None}
    return [_given(item) for item in value] if isinstance(value, list) else value
