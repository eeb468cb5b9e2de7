# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what deploys would have left of many Acts on a host, without building or starting any of them.

Takes the options of backstage_production. One Act of the Production was deployed in earnest: the others get copies of
its records, with their own names, ids, variables and files. It fails where a deploy would still find something to do.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.backstage.django.plugins.module_utils.acts import manager as acts
from ansible_collections.backstage.django.plugins.module_utils.bookings import nginx, server_block
from ansible_collections.backstage.django.plugins.module_utils.bookings.manager import Bookings
from ansible_collections.backstage.django.plugins.module_utils.host import files, names, process
from ansible_collections.backstage.django.plugins.module_utils.manifest import spec
from ansible_collections.backstage.django.plugins.module_utils.manifest.nouns import summary
from ansible_collections.backstage.django.plugins.module_utils.productions import options as orders
from ansible_collections.backstage.django.plugins.module_utils.productions.manager import check
from ansible_collections.backstage.django.plugins.module_utils.productions.order import Order
from ansible_collections.backstage.django.plugins.module_utils.productions.planner import Planner
from ansible_collections.backstage.django.plugins.module_utils.stages import kinds, sess_files, wants
from ansible_collections.backstage.django.plugins.module_utils.state.read import ActState, read

FIRST_ID = 200000
"""Of the users: Debian's range for those of the system has room for some 450 Acts."""
EVENTS = ("built", "migrated", "started", "played")


def add_users(planner: Planner, wanted: list[acts.Want]) -> None:
    """A line each in the files of users and groups: useradd takes minutes for thousands."""
    production, lines = planner.paths.name, dict[str, list[str]]()
    taken = (files.read("/etc/passwd") or "").count(f":{FIRST_ID // 1000}")
    for number, want in enumerate(wanted):
        act = want.act.name
        builder, player = names.builder(production, act), names.player(production, act)
        data = planner.paths.act(act).data
        for place, (name, home) in enumerate(((builder, "/nonexistent"), (player, data))):
            own = FIRST_ID + 2 * (taken + number) + place
            what = f"Backstage {production} {act} {'player' if place else 'builder'}"
            lines.setdefault("/etc/passwd", []).append(f"{name}:x:{own}:{own}:{what}:{home}:/usr/sbin/nologin")
            lines.setdefault("/etc/group", []).append(f"{name}:x:{own}:{'' if place else player}")
            lines.setdefault("/etc/shadow", []).append(f"{name}:!:20000::::::")
            lines.setdefault("/etc/gshadow", []).append(f"{name}:!::{'' if place else player}")
    for path, more in lines.items():
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n".join(more) + "\n")


def fake_release(want: acts.Want, state: ActState, genuine: ActState) -> None:
    """The Act's directories, its record, and its sealed release, with empty code."""
    paths, release = state.paths, state.paths.release(want.release)
    acts.prepare(paths)
    gid = os.stat(paths.data).st_gid
    files.directory(release.root, 0o711)
    files.directory(release.code, 0o750, 0, gid)
    files.directory(release.static)
    record = {**genuine.releases[genuine.live_release or ""], "release": want.release, "inputs": want.inputs}
    record["act"] = summary(want.act)
    files.draft(release.seal, files.to_json(record), 0o640, gid)
    files.draft(paths.record, files.to_json(acts.record_of(want)), 0o600)
    state.releases[want.release] = record


def fake_sess(want: wants.Want, state: ActState, planner: Planner, genuine: ActState) -> None:
    """The Sess's directory, its links, and its history; nobody starts it where no emperor runs."""
    paths, part = state.paths, wants.part(want, state, planner.host)
    if part is None:
        raise ValueError(f"{want.act.release} is no release of {paths.name}")
    stage, sess = kinds.of(part.stage, planner.host, paths), state.next_sess(part.release)
    sess_files.make_log(state)
    player = process.User.named(names.player(paths.production.name, paths.name))
    sess_files.write(stage, part, sess, state, player, want.act.act.keep_releases)
    os.symlink(os.path.join("sesses", sess), paths.live)
    for path, target in stage.links(sess).items():
        os.symlink(target, path)
    known = {line["event"]: line for line in genuine.history.events if line["event"] in EVENTS}
    own: dict[str, Any] = {"release": part.release}
    lines = [{**line, **own, **({"sess": sess} if "sess" in line else {})} for line in known.values()]
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    files.draft(paths.history, text, 0o600)


def fake_venues(order: Order, planner: Planner) -> None:
    """The files of nginx, which reads them."""
    bookings = Bookings(order.manifest, read(planner.paths.name, planner.host), planner.host)
    for name, found in bookings._differing().items():
        nginx.make_log(server_block.access_log(planner.paths.name, name))
        files.draft(bookings._path(name), found.text if found else "", 0o644)
    nginx.reload()


def fake(order: Order) -> int:
    """Fake what is missing; how many Acts that was."""
    planner = Planner(order, planning=True)
    genuine = next(state for state in planner.state.acts.values() if state.live and state.releases)
    wanted = [planner.want(name) for name in order.manifest.acts if not planner.state.act(name).record]
    add_users(planner, wanted)
    for want in wanted:
        state = planner.state.act(want.act.name)
        fake_release(want, state, genuine)
        fake_sess(wants.Want(order.manifest.sesses[want.act.name], want), state, planner, genuine)
    fake_venues(order, planner)
    return len(wanted)


def main() -> None:
    module = AnsibleModule(argument_spec=spec.production())
    known = module.params["act_defaults"]["source"]["version"]
    module.params["resolved"] = {act["name"]: {"content": known, "label": known} for act in module.params["acts"]}
    order = orders.for_production(module.params)
    faked = fake(order)
    left = check(order)
    if left.steps or left.missing or left.errors:
        said = [step.entry() for step in left.steps[:5]] + left.missing[:5] + [str(error) for error in left.errors[:5]]
        module.fail_json(msg=f"a deploy would do {len(left.steps)} steps: {json.dumps(said)}")
    module.exit_json(changed=bool(faked), faked=faked)


if __name__ == "__main__":
    main()
