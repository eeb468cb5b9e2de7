# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the first page of a Venue as this host's nginx answers it: page.py HOST-NAME."""

from __future__ import annotations

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", timeout=30)
connection.request("GET", "/", headers={"Host": sys.argv[1]})
answer = connection.getresponse()
if answer.status != 200:
    sys.exit(f"http://{sys.argv[1]}/ answered {answer.status}")
print(answer.read().decode())
