# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real project spends while it is imported, in an amount that is known: about one second with Django itself.

A large project's import is partly computing (compiling regular expressions, building model classes, bytecode) and
partly waiting (files from a cold disk, a look at a remote service). Computing competes with the live workers for the
CPU, waiting does not, and a deployer must survive both: 0.4 s of CPU time, however long that takes beside a saturating
load, and 0.3 s of sleep. Django's own import and start is the rest. ENCORE_REHEARSAL=0 leaves it out: for benchmarks
that want many Acts, not slow ones.
"""

import hashlib
import os
import time

COMPUTING = 0.4
WAITING = 0.3


def rehearse(share: float) -> int:
    """Compute for this share of COMPUTING (CPU time of this thread) and wait for that of WAITING."""
    end = time.thread_time() + COMPUTING * share
    rounds = 0
    while time.thread_time() < end:
        hashlib.pbkdf2_hmac("sha256", b"encore", b"encore", 1000)
        rounds += 1
    time.sleep(WAITING * share)
    return rounds


rehearse(float(os.environ.get("ENCORE_REHEARSAL", "1")))
