"""The Debian package of `./dev package`: what it holds, what its scripts do, and what lintian and systemd say of it."""

import os
import re
import subprocess

import pytest

from support.holdfast import BINARY, ROOT

SCRIPT = ROOT / "conf/package/deb.sh"
UNIT = "usr/lib/systemd/system/holdfast.service"
CONFFILES = ["/etc/holdfast/config.yaml", "/etc/holdfast/holdfast.conf"]
EXPOSURE_MAX = 2.0
# The commands that the scripts call: here they only write down that they were.
STUBS = ("adduser", "chown", "chmod", "systemctl", "deb-systemd-helper", "deb-systemd-invoke")


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
        run("/bin/sh", root / "DEBIAN" / name, *arguments, env={"PATH": path})
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
        assert re.search(r"\bliblmdb0\b", field(package, "Depends"))
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
            assert not re.search(r"\brm\b", (root / "DEBIAN" / name).read_text())


def test_lintian_has_nothing_to_say(package):
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", package], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
