"""Jaeger's api_v2 Span, and the request that brings some, for Python's protobuf, whose bytes and JSON are the other side in tests."""

from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, message_factory, timestamp_pb2

_PACKAGE = "jaeger.api_v2"
_TIME = ".google.protobuf.Timestamp"
_MESSAGES = {
    "KeyValue": "key=1:string v_type=2:ValueType v_str=3:string v_bool=4:bool v_int64=5:int64 v_float64=6:double v_binary=7:bytes",
    "Log": f"timestamp=1:{_TIME} fields=2:KeyValue*",
    "SpanRef": "trace_id=1:bytes span_id=2:bytes ref_type=3:SpanRefType",
    "Process": "service_name=1:string tags=2:KeyValue*",
    "Span": "trace_id=1:bytes span_id=2:bytes operation_name=3:string references=4:SpanRef* flags=5:uint32 "
    f"start_time=6:{_TIME} duration=7:.google.protobuf.Duration tags=8:KeyValue* logs=9:Log* process=10:Process "
    "process_id=11:string warnings=12:string*",
    "Batch": "spans=1:Span* process=2:Process",
    "PostSpansRequest": "batch=1:Batch",
}
_ENUMS = {
    "ValueType": ["STRING", "BOOL", "INT64", "FLOAT64", "BINARY"],
    "SpanRefType": ["CHILD_OF", "FOLLOWS_FROM"],
}


def _add_field(message, text):
    name, rest = text.split("=")
    number, kind = rest.split(":")
    field = message.field.add(name=name, number=int(number), label=3 if kind.endswith("*") else 1)
    kind = kind.removesuffix("*")
    if kind.islower() and not kind.startswith("."):
        field.type = getattr(descriptor_pb2.FieldDescriptorProto, "TYPE_" + kind.upper())
    else:
        field.type = 14 if kind in _ENUMS else 11
        field.type_name = kind if kind.startswith(".") else f".{_PACKAGE}.{kind}"


def _make():
    file = descriptor_pb2.FileDescriptorProto(name="jaeger_model.proto", package=_PACKAGE, syntax="proto3")
    file.dependency.extend([timestamp_pb2.DESCRIPTOR.name, duration_pb2.DESCRIPTOR.name])
    for name, values in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields.split():
            _add_field(message, field)
    pool = descriptor_pool.DescriptorPool()
    for needed in (timestamp_pb2, duration_pb2):
        pool.AddSerializedFile(needed.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _class(name):
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_POOL = _make()
Span, PostSpans = _class("Span"), _class("PostSpansRequest")
