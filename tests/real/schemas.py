"""The kinds of a release of Kubernetes as its published module has them, strictly: a field that the release does not know is
an error. An API server of that release is not run: the oldest one's module lacks generated files, so it does not build."""

import json
import subprocess
from pathlib import Path

import jsonschema

MODULE = "k8s.io/kubernetes"
DOWNLOAD_SECONDS = 600


class Schemas:
    def __init__(self, version):
        name = f"{MODULE}@v{version}"
        done = subprocess.run(["go", "mod", "download", "-json", name], capture_output=True, check=True, timeout=DOWNLOAD_SECONDS)
        path = Path(json.loads(done.stdout)["Dir"]) / "api" / "openapi-spec" / "swagger.json"
        self.definitions = {key: strict(one) for key, one in json.loads(path.read_text())["definitions"].items()}
        self.names = {
            (f"{kind['group']}/{kind['version']}".lstrip("/"), kind["kind"]): key
            for key, one in self.definitions.items()
            for kind in one.get("x-kubernetes-group-version-kind", [])
        }

    def errors(self, one):
        """What of an object the release does not take; the kind has to be one of its own."""
        name = self.names[one["apiVersion"], one["kind"]]
        schema = {"$ref": f"#/definitions/{name}", "definitions": self.definitions}
        return [f"{'/'.join(map(str, each.path))}: {each.message}" for each in jsonschema.Draft7Validator(schema).iter_errors(one)]


def strict(schema):
    """With what OpenAPI says in other words than JSON schemas, and without fields that are not named."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(one) for key, one in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object" and "additionalProperties" not in made:
        made["additionalProperties"] = False
    if made.get("format") == "int-or-string":
        made["type"] = ["string", "integer"]
    elif made.get("type") == "string" and str(made.get("description", "")).startswith("Quantity is"):
        made["type"] = ["string", "number"]
    return made
