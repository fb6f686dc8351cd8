"""Requests signed for AWS, with the credentials of each place of the chain. botocore makes the same signatures."""

import urllib.parse

import pytest

from support import otlp
from support.aws import CredentialServer, is_signed, signature_of
from support.backends import status
from support.holdfast import FAST_RETRY
from support.waiting import until

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAME", "AWS_SECRET_ACCESS_KEY": "my/secret+key"}
# Nothing of the machine's own is found.
ALONE = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    **{name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")},
    **{name: "" for name in ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_REGION", "AWS_DEFAULT_REGION")},
    **{f"AWS_CONTAINER_CREDENTIALS_{name}_URI": "" for name in ("RELATIVE", "FULL")},
}


@pytest.fixture
def aws(ending):
    return ending.enter_context(CredentialServer())


def configuration(backend, exporter="otlphttp", **more):
    settings = {
        "endpoint": backend.endpoint,
        "auth": {"authenticator": "sigv4auth"},
        "retry_on_failure": dict(FAST_RETRY),
    }
    return {
        "extensions": {"sigv4auth": {"region": "eu-west-1", "service": "aps", **more}},
        "exporters": {exporter: settings},
        "service": {
            "extensions": ["sigv4auth", "health_check"],
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": [exporter]}},
        },
    }


@pytest.fixture
def send(start, http_backend, grpc_sender):
    """send(environment, key=value of the extension...) -> Holdfast and the request at the backend."""

    def make(environment, **more):
        holdfast = start(configuration(http_backend, **more), environment={**ALONE, **environment})
        ids = otlp.new_ids(3)
        grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
        http_backend.wait_for(ids)
        return holdfast, http_backend.requests[-1]

    return make


def assert_signed(backend, request, access, secret, token=None):
    assert signature_of(request.metadata["authorization"])[:3] == (access, "eu-west-1", "aps")
    url = f"{backend.endpoint}/v1/logs"
    assert is_signed("POST", url, request.metadata, request.body, secret, token)
    assert not is_signed("POST", url, request.metadata, request.body + b"x", secret, token)


def test_of_the_environment(send, http_backend):
    _, request = send(KEYS)
    assert_signed(http_backend, request, "AKIAME", "my/secret+key")


def test_with_a_session_token(send, http_backend):
    _, request = send({**KEYS, "AWS_SESSION_TOKEN": "tok/en=="})
    assert_signed(http_backend, request, "AKIAME", "my/secret+key", "tok/en==")


@pytest.mark.parametrize("profile", ["default", "other"])
def test_of_a_profile(send, http_backend, tmp_path, profile):
    path = tmp_path / "credentials"
    path.write_text(
        "# a comment\n[default]\naws_access_key_id = A-default\naws_secret_access_key=s-default\n"
        "[other]\naws_access_key_id=A-other\naws_secret_access_key = s-other\naws_session_token = t\n"
    )
    environment = {"AWS_SHARED_CREDENTIALS_FILE": str(path)}
    if profile != "default":
        environment["AWS_PROFILE"] = profile
    _, request = send(environment)
    token = "t" if profile == "other" else None
    assert_signed(http_backend, request, f"A-{profile}", f"s-{profile}", token)


def test_of_a_container_or_pod(send, http_backend, aws, tmp_path):
    (tmp_path / "token").write_text("pod-token\n")
    _, request = send(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{aws.url}/agent",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
    )
    assert_signed(http_backend, request, *aws.given[0])
    assert aws.asked[0][2]["authorization"] == "pod-token"


def test_of_an_instance(send, http_backend, aws):
    _, request = send({"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.url})
    assert_signed(http_backend, request, *aws.given[0])
    assert [one[:2] for one in aws.asked] == [
        ("PUT", "/latest/api/token"),
        ("GET", "/latest/meta-data/iam/security-credentials/"),
        ("GET", "/latest/meta-data/iam/security-credentials/my-role"),
    ]


@pytest.mark.parametrize("place", ["environment", "configuration"])
def test_of_a_web_identity(send, http_backend, aws, tmp_path, place):
    (tmp_path / "token").write_text("web.identity.token\n")
    environment, more = {"AWS_ENDPOINT_URL_STS": aws.url}, {}
    if place == "environment":
        environment |= {"AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}
        environment |= {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    else:
        role = {"arn": "arn:aws:iam::1:role/r", "web_identity_token_file": str(tmp_path / "token")}
        more = {"assume_role": role}
    _, request = send(environment, **more)
    assert_signed(http_backend, request, *aws.given[0])
    form = urllib.parse.parse_qs(aws.asked[0][3].decode())
    assert form["Action"] == ["AssumeRoleWithWebIdentity"]
    assert form["WebIdentityToken"] == ["web.identity.token"]
    assert form["RoleArn"] == ["arn:aws:iam::1:role/r"]
    assert "authorization" not in aws.asked[0][2]


def test_as_a_role(send, http_backend, aws):
    role = {"arn": "arn:aws:iam::1:role/r", "session_name": "s 1", "sts_region": "us-east-2", "external_id": "x"}
    _, request = send({**KEYS, "AWS_ENDPOINT_URL_STS": aws.url}, assume_role=role)
    assert_signed(http_backend, request, *aws.given[0])
    method, path, headers, body = aws.asked[0]
    assert signature_of(headers["authorization"])[:3] == ("AKIAME", "us-east-2", "sts")
    assert is_signed(method, f"{aws.url}{path}", headers, body, "my/secret+key")
    form = urllib.parse.parse_qs(body.decode())
    assert (form["RoleSessionName"], form["ExternalId"]) == (["s 1"], ["x"])


def test_they_are_renewed_before_their_end_and_when_refused(send, http_backend, aws, grpc_sender):
    aws.life = 4
    environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{aws.url}/agent"}
    holdfast, _ = send(environment)
    until(lambda: len(aws.given) >= 2, "they are renewed")
    aws.life = 3600
    until(lambda: len(aws.given) >= 3, "and again")
    count = len(aws.given)
    http_backend.next(status(401))
    ids = otlp.new_ids(1)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    http_backend.wait_for(ids)
    until(lambda: len(aws.given) == count + 1, "once more")


def test_without_credentials_records_wait(start, http_backend, aws, grpc_sender):
    aws.refuse = (403, "")
    environment = {**ALONE, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{aws.url}/agent"}
    holdfast = start(configuration(http_backend), environment=environment)
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    holdfast.wait_for_log("no credentials of AWS: .* answered 403")
    holdfast.wait_for_log("the authenticator has no credentials")
    assert not http_backend.requests
    holdfast.kill9()
    holdfast.start()
    aws.refuse = None
    http_backend.wait_for(ids)


@pytest.mark.parametrize("absent", ["region", "service"])
def test_without_region_or_service_the_host_must_say_it(start, http_backend, grpc_sender, absent):
    holdfast = start(configuration(http_backend, **{absent: ""}), environment={**ALONE, **KEYS})
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    holdfast.wait_for_log("does not say which service and region of AWS it is: set region and service")
    assert not http_backend.requests
    holdfast.write_config(configuration(http_backend))
    holdfast.reload()
    http_backend.wait_for(ids)


def test_the_host_says_region_and_service(start, http_backend, grpc_sender):
    """*.localhost is always this machine (RFC 6761)."""
    settings = configuration(http_backend, region="", service="")
    port = http_backend.endpoint.rpartition(":")[2]
    settings["exporters"]["otlphttp"]["endpoint"] = f"http://aps-workspaces.eu-west-1.localhost:{port}"
    holdfast = start(settings, environment={**ALONE, **KEYS})
    ids = otlp.new_ids(3)
    grpc_sender(holdfast).export(otlp.LOGS, otlp.request(otlp.LOGS, ids))
    http_backend.wait_for(ids)
    assert signature_of(http_backend.requests[-1].metadata["authorization"])[1:3] == ("eu-west-1", "aps")


def test_the_words_of_the_token_service(start, http_backend, aws):
    aws.refuse = (403, "<E><Error><Code>AccessDenied</Code><Message>not you</Message></Error></E>")
    environment = {**ALONE, **KEYS, "AWS_ENDPOINT_URL_STS": aws.url}
    holdfast = start(configuration(http_backend, assume_role={"arn": "a"}), environment=environment)
    holdfast.wait_for_log("answered 403: AccessDenied: not you")


@pytest.mark.parametrize(
    ("exporter", "keys", "words"),
    [
        ("otlphttp", {"assume_role": {"web_identity_token_file": "/x"}}, "needs assume_role::arn"),
        ("otlp", {}, "signs HTTP requests only"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(start, http_backend, exporter, keys, words):
    settings = configuration(http_backend, exporter, **keys)
    holdfast = start(settings, ready=False, environment={**ALONE, **KEYS})
    holdfast.spawn()
    holdfast.wait_for_log(words)
    until(lambda: holdfast.process.poll() is not None, "it ends")
