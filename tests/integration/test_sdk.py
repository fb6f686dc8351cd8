"""The official SDK sees no difference from any other collector."""

import pytest

from support import otlp, sdk
from support.backends import GrpcBackend
from support.holdfast import Holdfast, config, otlp_exporter


@pytest.fixture(scope="module")
def through(tmp_path_factory):
    """One Holdfast with a backend behind it, for the whole module."""
    with GrpcBackend() as backend:
        holdfast = Holdfast(tmp_path_factory.mktemp("sdk"), config({"otlp": otlp_exporter(backend)})).start()
        yield holdfast, backend
        holdfast.close()


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("transport", ["grpc", "http"])
@pytest.mark.parametrize("signal", otlp.SIGNALS, ids=lambda one: one.name)
class TestSdk:
    def test_what_the_sdk_sends_arrives_once(self, through, signal, transport, gzip):
        holdfast, backend = through
        ids = otlp.new_ids(50)
        assert sdk.send(signal, sdk.exporter(signal, transport, holdfast, gzip), ids) is not False
        backend.wait_for(ids)
        arrived = [item for item in backend.ids(signal) if item in set(ids)]
        assert sorted(arrived) == sorted(ids)

    def test_the_resource_comes_along(self, through, signal, transport, gzip):
        holdfast, backend = through
        ids = otlp.new_ids(1)
        sdk.send(signal, sdk.exporter(signal, transport, holdfast, gzip), ids)
        backend.wait_for(ids)
        request = next(one for one in backend.accepted(signal) if ids[0] in one.ids)
        names = [
            otlp.attributes(resource)["service.name"] for resource in otlp.resources(signal, request.message)
        ]
        assert "sdk-test" in names


class TestSdkAgainstRefusals:
    def test_the_sdk_retries_until_holdfast_is_there(self, start, grpc_backend):
        """A refused connection is retried by the SDK: a restart of Holdfast costs it nothing."""
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        exporter = sdk.exporter(otlp.TRACES, "grpc", holdfast, timeout=10)
        ids = otlp.new_ids(5)
        sdk.send(otlp.TRACES, exporter, ids)
        holdfast.kill9()
        holdfast.start()
        more = otlp.new_ids(5)
        assert (
            sdk.send(otlp.TRACES, sdk.exporter(otlp.TRACES, "grpc", holdfast, timeout=10), more) is not False
        )
        grpc_backend.wait_for(ids + more)

    def test_headers_of_the_sdk_do_no_harm(self, start, grpc_backend):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        headers = (("x-tenant", "a"), ("authorization", "Bearer t"))
        ids = otlp.new_ids(3)
        exporter = sdk.exporter(otlp.LOGS, "grpc", holdfast, headers=headers)
        assert sdk.send(otlp.LOGS, exporter, ids) is not False
        grpc_backend.wait_for(ids)
