"""Objects in a bucket of Google Cloud Storage: names, contents, credentials, and what an outage or a kill may cost: nothing."""

import gzip
import re

import pytest

from support import otlp
from support.backends import otlp_json
from support.google import BUCKET, EMAIL, Google
from support.holdfast import FAST_RETRY, pipelines
from support.s3 import Store
from support.waiting import until

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


@pytest.fixture
def google(ending, tmp_path):
    return ending.enter_context(Google(tmp_path, [BUCKET]))


def configuration(url, bucket=None, signals=("traces", "metrics", "logs"), **more):
    exporter = {
        "bucket": {"name": BUCKET, "reuse_if_exists": True, **(bucket or {})},
        "endpoint": url,
        "retry_on_failure": dict(FAST_RETRY),
        **more,
    }
    return {
        "exporters": {"googlecloudstorage": exporter},
        "service": {"pipelines": pipelines(["googlecloudstorage"], signals=signals)},
    }


@pytest.fixture
def begin(start, google):
    """begin(keys of the bucket, environment=..., keys of the exporter...) -> a running Holdfast."""

    def run(bucket=None, environment=None, **more):
        return start(configuration(google.url, bucket, **more), environment=environment or google.as_service())

    return run


def ids_in(google):
    found = []
    for name in google.names():
        body = google.content(name)
        found += otlp.ids(otlp.LOGS, otlp_json(otlp.LOGS, body) if ".json" in name else otlp.LOGS.request.FromString(body))
    return found


def wait_for_ids(google, ids):
    until(lambda: set(ids) <= set(ids_in(google)), lambda: f"{len(ids_in(google))} of {len(ids)} items")


def books(holdfast, what, signal="logs"):
    return holdfast.books(signal, "googlecloudstorage")[what]["items"]


@pytest.mark.parametrize(
    ("format_", "compression", "end", "content_type", "encoding"),
    [
        (None, "none", "json", "application/json", None),
        ("otlp_json", "gzip", "json.gz", "application/json", "gzip"),
        ("otlp_proto", "zstd", "binpb.zst", "application/x-protobuf", "zstd"),
    ],
)
def test_a_request_is_an_object(begin, google, grpc_sender, format_, compression, end, content_type, encoding):
    more = {"format": format_} if format_ else {}
    holdfast = begin({"compression": compression}, **more)
    for count, signal in enumerate(otlp.SIGNALS, 1):
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(signal, otlp.request(signal, ids))
        (name,) = [one for one in google.wait_for_names(count) if one.startswith(signal.name)]
        assert re.fullmatch(rf"{signal.name}_{UUID}\.{re.escape(end)}", name)
        body = google.content(name)
        assert otlp.ids(signal, otlp_json(signal, body) if "json" in end else signal.request.FromString(body)) == ids
        assert google.objects[BUCKET, name][1:] == (content_type, encoding)
    ((_, claims),) = google.asked
    assert (claims["iss"], claims["scope"]) == (EMAIL, SCOPE)


def test_names_have_a_prefix_and_a_partition(begin, google, grpc_sender):
    holdfast = begin({"file_prefix": "ä b", "partition": {"prefix": "pre", "format": "year=%Y/month=%m"}},
                     format="body", signals=["logs"])
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(2), padding="a line"))
    (name,) = google.wait_for_names(1)
    assert re.fullmatch(rf"pre/year=\d{{4}}/month=\d\d/ä b_{UUID}\.txt", name)
    assert google.content(name) == b"a line\na line\n"


def test_lines_are_for_logs(start, google):
    holdfast = start(configuration(google.url, format="body"), ready=False, environment=google.as_service())
    done = holdfast.command("--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0 and "body is for logs" in done.stderr + done.stdout


def test_credentials_of_a_person(begin, google, grpc_sender):
    holdfast = begin(environment=google.as_user())
    ids = otlp.new_ids(2)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    wait_for_ids(google, ids)
    assert google.asked[0][0] == "user"


def test_credentials_of_the_machine(begin, google, grpc_sender):
    holdfast = begin(environment=google.as_machine())
    ids = otlp.new_ids(2)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    wait_for_ids(google, ids)
    assert google.asked[0] == ("instance/service-accounts/default/token", {"scopes": SCOPE})


def test_a_bucket_that_is_missing_is_created(begin, google, grpc_sender):
    google.buckets.clear()
    holdfast = begin({"region": "europe-west1"})
    ids = otlp.new_ids(2)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    wait_for_ids(google, ids)
    assert google.buckets[BUCKET] == {"name": BUCKET, "location": "europe-west1", "project": "project-1"}
    assert "Exporting failed" not in holdfast.log()


def test_project_and_region_are_the_machines(begin, google, grpc_sender):
    google.buckets.clear()
    holdfast = begin({"reuse_if_exists": False}, environment=google.as_machine())
    ids = otlp.new_ids(2)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    wait_for_ids(google, ids)
    assert google.buckets[BUCKET] == {"name": BUCKET, "location": "europe-west1", "project": "project-m"}


def test_a_bucket_that_is_there_is_refused_when_asked_for(begin, google, grpc_sender):
    holdfast = begin({"reuse_if_exists": False}, signals=["logs"])
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(2)))
    holdfast.wait_for_log("set bucket::reuse_if_exists to true")
    assert books(holdfast, "queued") == 2 and google.names() == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [(503, "Backend Error"), (429, "slow down"), (403, "no storage.objects.create access"), (400, "Bad Request"), (401, "x")],
)
def test_what_is_refused_waits(begin, google, grpc_sender, code, reason):
    google.fails += [("/upload/", code, reason)] * 2
    holdfast = begin(signals=["logs"])
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    wait_for_ids(google, ids)
    assert f"HTTP status {code}: {reason}" in holdfast.log()
    until(lambda: books(holdfast, "delivered") == 3, lambda: f"{holdfast.books('logs', 'googlecloudstorage')}")


def test_without_a_good_key_records_wait(begin, google, grpc_sender):
    environment = google.as_service(private_key="-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    holdfast = begin(environment=environment, signals=["logs"])
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    holdfast.wait_for_log("no RSA key in PEM")
    holdfast.wait_for_log("there is no token of Google Cloud now")
    google.key_file()  # the file is read again for each token
    wait_for_ids(google, ids)
    assert "BEGIN PRIVATE KEY" not in holdfast.log()


def test_an_attempt_whose_answer_is_lost_writes_the_same_object(begin, google, grpc_sender):
    google.hides.append("/upload/")
    holdfast = begin(signals=["logs"])
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    until(lambda: books(holdfast, "delivered") == 3, lambda: f"{holdfast.books('logs', 'googlecloudstorage')}")
    assert ids_in(google) == ids
    assert len([one for one in google.seen if "/upload/" in one[1]]) >= 2


def test_what_answers_no_object_is_not_cloud_storage(start, http_backend, google, grpc_sender):
    http_backend.judge = lambda _: None
    http_backend._serve = lambda handler, metadata, body: http_backend._answer(handler, 200, {}, b"{}")
    http_backend._connections = set()
    holdfast = start(configuration(http_backend.endpoint, signals=["logs"]), environment=google.as_service())
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    holdfast.wait_for_log("the answer names no object")
    assert books(holdfast, "queued") == 1


def test_a_kill_loses_nothing(begin, google, grpc_sender):
    holdfast = begin(signals=["logs"])
    ids = otlp.new_ids(20)
    sender = grpc_sender(holdfast)
    google.stop()
    for item in ids:
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, [item]))
    holdfast.wait_for_log("Exporting failed")
    holdfast.kill9()
    google.start()
    holdfast.start()
    wait_for_ids(google, ids)
    until(lambda: books(holdfast, "queued") == 0, lambda: f"{holdfast.books('logs', 'googlecloudstorage')}")


def test_the_xml_interface_with_an_hmac_key(start, ending, grpc_sender):
    store = ending.enter_context(Store((BUCKET,)))
    hmac = {"access_id": store.access, "secret": store.secret}
    bucket = {"compression": "gzip", "file_prefix": "a b+ü", "partition": {"prefix": "x=1"}}
    holdfast = start(configuration(store.url, bucket, signals=["logs"], hmac=hmac, format="otlp_proto"))
    ids = otlp.new_ids(5)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    until(lambda: store.keys(BUCKET), "no object came")
    (key,) = store.keys(BUCKET)
    assert re.fullmatch(rf"x=1/a b\+ü_{UUID}\.binpb\.gz", key)
    body, _ = store.object(key, BUCKET)
    assert otlp.ids(otlp.LOGS, otlp.LOGS.request.FromString(gzip.decompress(body))) == ids
    until(lambda: books(holdfast, "delivered") == 5, lambda: f"{holdfast.books('logs', 'googlecloudstorage')}")


def test_a_wrong_hmac_key_costs_no_data(start, ending, grpc_sender):
    store = ending.enter_context(Store((BUCKET,)))
    hmac = {"access_id": store.access, "secret": "wrong"}
    holdfast = start(configuration(store.url, signals=["logs"], hmac=hmac))
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
    holdfast.wait_for_log("SignatureDoesNotMatch")
    assert books(holdfast, "queued") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"bucket": {}}, "bucket::name is required"),
        ({"bucket": {"name": "No Bucket"}}, "bucket::name has to be"),
        ({"encoding": "text_encoding"}, "encoding extensions are not built in"),
        ({"hmac": {"access_id": "x"}}, "access_id and secret are needed"),
        ({"format": "parquet"}, "format"),
        ({"endpoint": "storage"}, "endpoint"),
    ],
)
def test_bad_values(start, google, change, sentence):
    holdfast = start(configuration(google.url), ready=False)
    settings = configuration(google.url)
    settings["exporters"]["googlecloudstorage"].update(change)
    holdfast.write_config(settings)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0
    assert sentence in done.stderr + done.stdout
