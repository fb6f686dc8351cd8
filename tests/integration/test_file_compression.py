"""The file exporter's zstd levels: each request is a frame of its own behind its length, at any level."""

import json
import struct

import pytest
import zstandard

from support import otlp
from support.holdfast import config
from support.waiting import until


def frames(path):
    """The requests of a file of lengths and frames, decoded."""
    content, at, found = path.read_bytes(), 0, []
    while at + 4 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        found.append(zstandard.ZstdDecompressor().decompressobj().decompress(content[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


@pytest.mark.parametrize("form", ["json", "proto"])
def test_a_higher_level_makes_a_smaller_file_of_the_same(start, grpc_sender, tmp_path, form):
    request = otlp.request(otlp.TRACES, otlp.new_ids(300), padding="abcdefghij" * 5)
    sizes, contents = {}, {}
    for level in (-5, 19):
        path = tmp_path / f"level{level}"
        exporter = {"path": str(path), "format": form, "compression": "zstd", "compression_params": {"level": level}}
        holdfast = start(config({"file": exporter}))
        grpc_sender(holdfast).export(otlp.TRACES, request)
        until(lambda: path.exists() and path.stat().st_size > 4, "nothing was written")
        holdfast.terminate()
        (contents[level],) = frames(path)
        sizes[level] = path.stat().st_size
    assert contents[-5] == contents[19]
    assert sizes[19] < sizes[-5]
    if form == "json":
        assert len(json.loads(contents[19])["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 300
    else:
        assert otlp.TRACES.request.FromString(contents[19]) == request


def test_a_level_that_is_none_is_said_before_the_start(start, tmp_path):
    exporter = {"path": str(tmp_path / "x"), "compression": "zstd", "compression_params": {"level": 99}}
    holdfast = start(config({"file": exporter}), ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert "compression_params::level" in done.stderr + done.stdout
