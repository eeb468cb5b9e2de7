# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Act answers to Backstage itself: a roll call of real processes, and the proof of who answers."""

from __future__ import annotations

import hmac
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "roles" / "stage" / "files"))

import backstage_questions
from backstage_questions import Asked

TOKEN = "t" * 32
PLAIN = ("200 OK", [("A", "b")], b"purr")


def purr(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    assert not [name for name in environ if "BACKSTAGE" in name], "the Act does not see what it is asked"
    start_response("200 OK", [("A", "b")])
    return [b"purr"]


def ask(asked: Asked, **variables: str) -> tuple[str, list[tuple[str, str]], bytes]:
    started: list[Any] = []
    body = b"".join(asked({"PATH_INFO": "/", **variables}, lambda *given: started.extend(given)))
    return started[0], started[1], body


def question(word: str, token: str = TOKEN, what: str = "question") -> str:
    return hmac.new(token.encode(), f"{what}:{word}".encode(), "sha256").hexdigest()


PROOFS = [
    # (the Sess's token, what is asked, whether it is answered)
    (TOKEN, "w." + question("w"), True),
    (TOKEN, "w." + question("v"), False),
    (TOKEN, "w." + question("w", "u" * 32), False),
    (TOKEN, "w." + question("w", what="answer"), False),
    (TOKEN, "w", False),
    (TOKEN, "", False),
    (TOKEN, "\u00e4.\u00e4", False),
    ("", "w." + question("w", ""), False),
]


@pytest.mark.parametrize(("token", "asked_for", "answered"), PROOFS)
def test_only_who_knows_the_token_is_answered(token: str, asked_for: str, answered: bool) -> None:
    proof = [("X-Backstage-Answer", question("w", what="answer"))] if answered else []
    assert ask(Asked(purr, token), HTTP_X_BACKSTAGE_QUESTION=asked_for) == ("200 OK", [("A", "b"), *proof], b"purr")


def test_visitors_see_nothing() -> None:
    assert ask(Asked(purr, TOKEN)) == PLAIN


def in_worker(asked: Asked, worker: int, requests: int, call: str) -> int:
    """Fork a worker that answers as many requests at once; its exit code is how many of them ran the page."""
    pid = os.fork()
    if pid:
        return pid
    sys.modules["uwsgi"] = SimpleNamespace(worker_id=lambda: worker)  # type: ignore[assignment]
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(asked, BACKSTAGE_ROLL_CALL=call))) for _one in range(requests)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {dict(headers)["X-Backstage-Worker"] for _status, headers, _body in found}
    again = [status for status, headers, _body in found if ("X-Backstage-Again", "1") in headers]
    good = names == {str(worker)} and set(again) <= {"204 No Content"} and len(found) == requests
    os._exit(len(found) - len(again) if good else 99)


def ended(pids: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def test_each_worker_runs_the_page_once() -> None:
    asked = Asked(purr, TOKEN, workers=3)
    for number in (7, 8):
        call = f"{number} {time.monotonic() + 100}"
        assert ended([in_worker(asked, worker, 4, call) for worker in (1, 2, 3)]) == [1, 1, 1]


def test_a_worker_waits_for_the_others() -> None:
    """Else it would take the request that is another one's."""
    asked = Asked(purr, TOKEN, workers=2)
    call = f"7 {time.monotonic() + 100}"
    first = in_worker(asked, 1, 1, call)
    time.sleep(0.2)
    assert os.waitpid(first, os.WNOHANG) == (0, 0)
    second = in_worker(asked, 2, 1, call)
    assert ended([first, second]) == [1, 1]


def test_a_worker_that_is_missing_is_not_waited_for_for_ever() -> None:
    asked = Asked(purr, TOKEN, workers=2)
    start = time.monotonic()
    assert ended([in_worker(asked, 1, 2, f"7 {start + 0.3}")]) == [1]
    assert 0.3 <= time.monotonic() - start < 60


def test_without_uwsgi_there_is_one_worker() -> None:
    assert (backstage_questions.worker_id(), backstage_questions.worker_count()) == (1, 1)
    status, headers, body = ask(Asked(purr, ""), BACKSTAGE_ROLL_CALL=f"7 {time.monotonic() + 100}")
    assert (status, headers, body) == ("200 OK", [("A", "b"), ("X-Backstage-Worker", "1")], b"purr")
