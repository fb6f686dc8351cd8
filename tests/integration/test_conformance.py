"""proto/, src/pdata/schema.c and the JSON mapping against the published Python package and json_format."""

import base64
import json
import math
import os
import pathlib
import random
import subprocess
import sys

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format
from google.protobuf.descriptor import FieldDescriptor as Field
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUESTS = {
    "traces": trace_service_pb2.ExportTraceServiceRequest,
    "metrics": metrics_service_pb2.ExportMetricsServiceRequest,
    "logs": logs_service_pb2.ExportLogsServiceRequest,
    "profiles": profiles_service_pb2.ExportProfilesServiceRequest,
}
RESPONSES = [
    trace_service_pb2.ExportTraceServiceResponse,
    metrics_service_pb2.ExportMetricsServiceResponse,
    logs_service_pb2.ExportLogsServiceResponse,
    profiles_service_pb2.ExportProfilesServiceResponse,
]
IDS = {"trace_id": 16, "span_id": 8, "parent_span_id": 8, "profile_id": 16}
ITEMS = {
    "Span", "NumberDataPoint", "HistogramDataPoint", "ExponentialHistogramDataPoint",
    "SummaryDataPoint", "LogRecord", "Sample",
}  # fmt: skip


# ---- proto/ against the published descriptors ----


def files_of(descriptor, found):
    for needed in descriptor.dependencies:
        files_of(needed, found)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    found[descriptor.name] = proto
    return found


PUBLISHED = {}
for module in (trace_service_pb2, metrics_service_pb2, logs_service_pb2, profiles_service_pb2):
    files_of(module.DESCRIPTOR, PUBLISHED)


@pytest.fixture(scope="session")
def own_files(tmp_path_factory):
    """Our .proto files, compiled, by name."""
    target = tmp_path_factory.mktemp("proto") / "set.bin"
    sources = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto/opentelemetry").rglob("*.proto"))
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"--descriptor_set_out={target}", *sources],
        cwd=ROOT / "proto",
        check=True,
    )
    files = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
    return {file.name: file for file in files.file}


def describe_message(message, prefix, facts, pool):
    name = f"{prefix}.{message.name}"
    facts[name] = sorted((r.start, r.end) for r in message.reserved_range)
    for field in message.field:
        choice = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
        facts[f"{name}.{field.name}"] = (
            field.number, field.label, field.type, field.type_name, choice,
            field.proto3_optional, pool.FindFieldByName(f"{name}.{field.name}").json_name,
        )  # fmt: skip
    for enum in message.enum_type:
        describe_enum(enum, name, facts)
    for inner in message.nested_type:
        describe_message(inner, name, facts, pool)


def describe_enum(enum, prefix, facts):
    facts[f"{prefix}.{enum.name}"] = sorted((value.number, value.name) for value in enum.value)


def describe(file, pool):
    facts = {"syntax": file.syntax}
    for message in file.message_type:
        describe_message(message, file.package, facts, pool)
    for enum in file.enum_type:
        describe_enum(enum, file.package, facts)
    for service in file.service:
        for method in service.method:
            facts[f"{file.package}.{service.name}/{method.name}"] = (
                method.input_type, method.output_type, method.client_streaming, method.server_streaming,
            )  # fmt: skip
    return facts


def test_own_files_are_those_of_the_package(own_files):
    assert sorted(own_files) == sorted(PUBLISHED)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_own_definitions_equal_the_published_ones(own_files, name):
    pool = descriptor_pool.DescriptorPool()
    for file in (own_files[name] for name in PUBLISHED):  # what is imported comes first
        pool.Add(file)
    published = describe(PUBLISHED[name], descriptor_pool.Default())
    assert describe(own_files[name], pool) == published


# ---- schema.c against the same ----


@pytest.fixture(scope="session")
def tool():
    """tests/support/json_tool.c, which the debug build makes; a function (mode, signal, input)."""
    path = str(ROOT / "build/debug/tests/support/json_tool")

    def run(*arguments, data=b""):
        done = subprocess.run([path, *arguments], input=data, capture_output=True, timeout=60)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout if done.returncode == 0 else None, done.stderr.decode()

    return run


TYPES = {
    Field.TYPE_BOOL: "bool", Field.TYPE_INT32: "int32", Field.TYPE_INT64: "int64",
    Field.TYPE_UINT32: "uint32", Field.TYPE_UINT64: "uint64", Field.TYPE_SINT32: "sint32",
    Field.TYPE_ENUM: "enum", Field.TYPE_FIXED32: "fixed32", Field.TYPE_FIXED64: "fixed64",
    Field.TYPE_SFIXED64: "sfixed64", Field.TYPE_DOUBLE: "double", Field.TYPE_STRING: "string",
    Field.TYPE_BYTES: "bytes", Field.TYPE_MESSAGE: "message",
}  # fmt: skip


def is_optional(field):
    return field.containing_oneof is not None and field.containing_oneof.name == "_" + field.name


def schema_line(field):
    kind = "id" if field.name in IDS else TYPES[field.type]
    choice = field.containing_oneof is not None and not is_optional(field)
    of = field.message_type or field.enum_type
    return " ".join(
        str(part)
        for part in (
            "field", field.containing_type.full_name, field.number, field.name, field.json_name, kind,
            int(field.is_repeated), int(choice), int(is_optional(field)), of.full_name if of else "-",
        )  # fmt: skip
    )


def reachable(descriptor, found):
    if descriptor.full_name not in found:
        found[descriptor.full_name] = descriptor
        for field in descriptor.fields:
            if field.message_type:
                reachable(field.message_type, found)
    return found


def test_schema_has_every_field_of_every_message(tool):
    output, _ = tool("schema")
    lines = output.decode().splitlines()
    messages = {}
    for request in [*REQUESTS.values(), *RESPONSES]:
        reachable(request.DESCRIPTOR, messages)
    fields = [schema_line(field) for message in messages.values() for field in message.fields]
    assert sorted(line for line in lines if line.startswith("field ")) == sorted(fields)

    enums = {f.enum_type.full_name: f.enum_type for m in messages.values() for f in m.fields if f.enum_type}
    values = {f"value {name} {v.name} {v.number}" for name, enum in enums.items() for v in enum.values}
    assert {line for line in lines if line.startswith("value ")} == values

    heads = [line.split() for line in lines if line.startswith("message ")]
    assert sorted(head[1] for head in heads) == sorted(messages)
    assert [int(head[2]) for head in heads] == list(range(len(messages)))
    assert {head[1].split(".")[-1] for head in heads if head[3] == "1"} == ITEMS


# ---- JSON against json_format ----

TEXTS = ["", "a", "service.name", "naïve", "日本語", "\U0001f600", 'quote " \\ / \b\f\n\r\t', "\x00\x01\x1f\x7f", "\u2028", "x" * 200]
DOUBLES = [0.0, -0.0, 1.0, 0.1, -2.5, 1e300, 5e-324, 1.7976931348623157e308, 0.30000000000000004, 1 / 3, 1e21, 123456789.125, 1e-7, math.inf, -math.inf, math.nan]  # fmt: skip
SIGNED = [0, 1, -1, 300]
WIDE = [0, 1, 2**63 - 1, 1700000000000000000, 2**53 + 1]


def random_scalar(field, dice):
    if field.name in IDS:
        return dice.choice([b"", dice.randbytes(IDS[field.name])])
    if field.type == Field.TYPE_STRING:
        return dice.choice(TEXTS)
    if field.type == Field.TYPE_BYTES:
        return dice.randbytes(dice.randrange(6))
    if field.type == Field.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type == Field.TYPE_DOUBLE:
        return dice.choice([*DOUBLES, dice.uniform(-1e6, 1e6)])
    if field.type == Field.TYPE_ENUM:
        return dice.choice([0, 1, 2, 77, -5])
    if field.type in (Field.TYPE_INT64, Field.TYPE_SFIXED64):
        return dice.choice([*WIDE, *SIGNED, -(2**63)])
    if field.type in (Field.TYPE_UINT64, Field.TYPE_FIXED64):
        return dice.choice([*WIDE, 2**64 - 1])
    if field.type in (Field.TYPE_INT32, Field.TYPE_SINT32):
        return dice.choice([*SIGNED, 2**31 - 1, -(2**31)])
    return dice.choice([0, 1, 257, 2**32 - 1])


def fill(message, dice, depth=0):
    """Sets some fields at random, deeper ones more rarely."""
    for field in message.DESCRIPTOR.fields:
        if dice.random() < (0.25 if depth < 5 else 0.6):
            continue
        if field.message_type and depth > 9:
            continue
        if field.is_repeated:
            for _ in range(dice.randrange(1 if depth == 0 else 0, 4)):
                if field.message_type:
                    fill(getattr(message, field.name).add(), dice, depth + 1)
                else:
                    getattr(message, field.name).append(random_scalar(field, dice))
        elif field.message_type:
            inner = getattr(message, field.name)
            inner.SetInParent()
            fill(inner, dice, depth + 1)
        else:
            setattr(message, field.name, random_scalar(field, dice))
    return message


def recode_ids(value, recode):
    """The ids of a decoded JSON text are hex in OTLP and base64 in json_format."""
    if isinstance(value, list):
        return [recode_ids(item, recode) for item in value]
    if isinstance(value, dict):
        return {
            key: recode(item) if key in ("traceId", "spanId", "parentSpanId", "profileId", *IDS) else recode_ids(item, recode)
            for key, item in value.items()
        }
    return value


def to_hex(text):
    return base64.b64decode(text).hex()


def to_base64(text):
    return base64.b64encode(bytes.fromhex(text)).decode()


def otlp_dict(message, **options):
    return recode_ids(json_format.MessageToDict(message, **options), to_hex)


CASES = [(signal, seed) for signal in REQUESTS for seed in range(25)]


@pytest.mark.parametrize("signal,seed", CASES)
def test_json_becomes_the_bytes_that_protobuf_writes(tool, signal, seed):
    message = fill(REQUESTS[signal](), random.Random(seed))
    for options in (
        {},
        {"use_integers_for_enums": True},
        {"preserving_proto_field_name": True},
        {"always_print_fields_with_no_presence": True},
    ):
        text = json.dumps(otlp_dict(message, **options), ensure_ascii=seed % 2 == 0, indent=seed % 3 or None)
        got, error = tool("in", signal, data=text.encode())
        assert got is not None, error
        assert REQUESTS[signal].FromString(got) == message or has_nan(message)
        assert got == message.SerializeToString(deterministic=True)


def has_nan(message):
    return "NaN" in json_format.MessageToJson(message)


@pytest.mark.parametrize("signal,seed", CASES)
def test_bytes_become_the_json_that_json_format_writes(tool, signal, seed):
    message = fill(REQUESTS[signal](), random.Random(1000 + seed))
    text, error = tool("out", signal, data=message.SerializeToString())
    assert text is not None, error
    assert b"\n" not in text
    got = json.loads(text)
    assert got == otlp_dict(message, use_integers_for_enums=True)
    again = json_format.ParseDict(recode_ids(got, to_base64), REQUESTS[signal]())
    assert again.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def wire_of(message, dice):
    """The same message as another writer might send it: fields in any order, lists unpacked or in several packs, unknown ones between."""
    lists = []
    for field, value in message.ListFields():
        values = list(value) if field.is_repeated else [value]
        parts = []
        for item in values:
            if field.message_type:
                inner = wire_of(item, dice)
                parts.append(varint(field.number << 3 | 2) + varint(len(inner)) + inner)
                continue
            one = type(message)()
            if field.is_repeated:
                getattr(one, field.name).append(item)
            else:
                setattr(one, field.name, item)
            parts.append(one.SerializeToString())
            if field.is_repeated and field.type != Field.TYPE_STRING and dice.random() < 0.5:
                parts[-1] = unpack(parts[-1], field)
        lists.append(parts)
    lists.append([varint(900 << 3 | 2) + b"\x03abc", varint(901 << 3 | 0) + b"\x7f", varint(902 << 3 | 1) + bytes(8)])
    out = b""
    while any(lists):
        parts = dice.choice([parts for parts in lists if parts])
        out += parts.pop(0)
    return out


def unpack(packed, field):
    """A pack of one: tag, size, value."""
    wire = 1 if field.type in (Field.TYPE_FIXED64, Field.TYPE_SFIXED64, Field.TYPE_DOUBLE) else 0
    return varint(field.number << 3 | wire) + packed[2:]


@pytest.mark.parametrize("signal,seed", CASES)
def test_the_order_on_the_wire_does_not_matter(tool, signal, seed):
    dice = random.Random(2000 + seed)
    message = fill(REQUESTS[signal](), dice)
    wire = wire_of(message, dice)
    text, error = tool("out", signal, data=wire)
    assert text is not None, error
    assert json.loads(text) == otlp_dict(message, use_integers_for_enums=True)


def test_parts_of_one_message_are_merged(tool):
    first = trace_service_pb2.ExportTraceServiceRequest()
    first.resource_spans.add().resource.attributes.add(key="a").value.string_value = "1"
    second = trace_service_pb2.ExportTraceServiceRequest()
    second.resource_spans.add().resource.attributes.add(key="b").value.int_value = 2
    inner = first.resource_spans[0].SerializeToString() + second.resource_spans[0].SerializeToString()
    wire = b"\x0a" + varint(len(inner)) + inner
    text, error = tool("out", "traces", data=wire)
    assert text is not None, error
    expected = trace_service_pb2.ExportTraceServiceRequest.FromString(wire)
    assert len(expected.resource_spans[0].resource.attributes) == 2
    assert json.loads(text) == otlp_dict(expected)
