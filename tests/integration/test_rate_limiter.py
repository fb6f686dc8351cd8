"""rate_limiter: what is over the limit is refused before the OK, per tenant; what was accepted is delivered."""

import grpc
import pytest
import yaml

from support import otlp, senders
from support.holdfast import config, otlp_exporter, run
from support.waiting import until

HOUR = "3600s"  # so long an interval that nothing fills up again in a test


@pytest.fixture
def limiting(start, grpc_backend):
    """limiting(keys) -> a Holdfast with that rate limiter in front of every queue."""

    def make(**keys):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["processors"] = {"rate_limiter": {"throttle_interval": HOUR, **keys}}
        ports = {"grpc": "GRPC_PORT", "http": "HTTP_PORT"}
        protocols = {
            name: {"endpoint": f"127.0.0.1:${{env:{port}}}", "include_metadata": True} for name, port in ports.items()
        }
        configuration["receivers"] = {"otlp": {"protocols": protocols}}
        for pipeline in configuration["service"]["pipelines"].values():
            pipeline["processors"] = ["rate_limiter"]
        return start(configuration)

    return make


def post(holdfast, ids, tenant="a", service=None):
    message = otlp.request(otlp.TRACES, ids, resource={"service.name": service} if service else None)
    return senders.post(holdfast.http_base, otlp.TRACES, message, headers={"X-Tenant": tenant})


class TestLimits:
    def test_http_senders_get_429_with_a_delay(self, limiting, grpc_backend):
        holdfast = limiting(strategy="records", rate=10)
        ids = otlp.new_ids(8)
        assert post(holdfast, ids).status_code == 200
        refused = post(holdfast, otlp.new_ids(3))
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) >= 1
        assert post(holdfast, more := otlp.new_ids(2)).status_code == 200
        grpc_backend.wait_for(ids + more)
        assert holdfast.metric("otelcol_ratelimit_items", decision="accepted") == 10
        assert holdfast.metric("otelcol_ratelimit_items", decision="throttled") == 3

    def test_grpc_senders_get_resource_exhausted(self, limiting, grpc_sender):
        holdfast = limiting(strategy="requests", rate=1)
        sender = grpc_sender(holdfast)
        sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        with pytest.raises(grpc.RpcError) as refused:
            sender.export(otlp.LOGS, otlp.request(otlp.LOGS, otlp.new_ids(1)))
        assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert any(key == "grpc-status-details-bin" for key, _ in refused.value.trailing_metadata())

    def test_each_tenant_has_its_own(self, limiting):
        holdfast = limiting(strategy="records", rate=5, metadata_keys=["X-Tenant"], overrides={"large": {"rate": 20}})
        for tenant, wanted in (("a", 200), ("a", 429), ("b", 200), ("large", 200), ("large", 200), ("b", 429)):
            assert post(holdfast, otlp.new_ids(5), tenant).status_code == wanted, tenant

    def test_so_has_each_service(self, limiting):
        holdfast = limiting(strategy="records", rate=5, resource_attributes=["service.name"])
        for service, wanted in (("a", 200), ("a", 429), ("b", 200)):
            assert post(holdfast, otlp.new_ids(5), service=service).status_code == wanted

    def test_a_request_larger_than_the_burst_passes_once(self, limiting):
        holdfast = limiting(strategy="records", rate=5)
        assert post(holdfast, otlp.new_ids(50)).status_code == 200
        assert post(holdfast, otlp.new_ids(1)).status_code == 429

    def test_the_number_of_tenants_is_bounded(self, limiting):
        holdfast = limiting(strategy="requests", rate=1, metadata_keys=["x-tenant"], max_keys=2)
        assert [post(holdfast, otlp.new_ids(1), tenant).status_code for tenant in "abab"] == [200, 200, 429, 429]
        assert post(holdfast, otlp.new_ids(1), "c").status_code == 200  # forgets the one used longest ago
        assert post(holdfast, otlp.new_ids(1), "b").status_code == 429

    def test_it_fills_up_again(self, limiting):
        holdfast = limiting(strategy="requests", rate=1, throttle_interval="1ms")
        assert post(holdfast, otlp.new_ids(1)).status_code == 200
        until(lambda: post(holdfast, otlp.new_ids(1)).status_code == 200, "it is still refused")

    def test_a_wrong_rate_is_refused(self, start, grpc_backend):
        configuration = config({"otlp": otlp_exporter(grpc_backend)})
        configuration["processors"] = {"rate_limiter": {"rate": 0}}
        holdfast = start(configuration, ready=False)
        holdfast.spawn()
        assert holdfast.process.wait(60) != 0
        assert "rate must be greater than zero" in holdfast.log()


class TestShareOfTheQueue:
    """`queue_share`: a tenant that has its part of the disk is refused, while the others pass."""

    @pytest.fixture
    def sharing(self, start, grpc_backend):
        grpc_backend.stop()
        exporter = otlp_exporter(grpc_backend, sending_queue={"max_bytes": "16MiB"})
        configuration = config({"otlp": exporter})
        configuration["processors"] = {
            "rate_limiter": {"queue_share": 0.25, "metadata_keys": ["X-Tenant"]},
            "attributes": {"actions": [{"key": "seen", "value": "1", "action": "insert"}]},
        }
        http = {"endpoint": "127.0.0.1:${env:HTTP_PORT}", "include_metadata": True}
        configuration["receivers"] = {"otlp": {"protocols": {"http": http}}}
        for pipeline in configuration["service"]["pipelines"].values():
            pipeline["processors"] = ["rate_limiter", "attributes"]  # what comes behind makes batches of its own
        return start(configuration)

    @staticmethod
    def send(holdfast, tenant, ids):
        message = otlp.request(otlp.LOGS, ids, padding="x" * 100000)
        return senders.post(holdfast.http_base, otlp.LOGS, message, headers={"X-Tenant": tenant})

    def fill(self, holdfast, tenant):
        """Sends until it is refused; what was accepted."""
        accepted = []
        while True:
            ids = otlp.new_ids(1)
            answer = self.send(holdfast, tenant, ids)
            if answer.status_code != 200:
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) >= 1
                return accepted
            accepted += ids

    def test_one_tenant_does_not_fill_it_for_all(self, sharing, grpc_backend):
        loud = self.fill(sharing, "loud")
        assert 35 <= len(loud) <= 42  # 4 MiB of 16
        assert sharing.metric("holdfast_queue_refused_share", queue="logs") == 1
        assert sharing.metric("holdfast_queue_refused_full", queue="logs") == 0
        quiet = otlp.new_ids(5)
        for one in quiet[:3]:
            assert self.send(sharing, "quiet", [one]).status_code == 200
        sharing.kill9()
        sharing.start()
        # What was stored is known again, in the background.
        until(lambda: not self.fill(sharing, "loud"), "the loud one is refused")
        for one in quiet[3:]:
            assert self.send(sharing, "quiet", [one]).status_code == 200
        grpc_backend.start()
        grpc_backend.wait_for(loud + quiet)
        until(lambda: self.send(sharing, "loud", otlp.new_ids(1)).status_code == 200, "there is room again")

    @pytest.mark.parametrize(
        "keys, says",
        [
            ({"queue_share": 0.5}, "needs metadata_keys or resource_attributes"),
            ({"queue_share": 1.5, "metadata_keys": ["x"]}, "at most 1"),
            ({"queue_share": 0, "metadata_keys": ["x"]}, "at least 0.001"),
            ({"metadata_keys": ["x"]}, "rate must be greater than zero"),
            ({"queue_share": 0.5, "metadata_keys": ["x"], "rate": -1}, "rate must be greater than zero"),
        ],
    )
    def test_a_share_that_says_nothing_is_refused(self, tmp_path, keys, says):
        path = tmp_path / "config.yaml"
        path.write_text(
            yaml.safe_dump(
                {
                    "receivers": {"otlp": {"protocols": {"http": {"endpoint": "127.0.0.1:4318"}}}},
                    "processors": {"rate_limiter": keys},
                    "exporters": {"debug": {}},
                    "service": {
                        "pipelines": {
                            "logs": {"receivers": ["otlp"], "processors": ["rate_limiter"], "exporters": ["debug"]}
                        }
                    },
                }
            )
        )
        done = run("validate", "--config", path)
        assert done.returncode != 0
        assert says in done.stdout + done.stderr
