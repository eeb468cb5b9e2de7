# SPDX-License-Identifier: GPL-3.0-or-later
"""Who answers: the Sess that knows the token, or somebody else."""

from __future__ import annotations

import pytest
from ansible_collections.backstage.django.plugins.module_utils.stages import proofs
from ansible_collections.backstage.django.plugins.module_utils.stages.pages import Answer
from ansible_collections.backstage.django.plugins.module_utils.stages.proofs import Question

from ...emperors import Asked, purr_to_all
from ...house import KITTENS, A, House, wanted

TOKEN = "t" * 32
WORD = "w" * 32
PROOF = Asked(purr_to_all, TOKEN).proof(Question(TOKEN, WORD).header)[0][1]

ANSWERS = [
    # (the token that is known, the status, the proof, whether somebody else answered)
    (TOKEN, 200, PROOF, False),
    (TOKEN, 500, PROOF, False),
    (TOKEN, 200, "", True),
    (TOKEN, 200, PROOF[:-1], True),
    (TOKEN, 200, "\u00e4", True),
    (TOKEN, 404, "", True),
    (TOKEN, 502, "", False),
    ("u" * 32, 200, PROOF, True),
    ("", 200, "", False),
]


@pytest.mark.parametrize(("token", "status", "proof", "foreign"), ANSWERS)
def test_is_foreign(token: str, status: int, proof: str, foreign: bool) -> None:
    answer = Answer(status, headers=(("x-backstage-answer", proof),) if proof else ())
    assert Question(token, WORD).is_foreign(answer) is foreign


def test_tokens_and_words_are_used_once() -> None:
    assert len({proofs.new(), proofs.new(), Question(TOKEN).word, Question(TOKEN).word}) == 4
    assert len(proofs.new()) == 32


def test_the_token_of_what_plays(house: House) -> None:
    assert proofs.token(house.act()) == ""
    house.build(A)
    house.play(wanted(KITTENS, play=A))
    assert proofs.token(house.act()) == "", "a Sess from before there were tokens"
