# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Stage manager: start, gate, switch, drain and stop Sesses. Their names are unique."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Optional

from ..acts import databases, digests, world
from ..acts import manager as acts
from ..host import caller, files, names, run_log
from ..host.errors import BackstageError
from ..host.facts import Host
from ..manifest import inputs, stage_kinds
from ..manifest.nouns import ASLEEP, Sess
from ..manifest.stage_kinds import FIRST
from ..state.plan import Change, Phase, Step
from ..state.read import ActState, Record
from . import crew, crossings, kinds, limits, standbys
from .crew import Crew
from .crossings import Crossing
from .interface import Front, Part, Stage

if TYPE_CHECKING:
    pass


@dataclass
class Want:
    """The Sess that should play for one Act on this host.

    Args:
        sess: the Sess as the manifest says.
        act: its Act, with the release to be played.
        hold: on a rollback, the release to hold, and the digest of its inputs.
        after: its address after nginx drops the old one; until then the Sess answers there, too.
        because: why another Sess plays even if the live one is as wanted; usually empty.
        back: whether it is a rollback, which may take the standby.
    """

    sess: Sess
    act: acts.Want
    hold: Optional[dict[str, str]] = None
    after: Optional[world.Address] = None
    because: tuple[str, ...] = ()
    back: bool = False


def part(want: Want, state: ActState, host: Host) -> Optional[Part]:
    """Return what the Sess should play; None if its release is not built."""
    release = state.releases.get(want.act.play)
    if release is None:
        return None
    variables = acts.play_variables(want.act, state, release, host)
    variables["BACKSTAGE_APPLICATION"] = release["application"]
    paths = state.paths.release(release["release"])
    stage, worker_class = _kind(want, release)
    is_vassal = stage_kinds.is_vassal(stage)
    return Part(
        release=release["release"],
        project=posixpath.normpath(posixpath.join(paths.code, release["project"])),
        environment=state.paths.production.environment(release["environment"]),
        variables=variables,
        secrets=frozenset(acts.secrets_of(want.act.act, state)),
        processes=want.sess.processes,
        threads=want.sess.threads if stage_kinds.has_threads(stage, worker_class) else 1,
        timeout=want.act.act.timeout,
        limits=want.sess.limits,
        stage=stage,
        worker_class=worker_class,
        manager=stage_kinds.manager(stage, want.sess.manager),
        manage=release["manage"],
        idle=want.sess.idle if want.sess.state == ASLEEP and is_vassal else 0,
        standby=want.sess.standby if is_vassal else 0,
        # a rehearsal starts no workers, because they would take real jobs
        workers=()
        if state.paths.production.name == names.REHEARSAL
        else tuple(sorted(want.act.act.workers, key=lambda one: one.name)),
    )


def _kind(want: Want, release: Record) -> tuple[str, str]:
    """Return the Stage kind and the worker class by which a release is played."""
    built_for = release.get("inputs", {}).get(inputs.SERVER)
    return stage_kinds.played(want.sess.stage, want.sess.worker_class, built_for)


def plan(want: Want, state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> list[Change]:
    """Return the changes after which exactly the wanted Sess plays.

    Args:
        want: the Sess.
        state: its Act on disk.
        host: what the roles prepared.
        warn: takes warnings.
        front: what brings visitors to it.
    """
    changes: list[Change] = []
    name = state.paths.name
    before = {"release": state.live_release} if state.live else None
    play = partial(_play, state=state, host=host, warn=warn, front=front)
    if want.sess.plays:
        _warn_of_kind(want, state, warn)
        differences = [*want.because, *_differences(want, state, host)]
        if differences:
            verb = "roll back" if want.hold else "play"
            if want.back:
                differences += standbys.look(want.act.play, state, partial(_differences, want, host=host), warn)
            changes.append(_play_change(want, Phase.PLAY, verb, differences, before, play))
        elif state.live and state.live_record.get("workers"):
            changes += _plan_crew(state, host)
        if want.after:
            because = [
                f"{what} left"
                for what in ("venues", "path", "ports")
                if getattr(want.act.address, what) != getattr(want.after, what)
            ]
            alone = replace(want, act=replace(want.act, address=want.after), after=None)
            changes.append(_play_change(alone, Phase.LEAVE, "play", because, before, play))
    elif state.live:
        step = Step("sess", name, "stop", {"release": state.live_release}, None)
        changes.append(Change(step, Phase.STOP, name, lambda: stop_all(state, host, warn)))
    return changes + plan_sweep(state, host, warn, front)


def _warn_of_kind(want: Want, state: ActState, warn: Callable[[str], None]) -> None:
    """Report that an earlier release is played by another kind than the manifest says."""
    release = state.releases.get(want.act.play)
    if release is None:
        return
    asked = want.sess.stage
    own, _class = _kind(want, release)
    if own != asked:
        warn(f"act {state.paths.name}: release {want.act.play} was built for stage '{own}', and plays by it")


def _play_change(
    want: Want,
    phase: Phase,
    verb: str,
    because: list[str],
    before: Optional[dict[str, Any]],
    play: Callable[[Want], None],
) -> Change:
    name = want.act.act.name
    step = Step("sess", name, verb, before, {"release": want.act.play, "because": because})
    return Change(step, phase, name, partial(play, want))


def _plan_crew(state: ActState, host: Host) -> list[Change]:
    """Return the restart of the live Sess's workers, which a killed run told to end."""
    own = Crew(host, state.paths, state.live or "")
    because = own.lacks()
    step = Step("sess", state.paths.name, "start workers", None, {"because": because})
    return [Change(step, Phase.CLEAR, state.paths.name, own.resume)] if because else []


def plan_removal(name: str, state: ActState, host: Host, warn: Callable[[str], None]) -> list[Change]:
    """Return the changes after which nothing of the Act plays."""
    if not (state.live or state.all_sesses):
        return []
    step = Step("sess", name, "remove", {"release": state.live_release} if state.live else None, None)
    return [Change(step, Phase.STOP, name, lambda: stop_all(state, host, warn))]


def _differences(want: Want, state: ActState, host: Host) -> list[str]:
    """Return why the live Sess differs from the wanted one; empty if it does not. Values of secrets are not in it."""
    if not state.live:
        return ["nothing plays"]
    wanted = part(want, state, host)
    if wanted is None or wanted.release != state.live_release:
        return ["release"]
    found: list[str] = []
    links = kinds.of_sess(state.live_record, host, state.paths).links(state.live)
    if any(files.link_target(path) is None for path in links):
        found.append("it is not started")
    if state.was_given(digests.of_variables(wanted.variables)):
        state.live_env = wanted.variables
    secret = {*wanted.secrets, *state.live_record.get("secrets", [])}
    for key in sorted({*wanted.variables, *state.live_env}):
        if wanted.variables.get(key) != state.live_env.get(key):
            found.append(f"{'secret' if key in secret else 'variable'} {key} changed")
    for key in ("stage", "worker_class", "manager", "processes", "threads", "timeout"):
        before, after = state.live_record.get(key), getattr(wanted, key)
        if (before or "") != after:
            found.append(f"{key}: {before or 'default'} -> {after or 'default'}")
    if (state.live_record.get("idle") or 0) != wanted.idle:
        found.append(f"idle: {state.live_record.get('idle') or 'never'} -> {wanted.idle or 'never'}")
    found += crew.differences(wanted.workers, state.live_record.get("workers") or [])
    found += limits.differences(wanted.limits, state.live_record.get("limits") or {})
    return found or _rewritten(wanted, state.live, state, kinds.of(wanted.stage, host, state.paths, wanted.manager))


def _rewritten(wanted: Part, live: str, state: ActState, stage: Stage) -> list[str]:
    """Return the files of the live Sess that were changed by hand."""
    root = state.paths.sess(live).root
    texts = {os.path.join(root, name): file and file.text for name, file in stage.files(wanted, live).items()}
    texts.update(stage.beside(wanted, live))
    texts.update(Crew(stage.host, state.paths, live).texts(wanted))
    return [os.path.basename(path) for path, text in texts.items() if files.read(path) != text]


def plan_sweep(state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> list[Change]:
    """Return the removals of Sesses that are not live, except those whose workers still finish their jobs."""
    name = state.paths.name
    stays = {state.live, standbys.of(state) if standbys.is_kept(state) else None}
    left = [sess for sess in sorted(state.all_sesses - stays) if not Crew(host, state.paths, sess).is_draining()]
    return [
        Change(Step("sess", name, "sweep", sess), Phase.CLEAR, name, partial(_sweep, sess, state, host, warn, front))
        for sess in left
    ]


def _sweep(sess: str, state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> None:
    crossings.close_left(sess, state, host, front)
    end(sess, state, host, warn)


def _play(want: Want, state: ActState, host: Host, warn: Callable[[str], None], front: Front) -> None:
    from ..acts import finish

    wanted = part(want, state, host)
    if wanted is None:
        raise BackstageError("there is no sealed release to play", step="play")
    old = state.live
    differences = partial(_differences, want, host=host)
    warm = standbys.take(wanted.release, state, host, differences, want.act.act.keep_releases) if want.back else ""
    sess = warm or _begin(want, wanted, state, host, warn)
    marks = {path: files.read(path) for path in (state.paths.hold, state.paths.stopped)}
    if want.hold:
        files.write(state.paths.hold, files.to_json(want.hold), 0o600)
    files.remove(state.paths.stopped)
    try:
        _switch(want, sess, state, host, front)
        front.ask(want.act.act)
    except BackstageError:
        for path, text in marks.items():
            if text is None:
                files.remove(path)
            else:
                files.write(path, text, 0o600)
        _go_back(old, sess, state, host, warn, front)
        raise
    because = {"because": f"rolled back from {(old or '').split('.')[0]}"} if want.hold else {}
    state.history.add("played", release=wanted.release, sess=sess, **because)
    if want.hold:
        state.history.add("held", release=want.hold["release"])
    if old:
        Crossing(old, sess, state, host).close()
        _leave(old, want, state, host, warn)
    state.live_record = files.read_json(state.paths.sess(sess).record) or {}
    state.live_env = wanted.variables
    act, code = want.act.act, state.paths.release(wanted.release).code
    sealed = databases.sealed(state.releases[wanted.release], code, finish.base(code, act), act.writable)
    if sealed:
        warn(f"act {act.name}: its database '{sealed}' lies in the code, and can't be written: name it in 'writable'")


def _leave(old: str, want: Want, state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """End the Sess that played before, or let it stand by. There is one standby."""
    standby, new = standbys.of(state), Crew(host, state.paths, state.live or "")
    if standby:
        end(standby, state, host, warn, wait=False)
    elif state.standby and new.known():  # it is live again
        new.resume()
    standbys.forget(state.live or "", state)
    is_vassal = stage_kinds.is_vassal((files.read_json(state.paths.sess(old).record) or {}).get("stage", FIRST))
    if want.sess.standby and is_vassal and not want.back and old.split(".", maxsplit=1)[0] != want.act.play:
        standbys.keep(old, want.sess.standby, state, host, warn)
    else:
        # the files of its release may be removed at the end of this run
        end(old, state, host, warn, wait=want.act.act.keep_releases == 1)


def _begin(want: Want, wanted: Part, state: ActState, host: Host, warn: Callable[[str], None]) -> str:
    """Start a Sess, pass it through the gate and start its workers. Then those of the old one take no more jobs.

    Raises:
        BackstageError: it or a worker did not start. It was removed, and the old workers run on.
    """
    from .starts import start

    sess = start(want.act, wanted, state, host, warn)
    new = Crew(host, state.paths, sess)
    if new.known():
        run_log.phase(state.paths.name, "workers")
    try:
        new.begin(want.act.act.health.timeout)
        if state.live:
            Crew(host, state.paths, state.live).hand_over()
    except caller.Abandoned:  # nobody waits until the workers have finished their jobs: the next run removes the Sess
        new.tell(crew.DRAIN)
        kinds.of_left(sess, state, host).stop(sess, 0.5)
        raise
    except BackstageError:
        end(sess, state, host, warn)
        raise
    return sess


def _switch(want: Want, sess: str, state: ActState, host: Host, front: Front) -> None:
    """Have nginx lead visitors to the new Sess. If its door speaks another protocol, nginx needs another text."""
    run_log.phase(state.paths.name, "switch")
    if state.live:
        crossing = Crossing(state.live, sess, state, host)
        if crossing.is_needed:
            crossing.open()
            front.lead(state.paths.name, want.act.play, want.act.address.path, crossing.other.protocol)
    files.link(state.paths.live, os.path.join("sesses", sess))
    state.live = sess


def _go_back(
    old: Optional[str], new: str, state: ActState, host: Host, warn: Callable[[str], None], front: Front
) -> None:
    if old:
        files.link(state.paths.live, os.path.join("sesses", old))
        Crew(host, state.paths, old).tell(crew.RUN)
    else:
        files.remove(state.paths.live)
    state.live = old
    crossings.close_left(new, state, host, front)
    end(new, state, host, warn)


def end(sess: str, state: ActState, host: Host, warn: Callable[[str], None], wait: bool = True) -> None:
    """Drain a Sess that nginx no longer uses, stop it, and remove its directory.

    Args:
        sess: its id.
        state: its Act on disk.
        host: the host's facts.
        warn: takes warnings.
        wait: whether to wait until its last process has ended. Otherwise its runner ends it once it answers nothing,
            and workers that take long are left to a later run.
    """
    from . import leftovers

    own = Crew(host, state.paths, sess)
    run_log.phase(state.paths.name, "drain")
    own.tell(crew.DRAIN)
    stage, record = kinds.of_left(sess, state, host), files.read_json(state.paths.sess(sess).record) or {}
    timeout = record.get("timeout", host.longest_request)
    if stage.is_started(sess):
        idle = stage.idle(sess, timeout + 5)
        if not idle:
            warn(f"act {state.paths.name}: Sess {sess} was still answering after {timeout + 5} s and was stopped")
        stage.stop(sess, None if idle and not wait else timeout + 15)
    if not own.end(wait):
        left = ", ".join(own.working())
        warn(f"act {state.paths.name}: workers of Sess {sess} still finish their jobs ({left}); a later run removes it")
        return
    leftovers.kill(sess, state, host, warn)
    files.remove_tree(state.paths.sess(sess).root)
    standbys.forget(sess, state)


def stop_all(state: ActState, host: Host, warn: Callable[[str], None]) -> None:
    """Stop everything that plays for an Act. nginx loses the door first, and open requests are finished."""
    files.remove(state.paths.live)
    for sess in sorted({*state.all_sesses, *([state.live] if state.live else [])}):
        end(sess, state, host, warn)
    if state.live:
        state.history.add("stopped", sess=state.live)
    state.live = None
