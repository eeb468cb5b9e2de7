# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs from one release to the next."""

EDITION = "one"
