"""Profiles as `go tool pprof` reads them."""

import subprocess

import pytest

from integration.test_pprof import busy, profiled  # noqa: F401


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("profile?seconds=2", ["cpu nanoseconds", "samples/count cpu/nanoseconds", "hf_", "thread:[", "holdfast"]),
        ("heap", ["space/bytes", "allocated in the heap"]),
        ("threadcreate", ["threadcreate/count", "loop:0"]),
    ],
)
def test_are_read_by_go(profiled, busy, tmp_path, path, words):  # noqa: F811
    holdfast, asked = profiled()
    busy(holdfast)
    file = tmp_path / "profile.pb.gz"
    file.write_bytes(asked.get(path))
    done = subprocess.run(
        ["go", "tool", "pprof", "-raw", file], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    for word in words:
        assert word in done.stdout, (word, done.stdout[:2000])


def test_show_what_costs(profiled, busy, tmp_path):  # noqa: F811
    """By their sums over the stacks: `go tool pprof -top -cum`."""
    holdfast, asked = profiled()
    busy(holdfast)
    file = tmp_path / "profile.pb.gz"
    file.write_bytes(asked.get("profile?seconds=3"))
    done = subprocess.run(
        ["go", "tool", "pprof", "-top", "-cum", file], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Type: cpu" in done.stdout and "hf_" in done.stdout
