"""The JSON Schema that `holdfast schema` prints, as jsonschema applies it to a configuration's text."""

import functools
import json
import re
import subprocess

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """Scalars as YAML 1.2 and Holdfast read them: yes and dates are text."""


Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile("^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def load(text):
    """The text as JSON would have it: keys are texts."""
    return _with_text_keys(yaml.load(text, Loader) or {})


def _with_text_keys(value):
    if isinstance(value, dict):
        return {str(key): _with_text_keys(inner) for key, inner in value.items()}
    return [_with_text_keys(inner) for inner in value] if isinstance(value, list) else value


def merged(base, over):
    """As sources are merged: maps key by key, the rest is replaced; "a::b" is b within a."""
    result = dict(base)
    for key, value in over.items():
        first, more, rest = key.partition("::")
        if more:
            value = {rest: value}
        if isinstance(value, dict):
            old = result.get(first)
            value = merged(old if isinstance(old, dict) else {}, value)
        result[first] = value
    return result


@functools.cache
def of(binary):
    """The schema of that program."""
    done = subprocess.run([binary, "schema"], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


@functools.cache
def _validator(binary):
    return jsonschema.Draft202012Validator(of(binary))


def problems(binary, configuration):
    """[(path, sentence)] of what the schema does not allow; the path is joined by "::"."""
    return [
        ("::".join(map(str, error.absolute_path)), error.message)
        for error in _validator(binary).iter_errors(configuration)
    ]
