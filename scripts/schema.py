# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the JSON Schema of the manifest, made from the documentation of backstage_production's options.

Editors complete and check a Production's variables with it. `make schema` writes it to docs/manifest.schema.json.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from ansible_collections.backstage.django.plugins.doc_fragments import common, manifest
from ansible_collections.backstage.django.plugins.module_utils.producers import dns_specs
from ansible_collections.backstage.django.plugins.modules.backstage_dns import DOCUMENTATION as DNS
from ansible_collections.backstage.django.plugins.modules.backstage_production import DOCUMENTATION
from ansible_collections.backstage.django.plugins.plugin_utils import variables

Schema = dict[str, Any]
Options = dict[str, dict[str, Any]]

DEFINITIONS: dict[str, Schema] = {
    "template": {"type": "string", "pattern": "{{|{%", "description": "What Ansible renders may stand for any value."},
    "text": {"type": ["string", "number"]},
}
TEMPLATE: Schema = {"$ref": "#/definitions/template"}
TEXT: Schema = {"$ref": "#/definitions/text"}
SCALARS: dict[str, Schema] = {
    "str": TEXT,
    "int": {"type": "integer"},
    # Ansible reads YAML 1.1, in which these words are booleans
    "bool": {"enum": [True, False, "yes", "no", "on", "off"]},
}
MARKUP = re.compile(r"\b[A-Z]\(([^)]*)\)")


def plain(description: Any) -> str:
    """Return a description without Ansible's markup."""
    lines = description if isinstance(description, list) else [description]
    return MARKUP.sub(r"\1", " ".join(" ".join(lines).split()))


def value(option: dict[str, Any]) -> Schema:
    """Return the schema of an option, or of one of its elements."""
    if "suboptions" in option and option.get("elements", "dict") == "dict":
        item = nouns(option["suboptions"])
    elif "choices" in option:
        item = {"enum": option["choices"]}
    else:
        item = SCALARS.get(option.get("elements") or option["type"], {"type": "object"})
    if option["type"] != "list":
        return item
    # Ansible splits a text at commas into a list
    either = [{"type": "array", "items": {"anyOf": [item, TEMPLATE]}}, {"type": "string"}]
    return either[0] if option["elements"] == "dict" else {"anyOf": either}


def nouns(options: Options) -> Schema:
    """Return the schema of a dictionary with exactly these keys."""
    found: Schema = {"type": "object", "additionalProperties": False, "properties": properties(options)}
    required = sorted(key for key, option in options.items() if option.get("required"))
    return {**found, "required": required} if required else found


def properties(options: Options) -> Schema:
    found: dict[str, Schema] = {}
    for key, option in options.items():
        own = value(option)
        # a text may be a template
        found[key] = {"description": plain(option["description"]), "anyOf": [own, *([TEMPLATE] if own != TEXT else [])]}
    return found


def dns() -> dict[str, Any]:
    """Return the variable backstage_dns as an option."""
    options = yaml.safe_load(DNS)["options"]
    return {
        "type": "dict",
        "description": "The zones in DNS to which the names of the Venues belong, and who answers for them.",
        "suboptions": {key: options[key] for key in dns_specs.variable()},
    }


def schema() -> Schema:
    options: Options = {
        **yaml.safe_load(common.ModuleDocFragment.DOCUMENTATION)["options"],
        **yaml.safe_load(DOCUMENTATION)["options"],
        **json.loads(manifest.ModuleDocFragment.DOCUMENTATION)["options"],
    }
    known = {variable: options[option] for option, variable in variables.OPTIONS.items()}
    known[variables.DNS] = dns()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A Production of backstage.django",
        "description": "The variables of an inventory that name what plays; other variables may stand beside them.",
        "type": "object",
        "properties": properties(known),
        "definitions": DEFINITIONS,
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
