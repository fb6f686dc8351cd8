"""What `./dev package` makes, but for the rpm: the Debian package, the tarball and the bill of materials; what they hold, what
their scripts do, and what lintian and systemd say of them."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

from support.holdfast import BINARY, ROOT
from support.packages import CONFFILES, UNIT, run

SCRIPT = ROOT / "conf/package/deb.sh"
DROP_IN = "etc/systemd/system/holdfast.service.d/otelcol-contrib.conf"
EXPOSURE_MAX = 2.0
# The commands that the scripts call: here they only write down that they were.
STUBS = ("adduser", "chown", "chmod", "systemctl", "deb-systemd-helper", "deb-systemd-invoke")


def build(folder):
    run(SCRIPT, BINARY, folder, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
    (package,) = folder.glob("*.deb")
    return package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def root(package, tmp_path_factory):
    """The package's files, and below DEBIAN its control files."""
    folder = tmp_path_factory.mktemp("unpacked") / "root"
    run("dpkg-deb", "--raw-extract", package, folder)
    return folder


@pytest.fixture
def script(root, tmp_path):
    """script(name, argument...) -> the lines of what a maintainer script calls."""

    def call(name, *arguments, user_exists=False, enabled=True):
        stubs, calls = tmp_path / "stubs", tmp_path / "calls"
        stubs.mkdir(exist_ok=True)
        calls.write_text("")
        for stub in STUBS:
            (stubs / stub).write_text(f'#!/bin/sh\necho "{stub} $*" >>{calls}\n')
        if not enabled:
            with open(stubs / "deb-systemd-helper", "a") as file:
                file.write('case "$*" in *was-enabled*) exit 1 ;; esac\n')
        (stubs / "getent").write_text(f"#!/bin/sh\nexit {0 if user_exists else 2}\n")
        for stub in stubs.iterdir():
            stub.chmod(0o755)
        path = f"{stubs}:/usr/bin:/bin"
        run("/bin/sh", root / "DEBIAN" / name, *arguments, env={"PATH": path, "DPKG_ROOT": str(tmp_path)})
        return calls.read_text().splitlines()

    return call


def field(package, name):
    return run("dpkg-deb", "--field", package, name).strip()


class TestContents:
    def test_the_same_bytes_twice(self, package, tmp_path):
        assert build(tmp_path).read_bytes() == package.read_bytes()

    def test_what_the_administrator_changes_is_kept(self, root):
        assert (root / "DEBIAN/conffiles").read_text().splitlines() == CONFFILES

    def test_it_stands_in_for_the_go_collectors_package(self, package):
        assert field(package, "Provides") == field(package, "Conflicts") == "otelcol-contrib"
        assert {"liblmdb0", "libsnappy1v5"} <= set(re.findall(r"\blib[a-z0-9]+\b", field(package, "Depends")))
        assert "librdkafka1" in field(package, "Recommends")

    def test_the_configuration_is_valid_for_the_binary_of_the_package(self, root):
        run(root / "usr/bin/holdfast", "validate", "--config", root / CONFFILES[0].lstrip("/"))

    def test_all_is_of_root(self, package):
        owners = {line.split()[1] for line in run("dpkg-deb", "--contents", package).splitlines()}
        assert owners == {"root/root"}

    def test_the_checksums_are_those_of_the_files(self, root):
        run("md5sum", "--check", "--quiet", "DEBIAN/md5sums", cwd=root)


class TestUnit:
    def test_its_command_and_environment_are_of_the_package(self, root):
        unit = (root / UNIT).read_text()
        command = re.search(r"^ExecStart=/(\S+) \$HOLDFAST_OPTIONS$", unit, re.M).group(1)
        assert (root / command).is_file()
        environment = re.search(r"^EnvironmentFile=/(\S+)$", unit, re.M).group(1)
        options = re.search(r'^HOLDFAST_OPTIONS="--config=(\S+)"$', (root / environment).read_text(), re.M).group(1)
        assert options in CONFFILES
        for line in ("Type=notify", "WatchdogSec=2min", "StateDirectory=holdfast", "ExecReload=/bin/kill -HUP $MAINPID"):
            assert line in unit.splitlines()

    def test_it_is_little_exposed(self, root):
        said = run("systemd-analyze", "security", "--offline=true", root / UNIT)
        level = float(re.search(r"Overall exposure level for holdfast\.service: ([\d.]+)", said).group(1))
        assert level < EXPOSURE_MAX

    def test_systemd_knows_every_key(self, root):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", root / UNIT], capture_output=True, text=True, check=False
        )
        assert "Unknown" not in done.stderr and "Failed to parse" not in done.stderr, done.stderr


class TestScripts:
    def test_the_first_time_a_user_is_made_and_the_service_enabled(self, script):
        calls = script("postinst", "configure", "")
        assert any(call.startswith("adduser --system --group") for call in calls)
        for path in CONFFILES:
            assert f"chown root:holdfast {path}" in calls and f"chmod 0640 {path}" in calls
        assert "deb-systemd-helper enable holdfast.service" in calls

    def test_an_upgrade_leaves_the_user_and_the_modes(self, script):
        calls = script("postinst", "configure", "0.0.9", user_exists=True)
        assert not [call for call in calls if call.split()[0] in ("adduser", "chown", "chmod")]

    def test_a_service_that_was_disabled_stays_so(self, script):
        assert "deb-systemd-helper enable holdfast.service" not in script(
            "postinst", "configure", "0.0.9", user_exists=True, enabled=False
        )

    def test_a_removal_masks_and_a_purge_forgets(self, script):
        assert "deb-systemd-helper mask holdfast.service" in script("postrm", "remove")
        assert "deb-systemd-helper purge holdfast.service" in script("postrm", "purge")

    def test_what_is_queued_outlives_a_purge(self, root):
        for name in ("postinst", "prerm", "postrm"):
            for line in re.findall(r"^.*\brm\b.*$", (root / "DEBIAN" / name).read_text(), re.M):
                assert line.split() == ["rm", "-f", f'"$DPKG_ROOT/{DROP_IN}"']

    def test_a_host_of_the_go_collectors_package_moves_over(self, script, root, tmp_path):
        """Its options, configuration, user and storage: what the unit and this file say together is one that systemd starts."""
        options, drop_in = tmp_path / "etc/otelcol-contrib/otelcol-contrib.conf", tmp_path / DROP_IN
        shutil.copytree(root / "usr/share/holdfast", tmp_path / "usr/share/holdfast")
        script("postinst", "configure", "", user_exists=True)
        assert not drop_in.exists(), "that package was not there"
        options.parent.mkdir(parents=True)
        options.write_text('OTELCOL_OPTIONS="--config=/etc/otelcol-contrib/config.yaml --feature-gates=a"\n')
        script("postinst", "configure", "")
        assert not drop_in.exists(), "its user is gone"
        script("postinst", "configure", "0.0.9", user_exists=True)
        assert not drop_in.exists(), "an upgrade changes nothing"
        script("postinst", "configure", "", user_exists=True)
        lines = drop_in.read_text().splitlines()
        assert "EnvironmentFile=-/etc/otelcol-contrib/otelcol-contrib.conf" in lines
        assert lines.index("ExecStart=") + 1 == lines.index("ExecStart=/usr/bin/holdfast $OTELCOL_OPTIONS")
        assert {"User=otelcol-contrib", "Group=otelcol-contrib"} <= set(lines)
        unit = tmp_path / "holdfast.service"
        unit.write_text((root / UNIT).read_text() + "\n".join(lines).replace("/usr/bin/holdfast", str(BINARY)) + "\n")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
        for words in ("Unknown", "Failed to parse", "more than one ExecStart"):
            assert words not in done.stderr, done.stderr
        drop_in.write_text("[Service]\n# changed\n")
        script("postinst", "configure", "", user_exists=True)
        assert "# changed" in drop_in.read_text()
        script("postrm", "purge")
        assert not drop_in.parent.exists()


def test_lintian_has_nothing_to_say(package):
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", package], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# ---- tarball, SBOM ----


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The tarball, unpacked."""
    folder = tmp_path_factory.mktemp("tarball")
    run(ROOT / "conf/package/tarball.sh", BINARY, folder, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
    (tarball,) = folder.glob("*.tar.gz")
    run("tar", "--extract", "--gzip", "--file", tarball, "--directory", folder)
    (place,) = (path for path in folder.iterdir() if path.is_dir())
    assert tarball.name == f"{place.name}.tar.gz"
    return place


def in_empty_root(place, *words):
    """Runs the program where nothing but the tarball is."""
    (loader,) = (place / "lib").glob("ld-linux*")
    inside = [f"/lib/{loader.name}", "--library-path", "/lib", "/libexec/holdfast", *words]
    if os.geteuid() == 0:
        return run("chroot", place, *inside)
    return run("unshare", "--user", "--map-root-user", f"--root={place}", *inside)


class TestTarball:
    def test_it_needs_no_library_of_the_system(self, unpacked):
        assert in_empty_root(unpacked, "version") == run(BINARY, "version")
        in_empty_root(unpacked, "validate", "--config", "/etc/config.yaml")

    def test_it_runs_where_it_is_and_by_a_link(self, unpacked, tmp_path):
        link = tmp_path / "holdfast"
        link.symlink_to(unpacked / "bin" / "holdfast")
        for program in (unpacked / "bin" / "holdfast", link):
            assert run(program, "version", cwd=tmp_path) == run(BINARY, "version")

    def test_the_bundle_is_the_same_twice(self, unpacked, tmp_path):
        run(ROOT / "conf/package/bundle.sh", BINARY, tmp_path)
        for folder in ("bin", "lib", "libexec"):
            run("diff", "--recursive", unpacked / folder, tmp_path / folder)

    def test_what_is_loaded_for_kafka_is_there(self, unpacked):
        assert all((unpacked / "lib" / name).is_file() for name in ("librdkafka.so.1", "libsnappy.so.1"))


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    file = tmp_path_factory.mktemp("sbom") / "holdfast.spdx.json"
    run(ROOT / "conf/package/sbom.py", BINARY, file, env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"})
    return json.loads(file.read_text())


class TestBillOfMaterials:
    def test_it_names_the_program_and_all_of_its_libraries(self, document):
        packages = {one["name"]: one for one in document["packages"]}
        digest = hashlib.sha256(BINARY.read_bytes()).hexdigest()
        assert packages["holdfast"]["checksums"] == [{"algorithm": "SHA256", "checksumValue": digest}]
        assert {"liblmdb0", "libc6", "librdkafka1", "libsnappy1v5", "libzstd1"} <= set(packages)
        for name in ("liblmdb0", "libc6"):
            assert packages[name]["versionInfo"] == run("dpkg-query", "-Wf", "${Version}", name)

    def test_it_is_spdx(self, document):
        assert document["spdxVersion"] == "SPDX-2.3"
        assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
        known = {one["SPDXID"] for one in document["packages"]} | {document["SPDXID"]}
        assert len(known) == len(document["packages"]) + 1
        for one in document["relationships"]:
            assert {one["spdxElementId"], one["relatedSpdxElement"]} <= known
        for one in document["packages"]:
            assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", one["SPDXID"])
            assert one["downloadLocation"] == "NOASSERTION"
