#!/usr/bin/env python3
"""The software bill of materials as SPDX 2.3: sbom.py BINARY FILE. Lists the program and the Debian packages of the
libraries that it links or loads, with their versions. The same inputs give the same bytes (SOURCE_DATE_EPOCH)."""

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

LOADED = ("librdkafka.so.1", "libsnappy.so.1")  # by dlopen, when they are used


def said(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout


def libraries(binary):
    cache = said("/sbin/ldconfig", "-p")
    found = {match for match in re.findall(r"=> (/\S+) ", said("ldd", binary))}
    for name in LOADED:
        for path in re.findall(rf"{re.escape(name)} .*=> (\S+)", cache)[:1]:
            found |= {path, *re.findall(r"=> (/\S+) ", said("ldd", path))}
    return sorted(found)


def packages_of(paths):
    """{(name, version, source, architecture)} of the packages that have the files; merged /usr has them under either name."""
    variants = {}
    for path in paths:
        resolved = os.path.realpath(path)
        for name in (path, resolved, resolved.removeprefix("/usr"), "/usr" + resolved):
            variants[name] = path
    found = subprocess.run(["dpkg-query", "-S", *variants], capture_output=True, text=True, check=False).stdout
    owners = {}
    for line in found.splitlines():
        package, _, file = line.rpartition(": ")
        if file in variants:
            owners[variants[file]] = package.split(",")[0]
    missing = set(paths) - set(owners)
    if missing:
        raise SystemExit(f"sbom.py: of no package: {', '.join(sorted(missing))}")
    form = "${Package}|${Version}|${source:Package}|${Architecture}\\n"
    return {tuple(line.split("|")) for line in said("dpkg-query", "-Wf", form, *sorted(set(owners.values()))).splitlines()}


def element(name, version, **more):
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        **more,
    }


def document(binary):
    version = said(binary, "version").split()[-1]
    made = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), timezone.utc)
    digest = hashlib.sha256(Path(binary).read_bytes()).hexdigest()
    program = element(
        "holdfast",
        version,
        licenseDeclared="Apache-2.0",
        primaryPackagePurpose="APPLICATION",
        checksums=[{"algorithm": "SHA256", "checksumValue": digest}],
        externalRefs=[
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": f"pkg:generic/holdfast@{version}",
            }
        ],
    )
    parts = [
        element(
            name,
            number,
            supplier="Organization: Debian",
            primaryPackagePurpose="LIBRARY",
            sourceInfo=f"built from the Debian source package {source}",
            externalRefs=[
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": f"pkg:deb/debian/{name}@{number}?arch={architecture}",
                }
            ],
        )
        for name, number, source, architecture in sorted(packages_of(libraries(binary)))
    ]
    depends = [
        {"spdxElementId": program["SPDXID"], "relationshipType": "DEPENDS_ON", "relatedSpdxElement": one["SPDXID"]}
        for one in parts
    ]
    describes = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": program["SPDXID"],
    }
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"holdfast-{version}",
        "documentNamespace": f"https://holdfast.dev/spdx/holdfast-{version}-{digest[:16]}",
        "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: holdfast-sbom"]},
        "packages": [program, *parts],
        "relationships": [describes, *depends],
    }


def main():
    binary, file = sys.argv[1:]
    Path(file).write_text(json.dumps(document(binary), indent=1) + "\n")


if __name__ == "__main__":
    main()
