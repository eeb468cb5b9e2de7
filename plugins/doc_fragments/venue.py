# Copyright (c) 2026, Backstage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # A Venue's keys: options of backstage_venue, and suboptions of backstage_production by the fragment "manifest".
    DOCUMENTATION = r"""
options:
  name:
    type: str
    required: true
    description: Its host name, in lower case and ASCII form.
  aliases:
    type: list
    elements: str
    description: Host names that redirect to its name.
  tls:
    type: dict
    description: How it is encrypted.
    suboptions:
      mode:
        type: str
        choices: [none, selfsigned, files]
        description:
          - V(none) is plain HTTP. With the others, visitors are led to HTTPS.
          - With V(selfsigned), the host makes a certificate that no browser trusts by itself. With V(files), you give
            it as C(certificate) and C(key).
          - A change of it is a switch of the Acts that play there, because it changes C(BACKSTAGE_ORIGINS).
          - Defaults to V(none).
      certificate:
        type: str
        description:
          - The PEM text of the certificate, followed by those of its chain. It is for the name and all aliases.
          - A certificate that nginx or visitors would refuse is refused, and the one in use stays.
      key:
        type: str
        description: The PEM text of its key, without a password.
      hsts:
        type: int
        description:
          - The days for which browsers that were here come by HTTPS alone, 1 to 730. nginx says so in every answer, in
            place of the Act. They can't come back to HTTP before.
          - More than 60 is refused until HTTPS with a trusted certificate has been used.
          - Defaults to V(0), with which nginx says nothing.
  state:
    type: str
    choices: [open, closed, absent]
    description:
      - V(closed) answers every request with a page that says so, with status 503 and C(Retry-After). What plays there
        goes on playing.
      - Defaults to V(open).
  auth:
    type: dict
    description: Who has to give a password before anything is shown. The Act never hears of it.
    suboptions:
      users:
        type: dict
        description:
          - The hash of each user's password, as C(openssl passwd -6) prints one.
          - nginx computes it at every request, so what takes long is refused, such as bcrypt with a cost above 8.
      realm:
        type: str
        description: What a browser says the password is for. Defaults to the Venue's name.
  allow:
    type: list
    elements: str
    description: Addresses and networks that are let in; with it, nobody else is.
  deny:
    type: list
    elements: str
    description: Addresses and networks that are kept out, also where V(allow) has them.
  rate:
    type: dict
    description: How many requests one address may send to the Acts. What is more is answered 429.
    suboptions:
      requests:
        type: str
        description: Such as V(5/s) or V(100/m).
      burst:
        type: int
        description: How many more may come at once. Defaults to V(0).
  upload:
    type: str
    description: The largest body of a request, such as V(100k), V(10m) or V(2g). Defaults to V(10m).
  proxies:
    type: dict
    description: Balancers, or a CDN, in front, whose word on the visitor's address is believed.
    suboptions:
      addresses:
        type: list
        elements: str
        description: Their addresses and networks.
      header:
        type: str
        description: The header in which they name it. Defaults to V(X-Forwarded-For).
"""

    # Only a whole manifest knows hosts, and where its names point.
    DNS = r"""
options:
  dns:
    type: bool
    description:
      - Whether its names point at its hosts by the Production's own name servers, where there are any.
      - Defaults to V(true).
"""
