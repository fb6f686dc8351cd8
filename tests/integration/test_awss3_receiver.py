"""An archive in S3 fed back: what the exporter wrote, by time and prefix, through kills and outages, and what is left out."""

import base64
import gzip
import json
import re
import time

import pytest
import zstandard
from google.protobuf import json_format

from support import otlp
from support.holdfast import FAST_RETRY, otlp_exporter, pipelines
from support.s3 import BUCKET, Store
from support.waiting import until

DONE = r'the range from [^"]* is read"'
PREFIX = "pre/year=2026/month=01/day=02/hour={hour:02}/minute={minute:02}"


@pytest.fixture
def store(ending):
    return ending.enter_context(Store())


def configuration(store, backend, downloader=None, signals=("traces", "metrics", "logs"), **more):
    receiver = {
        "starttime": "2026-01-02 03:00",
        "endtime": "2026-01-02 03:10",
        "s3downloader": {
            "s3_bucket": BUCKET,
            "s3_prefix": "pre",
            "endpoint": store.url,
            "s3_partition_timezone": "UTC",
            **(downloader or {}),
        },
        **more,
    }
    made = pipelines(["otlp"], signals=signals)
    for one in made.values():
        one["receivers"] = ["awss3"]
    return {
        "receivers": {"awss3": receiver},
        "exporters": {"otlp": otlp_exporter(backend)},
        "service": {"pipelines": made},
    }


@pytest.fixture
def begin(start, store, grpc_backend):
    return lambda downloader=None, **more: start(
        configuration(store, grpc_backend, downloader, **more), environment=store.environment
    )


def put(store, key, body):
    store.client.put_object(Bucket=BUCKET, Key=key, Body=body)


def archive(store, signal, minute, ids, extension="binpb", number=0, hour=3):
    """One object as the exporter writes it."""
    message = otlp.request(signal, ids)
    plain = message.SerializeToString() if extension.startswith("binpb") else otlp_json_text(signal, message)
    body = {"gz": gzip.compress, "zst": zstandard.compress}.get(extension.split(".")[-1], lambda text: text)(plain)
    key = f"{PREFIX.format(hour=hour, minute=minute)}/{signal.name}_{number:020}-0-{'0' * 16}.{extension}"
    put(store, key, body)


def otlp_json_text(signal, message):
    text = json_format.MessageToDict(message)

    def walk(node):
        if isinstance(node, dict):
            for key, entry in node.items():
                if key in ("traceId", "spanId"):
                    node[key] = base64.b64decode(entry).hex()
                else:
                    walk(entry)
        elif isinstance(node, list):
            for entry in node:
                walk(entry)
        return node

    return json.dumps(walk(text)).encode()


def test_objects_of_every_form_come_back_in_the_order_of_time(begin, store, grpc_backend):
    wanted = {signal: [] for signal in otlp.SIGNALS}
    for signal in otlp.SIGNALS:
        for minute, extension in enumerate(("binpb", "json", "binpb.gz", "json.zst")):
            ids = otlp.new_ids(3)
            archive(store, signal, minute, ids, extension)
            wanted[signal] += ids
        archive(store, signal, 10, otlp.new_ids(1))  # at the end, which is outside
        archive(store, signal, 59, otlp.new_ids(1), hour=2)
    holdfast = begin()
    holdfast.wait_for_log("the range from 2026-01-02 03:00 to 2026-01-02 03:10 is read")
    for signal in otlp.SIGNALS:
        grpc_backend.wait_for(wanted[signal])
        assert sorted(grpc_backend.ids(signal)) == sorted(wanted[signal])
        name = f"otelcol_receiver_accepted_{signal.items}"
        assert holdfast.metric(name, receiver="awss3", transport="s3") == 12


def test_many_pages_are_read_once_through_kills_and_outages(begin, store, grpc_backend):
    ids = otlp.new_ids(60)
    for number, item in enumerate(ids):
        archive(store, otlp.LOGS, number // 10, [item], number=number)
    store.fails += [("GET", "", 503, "SlowDown")] * 2
    holdfast = begin(signals=["logs"])
    until(lambda: len(grpc_backend.ids()) >= 5, lambda: f"{len(grpc_backend.ids())}")
    holdfast.kill9()
    store.stop()
    holdfast.start()
    holdfast.wait_for_log("listing objects failed, and is tried again")
    store.start()
    holdfast.wait_for_log(DONE)
    grpc_backend.wait_for(ids)
    asked = len([one for one in store.seen if "logs_" in one[1]])
    holdfast.restart()
    until(lambda: len(re.findall(DONE, holdfast.log())) >= 2, holdfast.log)
    assert len([one for one in store.seen if "logs_" in one[1]]) == asked  # its place was committed
    assert set(grpc_backend.ids()) == set(ids)


def test_a_page_ends_and_the_next_begins(begin, store, grpc_backend):
    listed = store.client.list_objects_v2  # a store gives at most 1,000 keys
    assert listed(Bucket=BUCKET)["KeyCount"] == 0
    body = otlp.request(otlp.LOGS, [1]).SerializeToString()
    for number in range(1005):
        store.put_quickly(f"{PREFIX.format(hour=3, minute=0)}/logs_{number:020}.binpb", body)
    holdfast = begin(signals=["logs"])
    holdfast.wait_for_log(DONE)
    assert holdfast.metric("otelcol_receiver_accepted_log_records", receiver="awss3") == 1005


def test_what_cannot_be_read_is_left_and_the_rest_is_read(begin, store, grpc_backend):
    place = PREFIX.format(hour=3, minute=0)
    put(store, f"{place}/logs_1.binpb", b"\xff\xff\xff")
    put(store, f"{place}/logs_2.json.gz", b"no gzip")
    put(store, f"{place}/logs_3.txt", b"a line")
    put(store, f"{place}/logs_4.json", b"[")
    put(store, f"{place}/logs_5.json", b"removed after it was listed")
    store.fails.append(("GET", "logs_5", 404, "NoSuchKey"))
    archive(store, otlp.LOGS, 1, [7])
    holdfast = begin(signals=["logs"])
    holdfast.wait_for_log(DONE)
    grpc_backend.wait_for([7])
    for key, why in (("logs_1.binpb", "no request of logs"), ("logs_2.json.gz", "does not decompress"),
                     ("logs_3.txt", "ends neither in .json nor in .binpb"), ("logs_4.json", "is not read"),
                     ("logs_5.json", "is not read: NoSuchKey")):
        assert [line for line in holdfast.log().splitlines() if key in line and why in line], (key, holdfast.log())
    assert len(store.keys()) == 6


def test_what_the_exporter_wrote_comes_back(start, store, grpc_backend, grpc_sender):
    exporter = {
        "s3uploader": {"s3_bucket": BUCKET, "s3_prefix": "pre", "endpoint": store.url, "file_prefix": "f-"},
        "retry_on_failure": dict(FAST_RETRY),
    }
    writer = start(
        {"exporters": {"awss3": exporter}, "service": {"pipelines": pipelines(["awss3"])}},
        environment=store.environment,
    )
    ids = {}
    for signal in otlp.SIGNALS:
        ids[signal] = otlp.new_ids(4)
        grpc_sender(writer).export(signal, otlp.request(signal, ids[signal]))
    store.wait_for_keys(3)
    now = time.time()
    times = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + seconds)) for seconds in (-120, 120)]
    settings = configuration(store, grpc_backend, {"file_prefix": "f-"}, starttime=times[0], endtime=times[1])
    del settings["receivers"]["awss3"]["s3downloader"]["s3_partition_timezone"]
    start(settings, environment=store.environment)
    for signal in otlp.SIGNALS:
        grpc_backend.wait_for(ids[signal])
        assert grpc_backend.ids(signal) == ids[signal]


def test_another_range_begins_at_its_own_start(begin, store, grpc_backend):
    archive(store, otlp.LOGS, 0, [1])
    archive(store, otlp.LOGS, 20, [2])
    holdfast = begin(signals=["logs"])
    holdfast.wait_for_log("03:10 is read")
    holdfast.write_config(configuration(store, grpc_backend, signals=["logs"], endtime="2026-01-02 03:30"))
    holdfast.reload()
    holdfast.wait_for_log("03:30 is read")
    grpc_backend.wait_for([1, 2])
    until(lambda: sorted(grpc_backend.ids()) == [1, 1, 2], lambda: f"{grpc_backend.ids()}")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"starttime": "yesterday"}, "starttime must be a time such as"),
        ({"endtime": "2026-01-02 02:00"}, "endtime must be after starttime"),
        ({"starttime": None, "endtime": None}, "starttime and endtime are required, or sqs"),
        ({"sqs": {"queue_url": "x", "region": "y"}}, "starttime and endtime do not go with sqs"),
        ({"sqs": {"region": "y"}, "starttime": None, "endtime": None}, "sqs::queue_url is required"),
        ({"sqs": {"queue_url": "x"}, "starttime": None, "endtime": None}, "sqs::region is required"),
        ({"s3downloader": {}}, "s3downloader::s3_bucket is required"),
        ({"s3downloader": {"s3_bucket": "b", "s3_partition": "day"}}, "s3_partition"),
    ],
)
def test_bad_values(start, store, grpc_backend, change, sentence):
    holdfast = start(configuration(store, grpc_backend, **change), ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert sentence in done.stderr + done.stdout
