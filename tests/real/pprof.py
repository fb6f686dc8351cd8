"""Profiles of the process, read by `go tool pprof`."""

import shutil

from .pytest_files import passed


def main(directory):
    if shutil.which("go") is None:
        raise SystemExit("pprof is a tool of Go, which is not installed (apt-get install golang-go)")
    return passed(directory, "test_pprof")
