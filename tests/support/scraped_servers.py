"""What the tests of receivers that scrape a server share: a configuration, and the last scrape as rows."""

import re

from .holdfast import otlphttp_exporter
from .scraped import rows
from .waiting import until

SCOPE = "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/"


def scraping(backend, kind, *, also=None, **keys):
    """A receiver that scrapes quickly, and `also` more receivers, all to the backend."""
    receivers = {kind: {"collection_interval": "200ms", "initial_delay": "10ms", **keys}, **(also or {})}
    return {
        "receivers": receivers,
        "exporters": {"otlphttp": otlphttp_exporter(backend, sending_queue={"num_consumers": 1})},
        "service": {"pipelines": {"metrics": {"receivers": list(receivers), "exporters": ["otlphttp"]}}},
    }


def switched(names, on=True):
    return {name: {"enabled": on} for name in names}


def scrape(backend, holds=lambda found: True, what="no scrape came"):
    """The rows of the first scrape from now on for which `holds` is true."""
    begin = len(backend.accepted())

    def look():
        for request in backend.accepted()[begin:]:
            found = rows(request.message)
            if found and holds(found):
                return found
        return None

    return until(look, lambda: what() if callable(what) else what)


def shapes(found):
    """{metric: (unit, kind, type of the value, names of its attributes)}; a monotonic sum is a counter."""
    return {
        row["name"]: (
            row["unit"],
            "counter" if row["monotonic"] else row["kind"],
            type(row["value"]).__name__,
            tuple(sorted(row["attributes"])),
        )
        for row in found
    }


def values(found, name):
    """{values of the attributes: value} of a metric."""
    return {tuple(value for _, value in sorted(row["attributes"].items())): row["value"] for row in found if row["name"] == name}


def complaints(instance, pattern):
    return [line for line in instance.log().splitlines() if re.search(pattern, line)]
