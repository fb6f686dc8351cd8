"""A syslog server that keeps what it read, and can be slow, rude or away."""

import contextlib
import os
import re
import socket
import ssl
import struct
import threading

from .ports import free_port
from .waiting import until

ID = re.compile(rb"id=(\d+)\b")
RESET = struct.pack("ii", 1, 0)  # for SO_LINGER: a close says RST


class SyslogServer:
    """TCP, TLS (with a server's SSLContext) or a Unix socket. `stop()` and `start()` take it away and bring it back.

    `read_bytes`: what a connection is read before it is reset, None: all. `rude`: connections are closed at once.
    `paused`: nothing is read.
    """

    def __init__(self, tls=None, path=None):
        self.port = free_port()
        self.path = path
        self.connections = []  # the bytes of each
        self.read_bytes = None
        self.rude = False
        self.paused = threading.Event()
        self._tls = tls
        self._lock = threading.Lock()
        self._sockets = set()
        self._listener = None
        self._threads = []

    def start(self):
        if self.path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(self.path)
        else:
            self._listener = socket.socket()
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen()
        self._run(self._accept, self._listener)

    def stop(self):
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.hang_up()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def hang_up(self):
        """Ends every connection."""
        with self._lock:
            sockets = list(self._sockets)
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def use_tls(self, tls):
        self._tls = tls

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.paused.clear()
        self.stop()

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._run(self._serve, connection)

    def _serve(self, connection):
        kept = bytearray()
        with self._lock:
            self.connections.append(kept)
            self._sockets.add(connection)
        raw = connection
        try:
            if self.rude:
                return
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._sockets.discard(raw)
                    self._sockets.add(connection)
            self._read(connection, kept)
        except (OSError, ssl.SSLError):
            pass
        finally:
            with self._lock:
                self._sockets -= {raw, connection}
            connection.close()

    def _read(self, connection, kept):
        while True:
            while self.paused.is_set() and self._listener:
                threading.Event().wait(0.01)
            size = 65536 if self.read_bytes is None else self.read_bytes - len(kept)
            got = connection.recv(size) if size > 0 else b""
            kept += got
            if not got:
                if size <= 0:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                return

    def text(self):
        with self._lock:
            return b"".join(bytes(one) for one in self.connections)

    def ids(self):
        """Those of all whole lines, in order of arrival, repeats included."""
        with self._lock:
            lines = [line for one in self.connections for line in bytes(one).split(b"\n")[:-1]]
        return [int(found) for line in lines for found in ID.findall(line)]

    def wait_for(self, ids, seconds=60):
        wanted = set(ids)
        until(
            lambda: wanted <= set(self.ids()),
            lambda: f"{len(wanted - set(self.ids()))} of {len(wanted)} messages missing at the server",
            seconds,
        )

    def wait_for_connections(self, count, seconds=60):
        until(lambda: len(self.connections) >= count, lambda: f"{len(self.connections)} connections of {count}", seconds)


class DatagramServer:
    """Datagrams on a port that is closed until `start()`."""

    def __init__(self):
        self.port = free_port()
        self.datagrams = []
        self._socket = None
        self._thread = None

    def start(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._thread.start()

    def stop(self):
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._socket.close()
            self._socket = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _read(self, source):
        while True:
            try:
                datagram = source.recv(65536)
            except OSError:
                return
            if not datagram:
                return
            self.datagrams.append(datagram)

    def ids(self):
        return [int(found) for one in list(self.datagrams) for found in ID.findall(one)]

    def wait_for(self, ids, seconds=60):
        wanted = set(ids)
        until(
            lambda: wanted <= set(self.ids()),
            lambda: f"{len(wanted - set(self.ids()))} of {len(wanted)} messages missing at the server",
            seconds,
        )
