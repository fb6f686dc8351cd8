"""Spans as Jaeger's clients write them, by Apache Thrift's own protocols and Jaeger's generated types; api_v2's protobuf
is described by hand."""

import struct

from jaeger_client.thrift_gen.agent import Agent
from jaeger_client.thrift_gen.jaeger import ttypes
from thrift.protocol import TBinaryProtocol
from thrift.Thrift import TMessageType
from thrift.transport import TTransport

from . import otlp

TIME_US = 1_700_000_000_000_000


def _batch(ids):
    spans = [
        ttypes.Span(
            traceIdLow=item,
            traceIdHigh=0,
            spanId=item,
            parentSpanId=0,
            operationName="made",
            flags=1,
            startTime=TIME_US,
            duration=7,
            tags=[ttypes.Tag(key=otlp.ID_KEY, vType=ttypes.TagType.LONG, vLong=item)],
        )
        for item in ids
    ]
    return ttypes.Batch(process=ttypes.Process(serviceName="shop", tags=[]), spans=spans)


def batch(ids):
    """A Batch in the binary protocol: a body for thrift_http."""
    memory = TTransport.TMemoryBuffer()
    _batch(ids).write(TBinaryProtocol.TBinaryProtocol(memory))
    return memory.getvalue()


def agent_call(ids, factory):
    """A call of the agent's emitBatch: a datagram."""
    memory = TTransport.TMemoryBuffer()
    protocol = factory(memory)
    protocol.writeMessageBegin("emitBatch", TMessageType.ONEWAY, 1)
    Agent.emitBatch_args(batch=_batch(ids)).write(protocol)
    protocol.writeMessageEnd()
    return memory.getvalue()


def _field(number, content):
    return otlp.varint(number << 3 | 2) + otlp.varint(len(content)) + content


def post_spans(ids):
    """A PostSpansRequest of api_v2."""
    spans = b""
    for item in ids:
        tag = _field(1, otlp.ID_KEY.encode()) + b"\x10\x02\x28" + otlp.varint(item)
        start = b"\x08" + otlp.varint(TIME_US // 10**6)
        spans += _field(
            1,
            _field(1, struct.pack(">QQ", 0, item))
            + _field(2, struct.pack(">Q", item))
            + _field(3, b"made")
            + _field(6, start)
            + _field(8, tag),
        )
    return _field(1, spans + _field(2, _field(1, b"shop")))
