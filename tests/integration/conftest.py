"""What the end-to-end tests share: Holdfast and its peers, stopped whatever becomes of the test."""

import contextlib

import pytest

from support import backends, holdfast, senders


@pytest.fixture
def ending():
    """Closes what a test opened, last opened first."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def start(tmp_path, ending):
    """start(configuration, ...) -> a running Holdfast; several of them have names of their own."""
    count = 0

    def make(configuration, ready=True, **options):
        nonlocal count
        count += 1
        instance = holdfast.Holdfast(tmp_path / f"holdfast{count}", configuration, **options)
        ending.callback(instance.close)
        return instance.start() if ready else instance

    return make


@pytest.fixture
def grpc_backend(ending):
    return ending.enter_context(backends.GrpcBackend())


@pytest.fixture
def http_backend(ending):
    return ending.enter_context(backends.HttpBackend())


@pytest.fixture
def grpc_sender(ending):
    """grpc_sender(holdfast) -> a GrpcSender to it."""
    return lambda instance, **options: ending.enter_context(
        senders.GrpcSender(instance.grpc_target, **options)
    )
