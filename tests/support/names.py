"""A name server on an address of its own, whose records a test sets."""

import contextlib

from dnslib import QTYPE, RR
from dnslib.server import BaseResolver, DNSLogger, DNSServer


class Zone(BaseResolver):
    """Answers of the records that are there; none is NXDOMAIN."""

    def __init__(self):
        self.records = {}  # (name, type): [data]
        self.is_broken = False

    def resolve(self, request, _handler):
        reply = request.reply()
        if self.is_broken:
            reply.header.rcode = 2
            return reply
        name, kind = str(request.q.qname), QTYPE[request.q.qtype]
        for data in self.records.get((name, kind), []):
            reply.add_answer(RR(name, getattr(QTYPE, kind), rdata=data, ttl=0))
        if not reply.rr and not any(known == name for known, _ in self.records):
            reply.header.rcode = 3
        return reply


@contextlib.contextmanager
def serving(zone, address):
    """Serves it at port 53 of that address; OSError: it cannot be had."""
    server = DNSServer(zone, address=address, port=53, logger=DNSLogger(logf=lambda _: None))
    server.server.socket.settimeout(None)
    server.start_thread()
    try:
        yield
    finally:
        server.stop()
        server.server.server_close()
