"""`holdfast init-dir`: a folder of the node is given to the user of the container, by an init container that is root."""

import os
import subprocess

import pytest

from support import otlp
from support.holdfast import BINARY, config, otlp_exporter, run
from support.mounts import own_mounts

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")

USER, GROUP = 10001, 10002
OWNER = f"{USER}:{GROUP}"
CAPABILITIES = "-all,+chown,+dac_override"  # those that the chart leaves the init container


def owners(folder):
    found = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        info = path.lstat()
        found[str(path.relative_to(folder))] = (info.st_uid, info.st_gid)
    return found


def init(folder, owner=OWNER):
    done = subprocess.run(
        ["setpriv", f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}", BINARY, "init-dir", "--owner", owner, folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done


class TestOwner:
    def test_a_folder_that_is_not_there_is_made(self, tmp_path):
        folder = tmp_path / "var" / "lib" / "queue"
        done = init(folder)
        assert f"is of {OWNER}" in done.stdout
        assert owners(folder) == {".": (USER, GROUP)}
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.parent.stat().st_uid == 0

    def test_a_number_alone_is_user_and_group(self, tmp_path):
        init(tmp_path / "a", "20001")
        assert owners(tmp_path / "a") == {".": (20001, 20001)}

    def test_what_is_in_it_goes_along(self, start, tmp_path, grpc_backend, grpc_sender):
        """A queue that root has written is that user's, who may be somebody else later."""
        grpc_backend.stop()
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        ids = otlp.new_ids(5)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        holdfast.terminate()
        init(holdfast.data_directory)
        found = owners(holdfast.data_directory)
        assert len(found) > 5 and set(found.values()) == {(USER, GROUP)}
        init(holdfast.data_directory, "30003:30003")
        assert set(owners(holdfast.data_directory).values()) == {(30003, 30003)}
        for parent in (tmp_path, *tmp_path.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o011)
        holdfast.log_path.chmod(0o666)
        holdfast.prefix = ["setpriv", "--reuid=30003", "--regid=30003", "--clear-groups", "--no-new-privs"]
        holdfast.directory.chmod(0o777)
        grpc_backend.start()
        holdfast.start()
        grpc_backend.wait_for(ids)

    def test_one_that_is_that_users_already_is_not_looked_into(self, tmp_path):
        folder = tmp_path / "a"
        (folder / "b").mkdir(parents=True)
        os.chown(folder, USER, GROUP)
        init(folder)
        assert owners(folder) == {".": (USER, GROUP), "b": (0, 0)}


class TestCare:
    def test_links_and_files_with_other_names_stay(self, tmp_path):
        folder, other = tmp_path / "a", tmp_path / "other"
        folder.mkdir()
        other.mkdir()
        (other / "file").write_text("x")
        (folder / "link").symlink_to(other)
        os.link(other / "file", folder / "name")
        done = init(folder)
        assert "name has another name elsewhere" in done.stderr
        assert owners(other) == {".": (0, 0), "file": (0, 0)}
        assert owners(folder) == {".": (USER, GROUP), "link": (USER, GROUP), "name": (0, 0)}

    def test_what_is_mounted_below_stays(self, tmp_path):
        folder = tmp_path / "a"
        (folder / "mounted").mkdir(parents=True)
        script = 'mount -t tmpfs none "$0/mounted" && "$1" init-dir --owner 7:7 "$0" && stat -c %u "$0" "$0/mounted"'
        done = subprocess.run(
            [*own_mounts(), "sh", "-c", script, folder, BINARY], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-2:] == ["7", "0"]

    def test_a_link_in_the_place_of_the_folder_is_refused(self, tmp_path):
        (tmp_path / "b").mkdir()
        (tmp_path / "a").symlink_to(tmp_path / "b")
        done = run("init-dir", "--owner", OWNER, tmp_path / "a")
        assert done.returncode == 1 and str(tmp_path / "a") in done.stderr
        assert owners(tmp_path / "b") == {".": (0, 0)}

    def test_without_the_right_it_says_what_fails(self, tmp_path):
        folder = tmp_path / "a"
        folder.mkdir()
        done = subprocess.run(
            ["setpriv", "--bounding-set=-all", "--inh-caps=-all", BINARY, "init-dir", "--owner", OWNER, folder],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 1
        assert "cannot be given to 10001:10002" in done.stderr and "not permitted" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["/nowhere"],
        ["--owner", OWNER],
        ["--owner", "holdfast", "/nowhere"],
        ["--owner", "1:", "/nowhere"],
        ["--owner", "-1", "/nowhere"],
        ["--owner", "4294967295", "/nowhere"],
        ["--owner", OWNER, "/nowhere", "/elsewhere"],
        ["--owner", OWNER, ""],
    ],
)
def test_wrong_words_are_refused(words):
    assert run("init-dir", *words).returncode == 2
    assert not os.path.exists("/nowhere")
