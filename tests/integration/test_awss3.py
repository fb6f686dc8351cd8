"""Objects in a bucket of S3: their names, contents and headers, attempts that write the same object again, and what an
outage or a kill may cost: nothing."""

import gzip
import json
import re
import time

import grpc
import pytest
import zstandard

from support import otlp, senders
from support.backends import otlp_json
from support.holdfast import FAST_RETRY, pipelines
from support.s3 import BUCKET, Store
from support.waiting import until

DECODE = {
    ".gz": gzip.decompress,
    ".zst": lambda body: zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True).read(),
}
MINUTE = r"year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/minute=\d\d"
UNIQUE = r"\d{20}-\d+-[0-9a-f]{16}"


@pytest.fixture
def store(ending):
    return ending.enter_context(Store((BUCKET, "other", "third")))


def configuration(store, uploader=None, signals=("traces", "metrics", "logs"), **more):
    exporter = {
        "s3uploader": {"s3_bucket": BUCKET, "endpoint": store.url, **(uploader or {})},
        "retry_on_failure": dict(FAST_RETRY),
        "timeout": "10s",
        **more,
    }
    return {"exporters": {"awss3": exporter}, "service": {"pipelines": pipelines(["awss3"], signals=signals)}}


@pytest.fixture
def begin(start, store):
    """begin(uploader keys, exporter's keys...) -> a running Holdfast that writes to the store."""
    return lambda uploader=None, **more: start(configuration(store, uploader, **more), environment=store.environment)


def plain(store, key, bucket=BUCKET):
    body, _ = store.object(key, bucket)
    ending = next((one for one in DECODE if key.endswith(one)), None)
    return DECODE[ending](body) if ending else body


def ids_in(store, signal=otlp.LOGS, bucket=BUCKET):
    found = []
    for key in store.keys(bucket):
        body = plain(store, key, bucket)
        message = otlp_json(signal, body) if ".json" in key else signal.request.FromString(body)
        found += otlp.ids(signal, message)
    return found


def wait_for_ids(store, ids, signal=otlp.LOGS):
    until(lambda: set(ids) <= set(ids_in(store, signal)), lambda: f"{len(ids_in(store, signal))} of {len(ids)} items")


@pytest.mark.parametrize(
    ("marshaler", "compression", "end"),
    [("otlp_json", None, "json"), ("otlp_json", "zstd", "json.zst"), ("otlp_proto", "none", "binpb"),
     ("otlp_proto", "gzip", "binpb.gz"), ("otlp_proto", "zstd", "binpb.zst")],
)
def test_a_request_is_an_object(begin, store, grpc_sender, marshaler, compression, end):
    uploader = {"s3_prefix": "pre", "file_prefix": "agent-", "s3_base_prefix": "base"}
    if compression:
        uploader["compression"] = compression
    holdfast = begin(uploader, marshaler=marshaler)
    for count, signal in enumerate(otlp.SIGNALS, 1):
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(signal, otlp.request(signal, ids))
        keys = store.wait_for_keys(count)
        (key,) = [one for one in keys if f"agent-{signal.name}_" in one]
        assert re.fullmatch(f"base/pre/{MINUTE}/agent-{signal.name}_{UNIQUE}\\.{end}", key), key
        body = plain(store, key)
        message = otlp_json(signal, body) if ".json" in key else signal.request.FromString(body)
        assert otlp.ids(signal, message) == ids
        _, known = store.object(key)
        assert known.get("ContentEncoding") == (None if compression in (None, "none") else compression)
        assert known["ContentType"] == "application/octet-stream"
        until(
            lambda: holdfast.books(signal.name, "awss3")["delivered"]["items"] == 3,
            lambda: f"{holdfast.books(signal.name, 'awss3')}",
        )


def test_bodies_are_lines(begin, store, grpc_sender):
    holdfast = begin(marshaler="body", signals=["logs"])
    request = otlp.request(otlp.LOGS, otlp.new_ids(2), padding="a line")
    otlp.items(otlp.LOGS, request)[1].body.CopyFrom(otlp.any_value({"b": [1, 2.5], "a": True}))
    grpc_sender(holdfast).export(otlp.LOGS, request)
    (key,) = store.wait_for_keys(1)
    assert key.endswith(".txt")
    assert plain(store, key) == b'a line\n{"a":true,"b":[1,2.5]}\n'


def test_sumo_logic(begin, store, grpc_sender):
    holdfast = begin(marshaler="sumo_ic", signals=["logs"])
    resource = {"_sourceCategory": "cat", "_sourceHost": 'h"1', "_sourceName": 7, "zone": "b"}
    request = otlp.request(otlp.LOGS, [5], padding="hello", resource=resource)
    otlp.items(otlp.LOGS, request)[0].observed_time_unix_nano = 1_700_000_000_120_000_000
    grpc_sender(holdfast).export(otlp.LOGS, request)
    (key,) = store.wait_for_keys(1)
    assert key.endswith(".json.gz")
    (line,) = plain(store, key).splitlines()
    assert json.loads(line) == {
        "date": "2023-11-14 22:13:20.12 +0000 UTC",
        "sourceName": "7",
        "sourceHost": 'h"1',
        "sourceCategory": "cat",
        "fields": {"zone": "b"},
        "message": {"log": "hello", "test.id": 5},
    }
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, [6]))
    until(
        lambda: holdfast.books("logs", "awss3")["dead_lettered"]["items"] == 1,
        lambda: f"{holdfast.books('logs', 'awss3')}",
    )
    assert "_sourceCategory attribute does not exist" in holdfast.log()


@pytest.mark.parametrize("marshaler", ["sumo_ic", "body"])
def test_formats_of_logs_are_refused_for_others(start, store, marshaler):
    holdfast = start(configuration(store, marshaler=marshaler, signals=["traces"]), ready=False)
    holdfast.spawn()
    assert holdfast.process.wait(20) != 0
    assert f"traces are not supported by the format {marshaler}" in holdfast.log()


def test_attributes_of_the_resource_name_bucket_and_prefix(begin, store, grpc_sender):
    holdfast = begin(
        {"s3_prefix": "pre", "s3_base_prefix": "base"},
        resource_attrs_to_s3={"s3_bucket": "bucket", "s3_prefix": "tenant"},
    )
    message = otlp.LOGS.request()
    wanted = {}
    for resource in ({"bucket": "other", "tenant": "a/b"}, {"tenant": "c"}, {"bucket": "other"}, {}, {"tenant": "c"}):
        (item,) = otlp.new_ids(1)
        place = (resource.get("bucket", BUCKET), resource.get("tenant", "pre"))
        wanted.setdefault(place, []).append(item)
        message.MergeFrom(otlp.request(otlp.LOGS, [item], resource=resource or {"x": "y"}))
    grpc_sender(holdfast).export(otlp.LOGS, message)
    until(lambda: len(store.keys()) + len(store.keys("other")) == 4, lambda: f"{store.keys()} {store.keys('other')}")
    found = {}
    for bucket in (BUCKET, "other"):
        for key in store.keys(bucket):
            prefix = re.fullmatch(f"base/(.*)/{MINUTE}/logs_{UNIQUE}.json", key).group(1)
            found[(bucket, prefix)] = otlp.ids(otlp.LOGS, otlp_json(otlp.LOGS, plain(store, key, bucket)))
    assert found == wanted


def test_a_bucket_that_a_sender_invents_holds_up_nobody(begin, store, grpc_sender):
    holdfast = begin(resource_attrs_to_s3={"s3_bucket": "bucket"})
    sender = grpc_sender(holdfast)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [1], resource={"bucket": "no-such-bucket"}))
    until(lambda: any("no-such-bucket" in one[1] for one in store.seen), "no attempt")
    ids = otlp.new_ids(3)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    wait_for_ids(store, ids)
    assert holdfast.books("logs", "awss3")["queued"]["items"] == 1


def test_class_acl_and_partition(begin, store, grpc_sender):
    holdfast = begin(
        {
            "storage_class": "STANDARD_IA",
            "acl": "bucket-owner-full-control",
            "s3_partition_format": "%Y/%H-%z",
            "s3_partition_timezone": "Asia/Kathmandu",
            "unique_key_func_name": "uuidv7",
            "s3_force_path_style": True,
        }
    )
    before = time.time()
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    (key,) = store.wait_for_keys(1)
    found = re.fullmatch(r"\d{4}/\d\d-\+0545/logs_([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}.json", key)
    assert found, key
    assert before - 1 <= int(found.group(1) + found.group(2), 16) / 1000 <= time.time() + 1
    _, known = store.object(key)
    assert known["StorageClass"] == "STANDARD_IA"
    assert next(one[3]["x-amz-acl"] for one in store.seen) == "bucket-owner-full-control"


def test_large_objects_go_in_parts(begin, store):
    holdfast = begin(marshaler="otlp_proto", sending_queue={"batch": {"sizer": "bytes", "min_size": 0}})
    ids = otlp.new_ids(3)
    padding = bytes(range(65, 91)).decode() * 250_000  # 6.5 MB each
    body = otlp.request(otlp.LOGS, ids, padding=padding).SerializeToString()
    # A part that fails is an attempt that fails: the whole object is written again.
    store.fails.append(("PUT", "partNumber=2", 503, "SlowDown"))
    store.fails.append(("POST", "uploadId", 500, "InternalError"))
    assert senders.post(holdfast.http_base, otlp.LOGS, body).status_code == 200
    wait_for_ids(store, ids)
    (key,) = store.keys()
    assert store.object(key)[0] == body
    methods = [one[0] for one in store.seen]
    assert methods.count("DELETE") == 2  # what failed was taken back
    assert not store.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_an_attempt_whose_answer_is_lost_is_repeated_on_the_same_object(begin, store, grpc_sender):
    holdfast = begin()
    store.hides += [("PUT", "")] * 2
    ids = otlp.new_ids(2)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    until(
        lambda: holdfast.books("logs", "awss3")["delivered"]["items"] == 2,
        lambda: f"{holdfast.books('logs', 'awss3')}",
    )
    assert len([one for one in store.seen if one[0] == "PUT"]) == 3
    assert len({one[1] for one in store.seen}) == 1
    assert ids_in(store) == ids


def test_kills_and_outages_lose_nothing(begin, store, grpc_sender):
    holdfast = begin(signals=["logs"], marshaler="otlp_proto")
    ids = []
    for turn in range(3):
        sender = grpc_sender(holdfast)
        store.hides += [("PUT", "")]  # written, and not acknowledged before the kill
        for item in otlp.new_ids(10):
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
            ids.append(item)
        if turn == 1:
            store.stop()
        holdfast.kill9()
        if turn == 1:
            store.start()
        holdfast.start()
    wait_for_ids(store, ids)
    until(
        lambda: holdfast.books("logs", "awss3")["queued"]["items"] == 0,
        lambda: f"{holdfast.books('logs', 'awss3')}",
    )
    assert set(ids_in(store)) == set(ids)


@pytest.mark.parametrize(
    ("code", "word"),
    [(503, "SlowDown"), (403, "AccessDenied"), (404, "NoSuchBucket"), (400, "AuthorizationHeaderMalformed")],
)
def test_what_is_about_the_bucket_costs_no_data(begin, store, grpc_sender, code, word):
    holdfast = begin()
    store.fails += [("PUT", "", code, word)] * 3
    ids = otlp.new_ids(2)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    wait_for_ids(store, ids)
    assert ids_in(store) == ids
    holdfast.wait_for_log(f"{word}: as the test wants & says")


def test_wrong_credentials_are_seen_and_cost_no_data(start, store, grpc_sender):
    holdfast = start(
        configuration(store, signals=["logs"]), environment={**store.environment, "AWS_SECRET_ACCESS_KEY": "wrong"}
    )
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(2)))
    holdfast.wait_for_log("SignatureDoesNotMatch")
    holdfast.wait_for_log("unhealthy")
    assert holdfast.books("logs", "awss3")["queued"]["items"] == 2
    assert store.keys() == []


def test_a_reload_changes_the_prefix(begin, store, grpc_sender):
    holdfast = begin({"s3_prefix": "one"})
    sender = grpc_sender(holdfast)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    store.wait_for_keys(1)
    holdfast.write_config(configuration(store, {"s3_prefix": "two"}))
    holdfast.reload()
    holdfast.wait_for_log("the new configuration runs")
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    keys = store.wait_for_keys(2)
    assert sorted(key.split("/")[0] for key in keys) == ["one", "two"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"s3uploader": {}}, "s3uploader::s3_bucket or s3uploader::endpoint is required"),
        ({"s3uploader": {"s3_bucket": "b", "acl": "all"}}, "acl"),
        ({"s3uploader": {"s3_bucket": "b", "storage_class": "BEST"}}, "storage_class"),
        ({"s3uploader": {"s3_bucket": "b", "compression": "lz4"}}, "compression"),
        ({"s3uploader": {"s3_bucket": "b", "compression": "zstd"}, "marshaler": "sumo_ic"}, "has gzip of its own"),
        ({"s3uploader": {"s3_bucket": "b"}, "encoding": "otlp"}, "encoding extensions are not built in"),
        ({"s3uploader": {"s3_bucket": "b", "s3_partition": "hour", "s3_partition_format": "x"}}, "exclude each other"),
    ],
)
def test_bad_values(start, change, sentence):
    settings = {"exporters": {"awss3": change}, "service": {"pipelines": pipelines(["awss3"])}}
    holdfast = start(settings, ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert sentence in done.stderr + done.stdout


def test_an_unknown_time_zone_is_refused(start, store):
    holdfast = start(configuration(store, {"s3_partition_timezone": "Mars/Olympus"}), ready=False)
    holdfast.spawn()
    assert holdfast.process.wait(20) != 0
    assert 'the time zone "Mars/Olympus" is not known' in holdfast.log()


def test_credentials_may_be_missing_for_now(start, store, grpc_sender, tmp_path):
    file = tmp_path / "credentials"
    holdfast = start(
        configuration(store, signals=["logs"]),
        environment={"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": str(file)},
    )
    sender = grpc_sender(holdfast)
    ids = otlp.new_ids(2)
    assert sender.code(otlp.LOGS, otlp.request(otlp.LOGS, ids)) is grpc.StatusCode.OK
    holdfast.wait_for_log("no credentials of AWS")
    file.write_text(f"[default]\naws_access_key_id={store.access}\naws_secret_access_key={store.secret}\n")
    wait_for_ids(store, ids)
