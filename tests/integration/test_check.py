"""`holdfast check`: what a configuration needs of the world outside is tried, and what is wrong is said."""

import http.server
import json
import os
import socket
import threading

import grpc
import pytest

from support import otlp
from support.backends import GrpcBackend, HttpBackend, refuse, status
from support.certificates import Authority
from support.docker import Docker
from support.holdfast import config, otlp_exporter, otlphttp_exporter, run
from support.issuer import Issuer
from support.kafka import Kafka
from support.kubelet import Kubelet
from support.kubernetes import KubernetesApi, service_account
from support.oauth import TokenServer
from support.ports import free_port
from support.s3 import BUCKET, Store
from support.scraped import Target
from support.waiting import until


@pytest.fixture
def check(tmp_path):
    """check(configuration) -> (exit code, lines)."""

    def make(configuration, environment=None, directory=None):
        path = tmp_path / "check.yaml"
        path.write_text(json.dumps(configuration))
        done = run(
            "check",
            "--config",
            path,
            "--data-dir",
            directory or tmp_path / "data",
            "--format",
            "json",
            "--timeout",
            "5s",
            env={**os.environ, "HOLDFAST_EPHEMERAL": "0", **(environment or {})},
        )
        assert done.stdout, done.stderr
        found = json.loads(done.stdout)
        assert found["ok"] == (done.returncode == 0)
        return done.returncode, found["checks"]

    return make


@pytest.fixture
def closed_door():
    """The URL of a server that knows no one."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def collector():
    """The URL of Splunk's HTTP Event Collector, which knows one token."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            known = self.headers["Authorization"] == "Splunk known"
            answer = {"text": "No data", "code": 5} if known else {"text": "Invalid token", "code": 4}
            body = json.dumps(answer).encode()
            self.send_response(400 if known else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def configuration(exporters, receivers=None, **more):
    receivers = receivers or {"nop": {}}
    wanted = {"receivers": list(receivers), "exporters": list(exporters)}
    return {
        "receivers": receivers,
        "exporters": exporters,
        "service": {"pipelines": {"logs": wanted}, **more.pop("service", {})},
        **more,
    }


def of_metrics(receivers):
    pipelines = {"metrics": {"receivers": list(receivers), "exporters": ["nop"]}}
    return {"receivers": receivers, "exporters": {"nop": {}}, "service": {"pipelines": pipelines}}


def lines_of(found, component):
    return {one["step"]: (one["result"], one["detail"]) for one in found if one["component"] == component}


def secure(endpoint, **tls):
    return {"endpoint": endpoint, "tls": tls, "compression": "none"}


class TestExporters:
    def test_a_backend_that_works(self, check, grpc_backend, http_backend):
        code, found = check(
            configuration({"otlp": otlp_exporter(grpc_backend), "otlphttp": otlphttp_exporter(http_backend)})
        )
        assert code == 0, found
        for name in ("otlp", "otlphttp"):
            lines = lines_of(found, f"exporter {name}")
            assert lines["tcp"] == ("ok", "connected")
            assert lines["export"][0] == "ok", found
        for backend in (grpc_backend, http_backend):
            assert [one.ids for one in backend.requests] == [[]], "one request, without items"

    def test_a_name_or_a_port_that_is_not_there(self, check):
        port = free_port()
        code, found = check(
            configuration(
                {
                    "otlp/name": {"endpoint": "nowhere.invalid:4317"},
                    "otlphttp/port": {"endpoint": f"http://127.0.0.1:{port}"},
                }
            )
        )
        assert code == 1
        assert "nowhere.invalid" in lines_of(found, "exporter otlp/name")["dns"][1]
        assert lines_of(found, "exporter otlphttp/port")["tcp"] == ("failed", "Connection refused")
        assert lines_of(found, "exporter otlphttp/port")["export"][0] == "warning"

    def test_what_is_wrong_with_a_certificate(self, check, tmp_path, ending):
        authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "other")

        def backend(name, **options):
            certificate, key = authority.issue(name, **options)
            credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
            return ending.enter_context(GrpcBackend(credentials=credentials)).endpoint

        good = backend("good")
        wrong_name = backend("elsewhere", names="DNS:elsewhere.example")
        expired = backend("expired", days=0)
        ca = str(authority.certificate)
        exporters = {
            "otlp/good": secure(good, ca_file=ca),
            "otlp/stranger": secure(good, ca_file=str(stranger.certificate)),
            "otlp/missing": secure(good, ca_file=str(tmp_path / "none.crt")),
            "otlp/name": secure(wrong_name, ca_file=ca),
            "otlp/expired": secure(expired, ca_file=ca),
            "otlp/unchecked": secure(good, insecure_skip_verify=True),
        }

        def result():  # a certificate of no days expires within the second
            code, found = check(configuration(exporters))
            assert code == 1
            lines = {name: lines_of(found, f"exporter {name}")["tls"] for name in exporters}
            return lines if "expired" in lines["otlp/expired"][1] else None

        lines = until(result, "the certificate expires")
        assert lines["otlp/good"] == ("ok", "the certificate is valid")
        assert lines["otlp/stranger"][0] == "failed" and "issuer" in lines["otlp/stranger"][1]
        assert "none.crt" in lines["otlp/missing"][1]
        assert lines["otlp/name"][0] == "failed" and "mismatch" in lines["otlp/name"][1]
        assert lines["otlp/unchecked"][0] == "warning"

    def test_a_server_in_clear_behind_a_secure_endpoint(self, check, http_backend):
        code, found = check(
            configuration({"otlphttp": {"endpoint": http_backend.endpoint.replace("http:", "https:")}})
        )
        assert code == 1
        assert lines_of(found, "exporter otlphttp")["tls"][0] == "failed", found

    def test_a_credential_that_is_refused(self, check, grpc_backend, http_backend):
        grpc_backend.always = refuse(grpc.StatusCode.UNAUTHENTICATED, "who are you")
        http_backend.always = status(403, body=b"not you")
        code, found = check(
            configuration({"otlp": otlp_exporter(grpc_backend), "otlphttp": otlphttp_exporter(http_backend)})
        )
        assert code == 1
        assert lines_of(found, "exporter otlp")["auth"][0] == "failed"
        assert "who are you" in lines_of(found, "exporter otlp")["auth"][1]
        assert lines_of(found, "exporter otlphttp")["auth"][0] == "failed", found

    def test_credentials_of_an_extension_are_sent(self, check, http_backend):
        code, found = check(
            configuration(
                {"otlphttp": otlphttp_exporter(http_backend, auth={"authenticator": "bearertokenauth"})},
                extensions={"bearertokenauth": {"token": "secret"}},
                service={"extensions": ["bearertokenauth"]},
            )
        )
        assert code == 0, found
        (one,) = http_backend.requests
        assert one.metadata["authorization"] == "Bearer secret"

    def test_a_backend_that_takes_no_empty_request_is_a_warning(self, check, http_backend):
        http_backend.always = status(400, body=b"nothing in it")
        code, found = check(configuration({"otlphttp": otlphttp_exporter(http_backend)}))
        assert code == 0
        assert lines_of(found, "exporter otlphttp")["export"][0] == "warning"

    def test_every_exporter_over_http_asks_its_backend(self, check, closed_door):
        """Those whose protocol has no request without items ask all the same."""
        exporters = {
            "loki": {"endpoint": closed_door + "/loki/api/v1/push"},
            "elasticsearch": {"endpoints": [closed_door]},
            "opensearch": {"http": {"endpoint": closed_door}},
            "clickhouse": {"endpoint": closed_door},
        }
        code, found = check(configuration(exporters))
        assert code == 1
        for name in exporters:
            assert lines_of(found, f"exporter {name}")["auth"][0] == "failed", found


    def test_splunk_is_asked_whether_it_knows_the_token(self, check, collector):
        exporters = {
            "splunk_hec": {"endpoint": collector, "token": "known"},
            "splunk_hec/other": {"endpoint": collector, "token": "other"},
        }
        code, found = check(configuration(exporters))
        assert code == 1
        assert lines_of(found, "exporter splunk_hec")["export"][0] == "ok", found
        assert lines_of(found, "exporter splunk_hec/other")["auth"] == ("failed", "Invalid token (code 4)"), found

    def test_the_exporter_jaeger_asks_the_port_of_otlp(self, check, grpc_backend):
        plain = {"tls": {"insecure": True}}
        exporters = {
            "jaeger": {"endpoint": grpc_backend.endpoint, **plain},
            "jaeger/moved": {"endpoint": "127.0.0.1:14250", **plain},
        }
        wanted = {"receivers": ["otlp"], "exporters": list(exporters)}
        receiver = {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{free_port()}"}}}
        _, found = check({"receivers": {"otlp": receiver}, "exporters": exporters, "service": {"pipelines": {"traces": wanted}}})
        assert lines_of(found, "exporter jaeger")["export"][0] == "ok", found
        assert {one["target"] for one in found if one["component"] == "exporter jaeger/moved" and one["step"] == "tcp"} == {"127.0.0.1:4317"}

    def test_buckets_are_listed(self, check, ending):
        store = ending.enter_context(Store())
        place = {"region": "us-east-1", "s3_force_path_style": True}

        def uploader(bucket, endpoint=store.url):
            return {"s3uploader": {**place, "s3_bucket": bucket, "endpoint": endpoint}}

        def downloader(bucket):
            keys = {**place, "s3_bucket": bucket, "s3_prefix": "p", "endpoint": store.url}
            return {"starttime": "2026-01-01", "endtime": "2026-01-02", "s3downloader": keys}

        exporters = {
            "awss3": uploader(BUCKET),
            "awss3/none": uploader("none"),
            "awss3/gone": uploader(BUCKET, f"http://127.0.0.1:{free_port()}"),
        }
        receivers = {"awss3": downloader(BUCKET), "awss3/none": downloader("none")}
        code, found = check(configuration(exporters, receivers), store.environment)
        assert code == 1
        assert lines_of(found, "exporter awss3")["export"][0] == "ok", found
        assert "NoSuchBucket" in lines_of(found, "exporter awss3/none")["export"][1], found
        assert lines_of(found, "exporter awss3/gone")["tcp"][0] == "failed"
        assert lines_of(found, "receiver awss3")["bucket"] == ("ok", "may be listed"), found
        assert "NoSuchBucket" in lines_of(found, "receiver awss3/none")["bucket"][1], found
        assert [one[0] for one in store.seen if one[0] != "GET"] == [], "nothing is changed"
        code, found = check(configuration({"awss3": uploader(BUCKET)}, receivers), {**store.environment, "AWS_SECRET_ACCESS_KEY": "wrong"})
        assert lines_of(found, "exporter awss3")["auth"][0] == "failed", found
        assert lines_of(found, "receiver awss3")["bucket"][0] == "failed", found
        # One who may not list may be one who writes.
        store.fails = [("GET", "list-type=2", 403, "AccessDenied")]
        code, found = check(configuration({"awss3": uploader(BUCKET)}), store.environment)
        assert code == 0 and "AccessDenied" in lines_of(found, "exporter awss3")["export"][1], found

    def test_brokers_are_asked_who_they_are(self, check, ending):
        cluster = ending.enter_context(Kafka())
        code, found = check(
            configuration({"kafka": {"brokers": cluster.brokers}}, {"kafka": {"brokers": ["127.0.0.1:9"]}})
        )
        assert code == 1
        assert lines_of(found, "exporter kafka")["auth"] == ("ok", "the cluster has 1 brokers")
        assert lines_of(found, "receiver kafka")["auth"][0] == "failed"


class TestInputs:
    def test_sockets_and_files(self, check, tmp_path, ending):
        taken = ending.enter_context(HttpBackend())
        free = f"127.0.0.1:{free_port()}"
        (tmp_path / "one.log").write_text("a\n")
        code, found = check(
            configuration(
                {"file": {"path": str(tmp_path / "out")}, "file/not": {"path": "/nowhere/out"}},
                {
                    "otlp": {"protocols": {"grpc": {"endpoint": free}}},
                    "otlp/taken": {"protocols": {"http": {"endpoint": taken.endpoint.removeprefix("http://")}}},
                    "filelog": {"include": [str(tmp_path / "*.log")]},
                    "filelog/none": {"include": [str(tmp_path / "none" / "*.log")]},
                },
            )
        )
        assert code == 1
        assert lines_of(found, "receiver otlp")["listen"] == ("ok", "free")
        assert lines_of(found, "receiver otlp/taken")["listen"][0] == "failed"
        assert lines_of(found, "receiver filelog")["file"] == ("ok", "1 files match, 0 cannot be read")
        assert lines_of(found, "receiver filelog/none")["file"][0] == "warning"
        assert lines_of(found, "exporter file")["file"] == ("ok", "can be made")
        assert lines_of(found, "exporter file/not")["file"][0] == "failed"
        assert not (tmp_path / "out").exists(), "nothing is changed"

    def test_sockets_of_metrics_and_of_extensions(self, check, tmp_path):
        taken = {kind: socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)}
        for one in taken.values():
            one.bind(("127.0.0.1", 0))
        taken[socket.SOCK_STREAM].listen()
        tcp, udp = (f"127.0.0.1:{taken[kind].getsockname()[1]}" for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        receivers = {
            "carbon": {"endpoint": udp},
            "carbon/tcp": {"endpoint": tcp},
            "carbon/udp": {"endpoint": udp, "transport": "udp"},
            "statsd": {"endpoint": tcp},
            "statsd/tcp": {"endpoint": tcp, "transport": "tcp"},
            "statsd/udp": {"endpoint": udp},
            "statsd/unix": {"endpoint": str(tmp_path / "statsd.sock"), "transport": "unixgram"},
            "statsd/nowhere": {"endpoint": "/nowhere/statsd.sock", "transport": "unixgram"},
        }
        extensions = {name: {"endpoint": tcp} for name in ("console", "pprof", "zpages")}
        settings = of_metrics(receivers) | {"extensions": extensions}
        settings["service"]["extensions"] = list(extensions)
        code, found = check(settings)
        for one in taken.values():
            one.close()
        results = {one["component"]: one["result"] for one in found if one["step"] == "listen"}
        free = {"receiver carbon", "receiver statsd", "receiver statsd/unix"}
        assert code == 1 and len(results) == len(receivers) + len(extensions), found
        assert {name for name, result in results.items() if result == "ok"} == free, found

    def test_the_journal(self, check, tmp_path):
        (tmp_path / "journal").mkdir()
        receivers = {
            "journald": {"directory": str(tmp_path / "journal")},
            "journald/none": {"directory": str(tmp_path / "none")},
        }
        code, found = check(configuration({"nop": {}}, receivers))
        assert code == 1
        assert lines_of(found, "receiver journald")["journal"] == ("ok", "can be read"), found
        assert lines_of(found, "receiver journald/none")["journal"][0] == "failed", found

    def test_the_metadata_of_a_task(self, check, http_backend):
        settings = of_metrics({"awsecscontainermetrics": {}})
        for url, result in ((http_backend.endpoint, "ok"), (f"http://127.0.0.1:{free_port()}", "failed")):
            _, found = check(settings, {"ECS_CONTAINER_METADATA_URI_V4": url})
            assert lines_of(found, "receiver awsecscontainermetrics")["tcp"][0] == result, found
        code, found = check(settings, {"ECS_CONTAINER_METADATA_URI_V4": ""})
        assert code == 1
        assert lines_of(found, "receiver awsecscontainermetrics")["environment"][0] == "failed", found

    def test_the_sockets_of_a_running_process_are_its_own(self, start, check, grpc_backend, grpc_sender):
        holdfast = start(config({"otlp": otlp_exporter(grpc_backend)}))
        endpoint = f"127.0.0.1:{holdfast.ports['GRPC_PORT']}"
        code, found = check(
            configuration(
                {"otlp": otlp_exporter(grpc_backend)}, {"otlp": {"protocols": {"grpc": {"endpoint": endpoint}}}}
            ),
            directory=holdfast.data_directory,
        )
        assert code == 0, found
        assert "not tried" in lines_of(found, "receiver otlp")["listen"][1]
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        grpc_backend.wait_for(ids)

    def test_rights_at_the_kubernetes_api(self, check, tmp_path, ending):
        authority = Authority(tmp_path / "ca")
        api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
        environment = service_account(tmp_path / "account", api, authority)
        wanted = configuration(
            {"nop": {}},
            {"k8s_events": {"namespaces": ["shop", "bank"]}},
            processors={"k8sattributes": {}},
        )
        wanted["service"]["pipelines"]["logs"]["processors"] = ["k8sattributes"]
        code, found = check(wanted, environment)
        assert code == 0, found
        assert {(one["namespace"], one["verb"]) for one in api.reviews if one["resource"] == "events"} == {
            (space, verb) for space in ("shop", "bank") for verb in ("list", "watch")
        }
        assert ("apps", "replicasets") in {(one.get("group"), one["resource"]) for one in api.reviews}
        api.denied = {("watch", "events"), "pods"}
        code, found = check(wanted, environment)
        assert code == 1
        refused = [one for one in found if one["result"] == "failed"]
        assert {one["target"] for one in refused} == {"events in shop", "events in bank", "pods"}
        assert all("no right to" in one["detail"] for one in refused)
        assert "list" not in next(one["detail"] for one in refused if one["target"] == "events in shop")

    def test_an_api_that_is_not_there(self, check):
        code, found = check(configuration({"nop": {}}, {"k8s_events": {}}))
        assert code == 1
        assert "KUBERNETES_SERVICE_HOST" in lines_of(found, "receiver k8s_events")["api"][1]


    def test_a_kubelet(self, check, ending):
        kubelet = ending.enter_context(Kubelet())
        receivers = {
            "kubeletstats": {"auth_type": "none", "endpoint": kubelet.endpoint},
            "kubeletstats/not": {"auth_type": "none", "endpoint": f"127.0.0.1:{free_port()}"},
        }
        code, found = check(of_metrics(receivers))
        assert code == 1
        assert lines_of(found, "receiver kubeletstats")["kubelet"] == ("ok", "answers")
        assert lines_of(found, "receiver kubeletstats/not")["kubelet"][0] == "failed"
        kubelet.answers["/stats/summary"] = 403
        code, found = check(of_metrics(receivers))
        assert lines_of(found, "receiver kubeletstats")["kubelet"][0] == "failed"

    def test_targets_and_servers_of_discovery(self, check, tmp_path, ending):
        target = ending.enter_context(Target("a 1\n"))
        tokens = ending.enter_context(TokenServer())
        (tmp_path / "targets.json").write_text("[]")
        oauth2 = {"client_id": "me", "client_secret": "s", "token_url": tokens.url}
        relabel = [{"source_labels": ["a"], "target_label": "b"}]
        gone = f"127.0.0.1:{free_port()}"

        def jobs(**keys):
            return {"config": {"scrape_configs": [{"job_name": "one", **keys}]}}

        def static(*targets):
            return [{"targets": list(targets)}]

        receivers = {
            "prometheus": jobs(static_configs=static(target.address), oauth2=oauth2),
            "prometheus/gone": jobs(static_configs=static(gone)),
            "prometheus/relabeled": jobs(static_configs=static(gone), relabel_configs=relabel),
            "prometheus/file": jobs(file_sd_configs=[{"files": [str(tmp_path / "targets.json")]}]),
            "prometheus/nofile": jobs(authorization={"credentials_file": "/nowhere"}),
            "prometheus/http": jobs(http_sd_configs=[{"url": f"http://{gone}/sd"}]),
            "prometheus/cluster": jobs(kubernetes_sd_configs=[{"role": "pod"}]),
        }
        code, found = check(of_metrics(receivers))
        assert code == 1
        result = {
            name: {one["result"] for one in found if one["component"] == f"receiver {name}"} for name in receivers
        }
        assert result == {
            "prometheus": {"ok"},
            "prometheus/gone": {"failed"},
            "prometheus/relabeled": {"ok"},
            "prometheus/file": {"ok"},
            "prometheus/nofile": {"failed"},
            "prometheus/http": {"failed"},
            "prometheus/cluster": {"failed"},
        }
        assert f"127.0.0.1:{tokens.port}" in str([one["target"] for one in found])

    def test_keys_of_an_issuer_and_credentials_of_aws(self, check, tmp_path, ending):
        issuer = ending.enter_context(Issuer())
        extensions = {
            "oidc": {"issuer_url": issuer.url, "audience": "a"},
            "oidc/gone": {"issuer_url": f"http://127.0.0.1:{free_port()}", "audience": "a"},
            "sigv4auth": {"region": "us-east-1", "service": "aps"},
        }
        settings = configuration({"nop": {}}, extensions=extensions, service={"extensions": list(extensions)})
        nothing = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
        nothing.update({name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE")})
        code, found = check(settings, nothing)
        assert code == 1
        assert lines_of(found, "extension oidc")["keys"] == ("ok", "fetched")
        assert lines_of(found, "extension oidc/gone")["keys"][0] == "failed"
        assert lines_of(found, "extension sigv4auth")["credentials"][0] == "failed"
        code, found = check(settings, {**nothing, "AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hush"})
        assert lines_of(found, "extension sigv4auth")["credentials"] == ("ok", "found")
        assert "hush" not in str(found)

    def test_detectors(self, check):
        detectors = {
            "resourcedetection": {"detectors": ["env", "system", "ec2"]},
            "resourcedetection/needed": {"detectors": ["ec2"], "ec2": {"fail_on_missing_metadata": True}},
        }
        settings = configuration({"nop": {}}, processors=detectors)
        settings["service"]["pipelines"]["logs"]["processors"] = list(detectors)
        environment = {
            "OTEL_RESOURCE_ATTRIBUTES": "a=1,b=2",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        }
        code, found = check(settings, environment)
        assert code == 1
        seen = {(one["component"].split()[1], one["target"]): (one["result"], one["detail"]) for one in found if one["step"] == "detector"}
        assert seen["resourcedetection", "env"] == ("ok", "2 attributes")
        assert seen["resourcedetection", "system"][0] == "ok"
        assert seen["resourcedetection", "ec2"][0] == "warning"
        assert seen["resourcedetection/needed", "ec2"][0] == "failed"

    def test_what_observers_need(self, check, tmp_path, ending):
        docker = ending.enter_context(Docker(tmp_path))
        authority = Authority(tmp_path / "ca")
        api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
        extensions = {
            "host_observer": {},
            "k8s_observer": {"observe_nodes": True, "namespaces": ["shop"]},
            "docker_observer": {"endpoint": docker.endpoint},
        }
        settings = configuration({"nop": {}}, extensions=extensions, service={"extensions": list(extensions)})
        code, found = check(settings, service_account(tmp_path / "account", api, authority))
        assert code == 0, found
        assert {(one["resource"], one.get("namespace")) for one in api.reviews} == {("pods", "shop"), ("nodes", None)}

    @pytest.mark.parametrize("endpoint", ["", "unix:///nowhere/docker.sock"])
    def test_a_docker_daemon_that_is_not_there_is_noticed(self, check, endpoint):
        """Without an endpoint it is that of DOCKER_HOST."""
        settings = of_metrics({"docker_stats": {"endpoint": endpoint}})
        code, found = check(settings, {"DOCKER_HOST": "unix:///nowhere/docker.sock"})
        assert code == 1
        assert [one["result"] for one in found if "/nowhere/docker.sock" in one["target"]] == ["failed"]

    def test_rights_are_those_of_the_namespaces_that_are_read(self, check, tmp_path, ending):
        authority = Authority(tmp_path / "ca")
        api = ending.enter_context(KubernetesApi(authority.issue("kubernetes"), {"first-token"}))
        discovery = {"role": "endpoints", "namespaces": {"names": ["shop"]}, "attach_metadata": {"node": True}}
        scrape = {"job_name": "a", "kubernetes_sd_configs": [discovery]}
        balancing = {"protocol": {"otlp": {"tls": {"insecure": True}}}, "resolver": {"k8s": {"service": "gateway.tracing"}}}
        receivers = {
            "nop": {},
            "k8s_cluster": {"namespaces": ["bank"]},
            "prometheus": {"config": {"scrape_configs": [scrape]}},
        }
        settings = configuration({"loadbalancing": balancing}, receivers=receivers)
        signals = {"metrics": ["k8s_cluster", "prometheus"], "traces": ["nop"]}
        settings["service"]["pipelines"] = {
            signal: {"receivers": names, "exporters": ["loadbalancing"]} for signal, names in signals.items()
        }
        _, found = check(settings, service_account(tmp_path / "account", api, authority))
        asked = {(one["resource"], one["verb"], one.get("namespace")) for one in api.reviews}
        assert {one for one in asked if one[2] != "bank"} == {
            (resource, verb, namespace)
            for verb in ("list", "watch")
            for resource, namespace in (
                *((name, "shop") for name in ("pods", "services", "endpoints")),
                ("nodes", None),
                ("endpointslices", "tracing"),
            )
        }, found
        of_cluster = {resource for resource, _, namespace in asked if namespace == "bank"}
        assert {"pods", "deployments", "jobs"} <= of_cluster and not of_cluster & {"nodes", "namespaces"}


class TestDataDirectory:
    def test_one_that_does_not_outlive_the_container_fails(self, check):
        code, found = check(configuration({"nop": {}}), {"HOLDFAST_EPHEMERAL": "1"})
        assert code == 1
        assert lines_of(found, "data directory")["volume"][0] == "failed"

    def test_one_that_cannot_be_made_fails(self, check, tmp_path):
        (tmp_path / "file").write_text("")
        code, found = check(configuration({"nop": {}}), directory=tmp_path / "file" / "data")
        assert code == 1
        assert lines_of(found, "data directory")["directory"][0] == "failed"

    def test_a_table_for_people(self, tmp_path):
        path = tmp_path / "check.yaml"
        path.write_text(json.dumps(configuration({"nop": {}})))
        done = run("check", "--config", path, "--data-dir", tmp_path / "data", env={**os.environ, "HOLDFAST_EPHEMERAL": "0"})
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("COMPONENT")
        assert done.stdout.endswith("ok: 2, warnings: 0, failed: 0\n")

    def test_wrong_words(self, tmp_path):
        for arguments in (("--format", "xml"), ("--timeout", "soon"), ("word",)):
            done = run("check", *arguments, cwd=tmp_path)
            assert done.returncode == 2, arguments

    def test_a_configuration_that_is_not_valid(self, tmp_path):
        path = tmp_path / "check.yaml"
        path.write_text("receivers: {otlp: {wrong: 1}}\n")
        assert run("check", "--config", path).returncode == 1
