"""The rpm that `./dev package` makes: what it holds, what rpmlint says of it, and how it takes the place of otelcol-contrib."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.holdfast import BINARY, ROOT
from support.packages import CONFFILES, UNIT, run


@pytest.fixture(scope="module")
def rpm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rpm")
    run(ROOT / "conf/package/rpm.sh", BINARY, folder, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
    (package,) = folder.glob("*.rpm")
    return package


class TestRpm:
    def query(self, rpm, *words):
        return run("rpm", "--query", "--package", *words, rpm).splitlines()

    def test_what_it_holds(self, rpm):
        files = self.query(rpm, "--list")
        assert {"/usr/bin/holdfast", "/usr/lib/holdfast/libexec/holdfast", f"/{UNIT}"} <= set(files)
        assert not [path for path in files if path.startswith("/var")], "the queue is not the package's"
        assert self.query(rpm, "--configfiles") == CONFFILES
        assert "otelcol-contrib" in self.query(rpm, "--conflicts")
        flags = {line.split()[0]: line for line in self.query(rpm, "--queryformat", "[%{FILENAMES} %{FILEFLAGS:fflags} %{FILEGROUPNAME}\n]")}
        for path in CONFFILES:
            assert flags[path] == f"{path} cn holdfast"

    def test_it_needs_no_library(self, rpm):
        assert not [line for line in self.query(rpm, "--requires") if ".so" in line]

    def test_its_scripts_are_of_a_shell(self, rpm, tmp_path):
        text = "\n".join(self.query(rpm, "--scripts"))
        assert "useradd --system" in text and "/var/lib/holdfast" not in text.replace("# /var/lib/holdfast stays", "")
        script = tmp_path / "script"
        script.write_text(re.sub(r"^(pre|post)\w+ (scriptlet|program).*$", "", text, flags=re.M))
        run("sh", "-n", script)

    def test_rpmlint_has_nothing_to_say_of_ours(self, rpm):
        """Of Debian's libraries it has: they are as Debian makes them."""
        done = subprocess.run(["rpmlint", rpm], capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.splitlines() if re.match(r"\S+: [EW]: ", line)]
        assert lines, done.stdout + done.stderr
        ours = [line for line in lines if "/usr/lib/holdfast/" not in line]
        # The form of the manual page, names of licences, a changelog and a signature are the distribution's; the two files
        # that are not for everyone may hold credentials. The drop-in is made where otelcol-contrib was, whose files are copied
        # with their owners.
        known = {
            "manpage-not-compressed",
            "invalid-license",
            "no-changelogname-tag",
            "no-signature",
            "non-readable",
            "non-versioned-file-in-library-package",  # it takes the libraries for the package's purpose
            "non-standard-gid",
            "no-manual-page-for-binary",
            "shared-library-without-dependency-information",
            "only-non-binary-in-usr-lib",
            "systemd-unit-in-etc",
            "postin-without-ghost-file-creation",
            "dangerous-command-in-%pre",
            "dangerous-command-in-%posttrans",
        }
        assert not [line for line in ours if line.split()[2] not in known], "\n".join(ours)


# ---- a host of the Go collector's package ----

DROP_IN = "etc/systemd/system/holdfast.service.d/otelcol-contrib.conf"
OTHER = "etc/otelcol-contrib"
# What the Go collector's package has, as far as its place is taken.
OTHER_SPEC = """
Name: otelcol-contrib
Version: 0.150.0
Release: 1
Summary: Stands in for the package of the Go collector
License: Apache-2.0
AutoReqProv: no

%description
Its configuration.

%install
mkdir -p %{buildroot}/etc/otelcol-contrib
echo 'OTELCOL_OPTIONS="--config=/etc/otelcol-contrib/config.yaml"' >%{buildroot}/etc/otelcol-contrib/otelcol-contrib.conf
echo 'receivers: {otlp: }' >%{buildroot}/etc/otelcol-contrib/config.yaml

%files
%config(noreplace) /etc/otelcol-contrib/otelcol-contrib.conf
%config(noreplace) /etc/otelcol-contrib/config.yaml
"""
# What the scripts call: programs of this machine, and those that only write down that they were called.
PROGRAMS = ("sh", "cat", "mkdir", "cp", "rm", "touch")
CALLS = {
    "systemctl": 'echo "systemctl $*" >>/calls; case "$*" in *is-*) test -e /etc/otelcol-contrib/otelcol-contrib.conf ;; esac',
    "useradd": ":",
    "getent": 'case " $(cat /users) " in *" $2 "*) ;; *) exit 2 ;; esac',
}
AS_ROOT = () if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user")


def rpmbuild(folder, spec, **macros):
    macros = {"_topdir": folder, "_rpmdir": folder, "_build_name_fmt": "%%{NAME}.rpm", **macros}
    run("rpmbuild", "-bb", "--quiet", *(f"--define={name} {value}" for name, value in macros.items()), spec)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder with otelcol-contrib.rpm and holdfast.rpm, whose scripts and names of files are ours, without a program."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "other.spec").write_text(OTHER_SPEC)
    rpmbuild(folder, folder / "other.spec")
    package = ROOT / "conf/package"
    spec = (package / "holdfast.spec").read_text()
    for line in spec.split("%files\n")[1].splitlines():
        if not line.startswith(("%dir", "%ghost")):
            place = folder / "made" / line.split()[-1].lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            known = package / place.name
            place.write_text(known.read_text() if known.exists() else "")
    (folder / "holdfast.spec").write_text(spec.replace("@VERSION@", "1.0"))
    rpmbuild(folder, folder / "holdfast.spec", made=folder / "made")
    return folder


def copy_program(root, name):
    """A program of this machine, with its libraries at the same places."""
    program = Path(shutil.which(name))
    (root / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(program, root / "bin")
    for library in re.findall(r"(/\S+) \(0x", run("ldd", program)):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


class Host:
    """A root with otelcol-contrib and its user, and what the scripts of packages call."""

    def __init__(self, root, packages):
        self.root, self.packages = root, packages
        for name in PROGRAMS:
            copy_program(root, name)
        for name, line in CALLS.items():
            (root / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
            (root / "bin" / name).chmod(0o755)
        (root / "run/systemd/system").mkdir(parents=True)
        (root / "dev").mkdir()
        (root / "dev/null").touch()
        (root / "users").write_text("holdfast otelcol-contrib")
        self.drop_in = root / DROP_IN
        self.rpm("--install", packages / "otelcol-contrib.rpm")

    def rpm(self, *words):
        run(*AS_ROOT, "rpm", "--root", self.root, *words)

    def install(self, how="--install", *words):
        self.rpm(how, "--nodeps", *words, self.packages / "holdfast.rpm")

    def take_place(self):
        """As a package manager replaces the one by the other: in one transaction, the new one first."""
        self.install("--install", "--noposttrans")
        self.rpm("--erase", "otelcol-contrib")
        script = run("rpm", "--query", "--package", "--queryformat", "%{POSTTRANS}", self.packages / "holdfast.rpm")
        run(*AS_ROOT, "chroot", self.root, "/bin/sh", "-c", script)

    def text(self, name):
        return (self.root / OTHER / name).read_text()

    def calls(self):
        return (self.root / "calls").read_text().splitlines()


@pytest.fixture
def host(tmp_path, packages):
    return Host(tmp_path / "root", packages)


class TestMovesOver:
    def test_in_one_transaction(self, host):
        """What nobody changed goes with its package, and is kept all the same."""
        (host.root / OTHER / "config.yaml.rpmsave").write_text("of a year ago")
        host.take_place()
        assert host.text("config.yaml") == "receivers: {otlp: }\n"
        assert host.text("otelcol-contrib.conf").startswith("OTELCOL_OPTIONS=")
        assert {"User=otelcol-contrib", "ExecStart=/usr/bin/holdfast $OTELCOL_OPTIONS"} <= set(host.drop_in.read_text().splitlines())
        service = "holdfast.service"
        assert host.calls()[-3:] == ["systemctl daemon-reload", f"systemctl enable {service}", f"systemctl start {service}"]
        host.drop_in.write_text("[Service]\n# changed\n")
        host.install("--reinstall")
        assert "# changed" in host.drop_in.read_text(), "the administrator's"
        host.rpm("--erase", "holdfast")
        assert not host.drop_in.parent.exists() and not (host.root / "var/lib/rpm-state/holdfast").exists()
        assert host.text("config.yaml"), "the other package may come back"

    def test_after_the_other_was_removed(self, host):
        """What somebody changed has another name then, and the options are as the package brought them."""
        (host.root / OTHER / "config.yaml").write_text("receivers: {jaeger: }\n")
        host.rpm("--erase", "otelcol-contrib")
        host.install()
        assert host.text("config.yaml") == "receivers: {jaeger: }\n"
        assert "Environment=OTELCOL_OPTIONS=--config=/etc/otelcol-contrib/config.yaml" in host.drop_in.read_text()
        assert not [call for call in host.calls() if call.split()[1] in ("enable", "start")], "it may not have run"

    def test_a_host_without_its_files_keeps_ours(self, host):
        host.rpm("--erase", "otelcol-contrib")
        host.install()
        assert not host.drop_in.exists()
