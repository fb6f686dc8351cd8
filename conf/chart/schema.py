#!/usr/bin/env python3
"""The components and their keys in the schema of the chart's values: `schema.py HOLDFAST` writes those of that program into
charts/holdfast/values.schema.json, `schema.py --print HOLDFAST` prints the file as it should be."""

import json
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "charts" / "holdfast" / "values.schema.json"
SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")
TEMPLATE = r"\{\{"  # an id or a key that a template makes


def of_component(definition):
    """Its keys, but not their values: these may be templates, and Holdfast checks them."""
    keys = "|".join(sorted(definition.get("properties", {})))
    return {"type": ["object", "string", "null"], "propertyNames": {"pattern": f"^({keys})$|{TEMPLATE}"}}


def of_section(whole, section):
    found = {}
    for name, one in whole["properties"][section]["properties"].items():
        found[f"^{name}(/.+)?$"] = of_component(whole["$defs"][one["$ref"].split("/")[-1]])
    patterns = {**dict(sorted(found.items())), TEMPLATE: {}}
    return {"type": ["object", "null"], "patternProperties": patterns, "additionalProperties": False}


def schema(program):
    made = json.loads(FILE.read_text())
    done = subprocess.run([program, "schema"], capture_output=True, check=True, timeout=60)
    whole = json.loads(done.stdout)
    made["definitions"] = {section: of_section(whole, section) for section in SECTIONS}
    references = {section: {"$ref": f"#/definitions/{section}"} for section in SECTIONS}
    for name in ("config", "alternateConfig"):
        parts = {**references, "service": {"type": ["object", "null"]}}
        made["properties"][name] = {"type": "object", "properties": parts, "additionalProperties": False}
    return json.dumps(made, indent=2) + "\n"


def main(arguments):
    if arguments[:1] == ["--print"] and len(arguments) == 2:
        sys.stdout.write(schema(arguments[1]))
    elif len(arguments) == 1:
        FILE.write_text(schema(arguments[0]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
