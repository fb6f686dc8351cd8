"""http_forwarder: requests of a real client reach Python's http.server with what it adds; a dead one is a 502."""

import requests

from support import otlp, senders
from support.holdfast import BASE, config
from support.ports import free_port


def test_requests_go_through_and_failures_are_told(start, http_backend):
    port = free_port()
    configuration = config({"nop": None})
    configuration["extensions"] = {
        "bearertokenauth": {"token": "there"},
        "bearertokenauth/in": {"token": "here"},
        "http_forwarder": {
            "ingress": {
                "endpoint": f"127.0.0.1:{port}",
                "max_request_body_size": 100000,
                "auth": {"authenticator": "bearertokenauth/in"},
            },
            "egress": {
                "endpoint": http_backend.endpoint,
                "auth": {"authenticator": "bearertokenauth"},
                "headers": {"X-Tenant": "a"},
                "compression": "zstd",
            },
        },
    }
    names = [*BASE["service"]["extensions"], *configuration["extensions"]]
    configuration["service"]["extensions"] = names
    holdfast = start(configuration)
    base = f"http://127.0.0.1:{port}"
    mine = {"Authorization": "Bearer here"}

    def send():
        ids = otlp.new_ids(3)
        answer = senders.post(base, otlp.LOGS, otlp.request(otlp.LOGS, ids), coding="gzip", headers=mine)
        return ids, answer

    ids, answer = send()
    http_backend.wait_for(ids)
    assert (answer.status_code, answer.headers["Via"]) == (200, f"HTTP/1.1 127.0.0.1:{port}")
    shown = http_backend.requests[-1].metadata
    assert shown["authorization"] == "Bearer there"
    assert shown["x-tenant"] == "a"
    assert shown["content-encoding"] == "zstd"
    assert shown["via"] == f"HTTP/1.1 127.0.0.1:{port}"

    missing = requests.get(f"{base}/missing", headers=mine, timeout=10)
    assert missing.status_code == 501  # the words of http.server for a method that it has not
    assert "Unsupported method ('GET')" in missing.text
    assert requests.post(f"{base}/v1/logs", data=b"", timeout=10).status_code == 401
    assert requests.post(f"{base}/v1/logs", data=bytes(100001), headers=mine, timeout=10).status_code == 413

    http_backend.stop()
    _, answer = send()
    assert answer.status_code == 502
    http_backend.start()
    ids, answer = send()
    assert answer.status_code == 200
    http_backend.wait_for(ids)

    holdfast.reload()
    ids, answer = send()
    assert answer.status_code == 200
    http_backend.wait_for(ids)
