"""Tokens of Google Cloud on what is sent: of a key, of a person, of the machine; renewed, and waited for."""

import jwt
import pytest

from support import otlp
from support.backends import status
from support.google import Google
from support.holdfast import FAST_RETRY
from support.waiting import until

SCOPES = [
    f"https://www.googleapis.com/auth/{one}"
    for one in ("cloud-platform", "logging.write", "monitoring.write", "trace.append")
]


@pytest.fixture
def google(ending, tmp_path):
    return ending.enter_context(Google(tmp_path))


def configuration(exporter, endpoint, name="googleclientauth", **keys):
    settings = {
        "endpoint": endpoint,
        "auth": {"authenticator": name},
        "retry_on_failure": dict(FAST_RETRY),
        "tls": {"insecure": True},
    }
    return {
        "extensions": {name: keys},
        "exporters": {exporter: settings},
        "service": {
            "extensions": [name, "health_check"],
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": [exporter]}},
        },
    }


def send(sender):
    ids = otlp.new_ids(2)
    sender.export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    return ids


def test_an_access_token_of_a_service_account(start, google, http_backend, grpc_sender):
    holdfast = start(configuration("otlphttp", http_backend.endpoint), environment=google.as_service())
    sender = grpc_sender(holdfast)
    for _ in range(2):
        http_backend.wait_for(send(sender))
    for one in http_backend.requests:
        assert one.metadata["authorization"] == "Bearer token-1"
        assert one.metadata["x-goog-project-id"] == "project-1"
        assert "x-goog-user-project" not in one.metadata
    ((_, claims),) = google.asked
    assert claims["scope"].split() == SCOPES


def test_of_a_person_with_a_project_that_pays(start, google, grpc_backend, grpc_sender):
    environment = {**google.as_user(), "GOOGLE_CLOUD_PROJECT": "named"}
    holdfast = start(
        configuration("otlp", grpc_backend.endpoint, name="google_client_auth/own"), environment=environment
    )
    grpc_backend.wait_for(send(grpc_sender(holdfast)))
    metadata = grpc_backend.requests[0].metadata
    assert (metadata["authorization"], metadata["x-goog-user-project"]) == ("Bearer token-1", "pays")
    assert metadata["x-goog-project-id"] == "named"


def test_of_the_machine(start, google, http_backend, grpc_sender):
    keys = {"scopes": ["a", "b c"], "quota_project": "q", "token_header": "proxy-authorization"}
    holdfast = start(configuration("otlphttp", http_backend.endpoint, **keys), environment=google.as_machine())
    http_backend.wait_for(send(grpc_sender(holdfast)))
    metadata = http_backend.requests[0].metadata
    assert metadata["proxy-authorization"] == "Bearer token-1" and "authorization" not in metadata
    assert (metadata["x-goog-project-id"], metadata["x-goog-user-project"]) == ("project-m", "q")
    assert google.asked[0] == ("instance/service-accounts/default/token", {"scopes": "a,b,c"})


@pytest.mark.parametrize("kind", ["service", "machine"])
def test_an_id_token_is_for_an_audience(start, google, http_backend, grpc_sender, kind):
    environment = google.as_service() if kind == "service" else google.as_machine()
    keys = {"token_type": "id_token", "audience": "https://run.test/a?b&c"}
    holdfast = start(configuration("otlphttp", http_backend.endpoint, **keys), environment=environment)
    http_backend.wait_for(send(grpc_sender(holdfast)))
    assert http_backend.requests[0].metadata["authorization"] == "Bearer token-1"
    asked = google.asked[0][1]
    assert asked["target_audience" if kind == "service" else "audience"] == keys["audience"]
    assert "scope" not in asked


def test_a_token_is_renewed_before_its_end(start, google, http_backend, grpc_sender):
    google.life = 2
    holdfast = start(configuration("otlphttp", http_backend.endpoint), environment=google.as_service())
    sender = grpc_sender(holdfast)
    until(lambda: len(google.asked) >= 3, lambda: f"{len(google.asked)} tokens")
    http_backend.wait_for(send(sender))
    number = int(http_backend.requests[-1].metadata["authorization"].removeprefix("Bearer token-"))
    assert number >= 2


def test_a_token_that_is_refused_is_renewed_once(start, google, http_backend, grpc_sender):
    http_backend.next(status(401), status(401))
    holdfast = start(configuration("otlphttp", http_backend.endpoint), environment=google.as_service())
    http_backend.wait_for(send(grpc_sender(holdfast)))
    assert len(google.asked) == 2


def test_a_signature_of_another_key_is_refused_and_records_wait(start, google, http_backend, grpc_sender):
    other = Google(google.directory)
    environment = google.as_service()
    good = google.key
    google.key = other.key
    holdfast = start(configuration("otlphttp", http_backend.endpoint), environment=environment)
    ids = send(grpc_sender(holdfast))
    holdfast.wait_for_log("invalid_grant: Invalid JWT Signature")
    assert google.asked[0][0] == "refused" and not http_backend.accepted()
    google.key = good
    http_backend.wait_for(ids)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "cannot be used"),
        ('{"type": "external_account"}', "external_account and impersonated_service_account are not built in"),
        ('{"type": "service_account", "client_email": "x"}', "client_email or private_key is missing"),
    ],
)
def test_credentials_that_cannot_be_used_are_said(start, google, http_backend, grpc_sender, tmp_path, text, sentence):
    path = tmp_path / "bad.json"
    path.write_text(text)
    environment = {**google.as_machine(), "GOOGLE_APPLICATION_CREDENTIALS": str(path)}
    holdfast = start(configuration("otlphttp", http_backend.endpoint), environment=environment)
    holdfast.wait_for_log(sentence)
    ids = send(grpc_sender(holdfast))
    path.write_text(google.key_file().read_text())
    http_backend.wait_for(ids)


def test_an_audience_is_wanted(start, google, http_backend):
    holdfast = start(configuration("otlphttp", http_backend.endpoint, token_type="id_token"), ready=False)
    done = holdfast.command("validate", "--config", holdfast.base_path, "--config", holdfast.config_path)
    assert done.returncode != 0 and "audience must be specified" in done.stderr + done.stdout


def test_the_stand_in_checks_signatures(google):
    """So that the tests above can fail."""
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(jwt.encode({"a": 1}, Google(google.directory).key, "RS256"), google.key.public_key(), ["RS256"])
