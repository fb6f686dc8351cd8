"""The Go collector sends to Holdfast and receives from it: every coding, each signal."""

from support import otelcol

from .pytest_files import passed

BUILD_SECONDS = 1800


def main(directory):
    otelcol.build(BUILD_SECONDS)
    return passed(directory, "test_otelcol")
