#!/usr/bin/env python3
"""The container image, as an OCI archive, without a container runtime and without root: `./dev image`.

The root file system is the binary, the libraries that it links or loads, and the data files that these read, all of
them from the Debian packages of this machine. The same packages, binary and SOURCE_DATE_EPOCH give the same bytes.

    image.py [--arch ARCH] BINARY ARCHIVE
    image.py --root BINARY FOLDER   (the root file system alone, which the Dockerfile copies)

With --arch, of another architecture's packages, in the root of cross.py, whose variables it reads.
"""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
USER = 10001
ARCH = None  # another one than this machine's
TRIPLET = os.environ.get("CROSS_TRIPLET")
# Loaded by dlopen: the linker does not name them. src/kafka/library.c, src/journal/library.c, src/util/compress/snappy_library.c
LOADED = ("librdkafka.so.1", "libsystemd.so.0", "libsnappy.so.1")
# The names by which manifests, charts and the operator start a collector.
NAMES = ("holdfast", "otelcol", "otelcol-contrib", "otelcol-k8s")
CONFIGURATION = "etc/otelcol-contrib/config.yaml"
PORTS = (4317, 4318, 55679)
# Anyone may write there: a Pod chooses the user.
OPEN_FOLDERS = ("tmp", "var/lib/holdfast")
MOUNT_POINTS = ("dev", "proc", "sys", "run", "etc/ssl/certs")
DATA_PACKAGES = ("ca-certificates", "tzdata", "ncurses-base")
TEXTS = {
    "etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\nholdfast:x:{USER}:{USER}:holdfast:/:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nholdfast:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "usr/lib/ssl/cert.pem": "/etc/ssl/certs/ca-certificates.crt",
    "usr/lib/ssl/certs": "/etc/ssl/certs",
    "usr/lib/ssl/openssl.cnf": "/etc/ssl/openssl.cnf",
    **{name: "usr/bin/holdfast" for name in NAMES},
}


def output(*command):
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout


def needed(program):
    """The names that a program or library asks for itself, its loader's whole path among them."""
    text = output("readelf", "--dynamic", "--program-headers", "--wide", program)
    names = re.findall(r"\(NEEDED\)\s+Shared library: \[(\S+)\]", text)
    # The loader first: others ask for it by its name, but the kernel by its path.
    return re.findall(r"Requesting program interpreter: (\S+)\]", text) + names


def linked_for_another(program):
    """As linked(), for an architecture whose programs do not run here."""
    found, left = {}, [program]
    while left:
        for name in needed(left.pop()):
            path = name if name.startswith("/") else f"/{library_folder()}/{name}"
            if not os.path.exists(path):
                sys.exit(f"image: {program}: {name} is not in {path}")
            if name not in found and not any(os.path.realpath(one) == os.path.realpath(path) for one in found.values()):
                found[name] = path
                left.append(path)
    return found


def linked(program):
    """{name that is asked for: file} of all that a program or library links, directly or not."""
    if ARCH is not None:
        return linked_for_another(program)
    found = {}
    for line in output("ldd", program).splitlines():
        if "not found" in line:
            sys.exit(f"image: {program}: {line.strip()}")
        match = re.match(r"\s*(?:(\S+) => )?(/\S+) \(0x", line)
        if match:
            found[match.group(1) or match.group(2)] = match.group(2)
    return found


def library_folder():
    return "usr/lib/" + (TRIPLET or output("gcc", "-print-multiarch").strip())


def loaded_path(name):
    """Where a library is that no other asks for; None: it is not there."""
    if ARCH is not None:
        path = f"/{library_folder()}/{name}"
        return path if os.path.exists(path) else None
    match = re.search(rf"^\s*{re.escape(name)} .*=> (\S+)$", output("/sbin/ldconfig", "-p"), re.M)
    return match and match.group(1)


class Root:
    """The files of the image: {path: bytes, or a link's target, or None for a folder}, and where they are from."""

    def __init__(self, binary):
        self.entries = {}
        self.modes = {}
        self.sources = set()
        self.add_program(binary)
        self.add_encodings()
        self.add_trust()
        self.add_zones()
        self.add_terminals()
        self.add(CONFIGURATION, (HERE / "config.yaml").read_bytes())
        for path, text in TEXTS.items():
            self.add(path, text.encode())
        for path, target in LINKS.items():
            self.add(path, target)
        for path in MOUNT_POINTS:
            self.add(path, None)
        for path in OPEN_FOLDERS:
            self.add(path, None, 0o1777)
        self.add_packages()

    def add(self, path, content, mode=None):
        for parent in Path(path).parents:
            if str(parent) != ".":
                self.entries.setdefault(str(parent), None)
        self.entries[path] = content
        if mode is not None:
            self.modes[path] = mode

    def add_file(self, path, source, mode=None):
        self.sources.add(os.path.realpath(source))
        self.add(path, Path(source).read_bytes(), mode)

    def add_program(self, binary):
        with tempfile.TemporaryDirectory() as folder:
            stripped = Path(folder, "holdfast")
            subprocess.run([f"{TRIPLET}-strip" if TRIPLET else "strip", "--strip-unneeded", "-o", stripped, binary], check=True)
            self.add("usr/bin/holdfast", stripped.read_bytes(), 0o755)
        files = linked(binary)
        for name in LOADED:
            path = loaded_path(name)
            if not path:
                sys.exit(f"image: {name} is missing, which the binary loads when it is used")
            files |= {name: path} | linked(path)
        folder = library_folder()
        for name, path in files.items():
            # The loader is asked for by its whole path, the rest by name.
            place = "usr" + name if name.startswith("/") else f"{folder}/{name}"
            self.add_file(place, path, 0o755)

    def add_encodings(self):
        """What iconv() reads: filelog takes the name of any encoding."""
        folder = library_folder() + "/gconv"
        for path in sorted(Path("/", folder).rglob("*")):
            if path.is_file():
                self.add_file(str(path).lstrip("/"), path)

    def add_trust(self):
        """The authorities of Debian's package, and none that this machine has added."""
        files = sorted(Path("/usr/share/ca-certificates/mozilla").glob("*.crt"))
        if not files:
            sys.exit("image: the package ca-certificates is missing")
        self.add("etc/ssl/certs/ca-certificates.crt", b"".join(path.read_bytes() for path in files))
        self.add_file("etc/ssl/openssl.cnf", "/etc/ssl/openssl.cnf")

    def add_zones(self):
        top = Path("/usr/share/zoneinfo")
        for path in sorted(top.rglob("*")):
            if path.relative_to(top).parts[0] in ("posix", "right"):
                continue
            place = str(path).lstrip("/")
            if path.is_symlink() and not os.readlink(path).startswith("/"):
                self.add(place, os.readlink(path))
            elif path.is_file() and not path.is_symlink():
                self.add_file(place, path)

    def add_terminals(self):
        """How to draw on a terminal: `kubectl exec -it POD -- holdfast top`."""
        # In Debian 12 they are in /lib, in 13 in /usr/share.
        listed = output("dpkg-query", "--listfiles", "ncurses-base").splitlines()
        for path in sorted(Path(line) for line in listed if "/terminfo/" in line and not line.startswith("/etc")):
            place = "usr" + str(path).removeprefix("/usr")
            if path.is_symlink():
                self.add(place, os.readlink(path))
            elif path.is_file():
                self.add_file(place, path)

    def add_packages(self):
        """Of each package: its licences, and the record by which scanners know it."""
        names = {name: name for name in DATA_PACKAGES}  # with the architecture, where there may be several
        # A file below /usr/lib may be known to dpkg by its name below /lib.
        paths = sorted(self.sources | {path.removeprefix("/usr") for path in self.sources})
        found = subprocess.run(["dpkg", "-S", *paths], capture_output=True, text=True, check=False).stdout
        for line in found.splitlines():
            if not line.startswith("diversion"):
                exact = line.split(": ")[0].split(", ")[0]
                names[exact.split(":")[0]] = exact
        for name, exact in sorted(names.items()):
            self.add(f"var/lib/dpkg/status.d/{name}", output("dpkg-query", "-s", exact).encode())
            licence = Path("/usr/share/doc", name, "copyright")
            if licence.is_file():
                self.add(f"usr/share/doc/{name}/copyright", licence.read_bytes())
        self.add("usr/share/doc/holdfast/copyright", (SOURCE / "LICENSE").read_bytes())

    def tar(self, epoch):
        return tar_of({path: (content, self.modes.get(path)) for path, content in self.entries.items()}, epoch)


def tar_of(entries, epoch):
    """The bytes of a tar file: {path: (bytes, link target or None, mode or None)}, sorted, all of root."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, (content, mode) in sorted(entries.items()):
            member = tarfile.TarInfo(path)
            member.mtime = epoch
            if content is None:
                member.type, member.mode = tarfile.DIRTYPE, mode or 0o755
            elif isinstance(content, str):
                member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, content
            else:
                member.size, member.mode = len(content), mode or 0o644
            archive.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def packed(data):
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(data)
    return out.getvalue()


def text_of(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def described(kind, data, **more):
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(data), "size": len(data), **more}


def configuration(layer, epoch_text, version):
    return {
        "architecture": ARCH or output("dpkg", "--print-architecture").strip(),
        "os": "linux",
        "created": epoch_text,
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/otelcol-contrib"],
            "Cmd": ["--config", "/" + CONFIGURATION],
            "ExposedPorts": {f"{port}/tcp": {} for port in PORTS},
            # Not HOLDFAST_DATA_DIR: it would count more than the directory of a file_storage, where a manifest has
            # mounted a volume. Without that the queues are in /var/lib/holdfast.
            "Env": ["PATH=/usr/bin", "HOLDFAST_HEALTH=0.0.0.0:13133"],
            # Writable when the root is not, and no volume is named.
            "Volumes": {"/var/lib/holdfast": {}},
            "Labels": {
                "org.opencontainers.image.title": "holdfast",
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
        "history": [{"created": epoch_text, "created_by": "./dev image"}],
    }


def archive_of(layer, epoch, version):
    """The bytes of the archive: an OCI image layout, with the list that `docker load` of before 25 reads."""
    epoch_text = output("date", "-u", "-d", f"@{epoch}", "+%Y-%m-%dT%H:%M:%SZ").strip()
    blob = packed(layer)
    config = text_of(configuration(layer, epoch_text, version))
    manifest = text_of(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": described("config.v1+json", config),
            "layers": [described("layer.v1.tar+gzip", blob)],
        }
    )
    names = {"org.opencontainers.image.ref.name": version, "io.containerd.image.name": f"holdfast:{version}"}
    index = {"schemaVersion": 2, "manifests": [described("manifest.v1+json", manifest, annotations=names)]}
    files = {"blobs/sha256/" + digest(data)[7:]: data for data in (blob, config, manifest)}
    place = {data: name for name, data in files.items()}
    files |= {
        "oci-layout": text_of({"imageLayoutVersion": "1.0.0"}),
        "index.json": text_of(index),
        "manifest.json": text_of(
            [{"Config": place[config], "RepoTags": [f"holdfast:{version}"], "Layers": [place[blob]]}]
        ),
    }
    return tar_of({path: (data, None) for path, data in files.items()}, epoch), digest(manifest)


def epoch_of_source():
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given if given else output("git", "-C", SOURCE, "log", "-1", "--format=%ct"))


def main():
    global ARCH
    arguments = sys.argv[1:]
    if arguments[:1] == ["--arch"]:
        ARCH, arguments = arguments[1], arguments[2:]
        if os.environ.get("CROSS_ARCH") != ARCH:
            sys.exit("image: --arch is for the root of cross.py: ./dev image --arch ARCH")
    only_root = arguments[:1] == ["--root"]
    if len(arguments) != 2 + only_root:
        sys.exit(__doc__)
    binary, target = map(Path, arguments[only_root:])
    epoch = epoch_of_source()
    layer = Root(binary).tar(epoch)
    if only_root:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            archive.extractall(target)
        return
    version = output(*([os.environ["CROSS_EMULATOR"]] if ARCH else []), binary.resolve(), "version").split()[-1]
    data, name = archive_of(layer, epoch, version)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    print(f"{target}: {len(data) / 1e6:.1f} MB, {name}")


if __name__ == "__main__":
    main()
