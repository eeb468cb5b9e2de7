# SPDX-License-Identifier: GPL-3.0-or-later
"""A child's output in little memory, and the end of a child that has reported (real children)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.backstage.django.plugins.module_utils.host import pipes, process

from ...conftest import importing

PYTHON = "/usr/bin/python3"
TAILS = [
    # (chunks, kept bytes, text)
    ([b"a\n", b"b\n"], 4, "a\nb\n"),
    ([b"secret of a line\n", b"the next\n"], 12, "[17 bytes were left out here]\nthe next\n"),
    ([b"x" * 100, b"y" * 100, b"z" * 9000], 5000, "[8,296 bytes were left out here]\n" + "z" * 904),
    ([b"\xff\xe4\n"], 9, "\ufffd\ufffd\n"),
    ([], 9, ""),
]


@pytest.mark.parametrize(("chunks", "keep", "text"), TAILS)
def test_a_tail(chunks: list[bytes], keep: int, text: str) -> None:
    tail = pipes.Tail(keep)
    for chunk in chunks:
        tail.add(chunk)
    assert tail.text() == text


MEASURE = """
import resource, sys
from ansible_collections.backstage.django.plugins.module_utils.host import process
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
program = "import sys\\nfor n in range(8000): sys.stdout.write('%07d' % n + 'x' * 65527 + chr(10))\\nprint('the end')"
result = process.run(["/usr/bin/python3", "-c", program])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, len(result.out), result.out.splitlines()[0])
print(result.out.splitlines()[-1])
"""


def test_much_output_costs_little_memory() -> None:
    """500 MB of a build's output."""
    done = subprocess.run([sys.executable, "-c", MEASURE], env=importing(), capture_output=True, text=True, check=True)
    figures, end = done.stdout.splitlines()
    kilobytes, length, note = figures.split(" ", 2)
    assert int(kilobytes) < 8 * 1024, f"{kilobytes} kB more"
    assert int(length) < pipes.KEPT + 100
    assert note.endswith(" bytes were left out here]")
    assert end == "the end"


def test_what_a_child_reads_may_be_more_than_a_pipe_holds() -> None:
    text = "purr\n" * 100_000
    assert process.run(["cat"], stdin=text, keep=1 << 20).out == text
    assert process.run(["true"], stdin=text).code == 0


REPORTS = "import os, sys, {more}; fd = int(sys.argv[1]); os.write(fd, b'answer'); os.close(fd); {then}"


def test_a_child_that_has_reported_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "END", 0.5)
    program = REPORTS.format(more="time", then="print('before', flush=True); time.sleep(60)")
    began = time.monotonic()
    result = process.run([PYTHON, "-c", program], report=100)
    assert time.monotonic() - began < 50
    assert (result.out, result.err, result.code, result.late) == ("answer", "before\n", -9, False)


def test_a_report_that_is_too_long() -> None:
    program = "import os, sys; os.write(int(sys.argv[1]), b'x' * 60000)"
    result = process.run([PYTHON, "-c", program], report=100)
    assert result.left_out >= 60000 - 100


def test_no_output_at_all_and_a_child_that_goes_on(tmp_path: Path) -> None:
    """Whoever closes its streams is waited for."""
    program = f"exec >&- 2>&- <&-; sleep 0.5; touch {tmp_path}/done"
    assert process.run(["sh", "-c", program]).ok
    assert (tmp_path / "done").exists()
    assert process.run(["sh", "-c", "exec >&- 2>&- <&-; sleep 60"], timeout=0.5).late
