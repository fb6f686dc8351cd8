"""A small Docker daemon: its containers over a Unix socket or TCP."""

import contextlib
import http.server
import json
import queue
import socketserver
import ssl
import threading
import time
import urllib.parse

UNLIMITED = (1 << 64) - 1


def cpu(total, system):
    usage = {"total_usage": total, "usage_in_kernelmode": 100, "usage_in_usermode": 200, "percpu_usage": [30, 40]}
    throttling = {"periods": 5, "throttled_periods": 2, "throttled_time": 77}
    return {"cpu_usage": usage, "system_cpu_usage": system, "online_cpus": 2, "throttling_data": throttling}


def stats_v2():
    """Of cgroups v2."""
    return {
        "cpu_stats": cpu(1500, 11000),
        "precpu_stats": cpu(1000, 10000),
        "memory_stats": {
            "usage": 1000,
            "limit": 4000,
            "stats": {"anon": 11, "file": 22, "inactive_file": 200, "pgfault": 33, "unknown": 1},
        },
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 8, "minor": 0, "op": "Read", "value": 10},
                {"major": 8, "minor": 0, "op": "Write", "value": 20},
            ],
            "io_serviced_recursive": None,
        },
        "networks": {
            "eth0": {"rx_bytes": 1, "rx_dropped": 2, "rx_errors": 3, "rx_packets": 4, "tx_bytes": 5, "tx_dropped": 6},
            "eth1": {"rx_bytes": 7},
        },
        "pids_stats": {"current": 9, "limit": UNLIMITED},
    }


def stats_v1():
    """Of cgroups v1."""
    made = stats_v2()
    made["memory_stats"] = {
        "usage": 1000,
        "max_usage": 1234,
        "failcnt": 3,
        "limit": 9223372036854771712,
        "stats": {"cache": 1, "total_cache": 2, "total_inactive_file": 300, "total_rss": 4, "total_pgfault": 5},
    }
    return made


class Docker:
    """`containers`: {id: {"inspect": .., "stats": ..}}; either may be a number, the code of a refusal, or a text."""

    def __init__(self, directory=None, certificate=None):
        """`certificate`: (certificate, key) of a daemon that is reached by TLS."""
        self.certificate = certificate
        self.path = directory / "docker.sock" if directory else None
        self.containers, self.requests = {}, []
        self.refusal = None  # of the list
        self.slow = threading.Event()  # answers to stats wait for it
        self.slow.set()
        self.watching = []  # queues of events, one for each client; None ends it

    def tell(self, action, container):
        """Sends an event to those who watch."""
        event = {"Type": "container", "Action": action, "Actor": {"ID": container}, "timeNano": time.time_ns()}
        for watching in list(self.watching):
            watching.put(event)

    def hang_up(self):
        for watching in list(self.watching):
            watching.put(None)

    def add(self, name, image="team/app:1", stats=None, **more):
        self.containers[name * 4] = {
            "inspect": {
                "Id": name * 4,
                "Name": f"/{name}",
                "Image": "sha256:abc",
                "RestartCount": 3,
                "State": {"Status": "running", "Running": True, "StartedAt": "2024-05-06T07:08:09.5Z"},
                "Config": {
                    "Hostname": f"host-{name}",
                    "Image": image,
                    "Cmd": ["run", "it"],
                    "Env": ["A=b=c", "EMPTY=", "ODD"],
                    "Labels": {"team": "one"},
                },
                "HostConfig": {"CpuShares": 512, "NanoCpus": 1500000000},
                **more,
            },
            "stats": stats_v2() if stats is None else stats,
        }
        return name * 4

    @property
    def endpoint(self):
        return f"unix://{self.path}" if self.path else f"tcp://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        docker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with contextlib.suppress(OSError):
                    docker.answer(self)

            def log_message(self, *_):
                pass

            def address_string(self):
                return "client"

        base = socketserver.UnixStreamServer if self.path else socketserver.TCPServer

        class Server(socketserver.ThreadingMixIn, base):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass

        self.server = Server(str(self.path) if self.path else ("127.0.0.1", 0), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.slow.set()
        self.hang_up()
        self.server.shutdown()
        self.server.server_close()
        if self.path:
            self.path.unlink()

    def find(self, path):
        parts = path.strip("/").split("/")
        if parts[1:] == ["containers", "json"]:
            listed = [{"Id": key, "Image": self.image_of(one)} for key, one in self.containers.items()]
            return self.refusal if self.refusal is not None else listed
        one = self.containers.get(parts[2], {})
        if parts[3] == "stats":
            self.slow.wait(30)
        return one.get("stats" if parts[3] == "stats" else "inspect", 404)

    @staticmethod
    def image_of(one):
        return one["inspect"]["Config"]["Image"] if isinstance(one["inspect"], dict) else "unknown"

    def stream(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Connection", "close")
        handler.end_headers()
        events = queue.Queue()
        self.watching.append(events)
        while (event := events.get()) is not None:
            handler.wfile.write(json.dumps(event).encode() + b"\n")
            handler.wfile.flush()
        self.watching.remove(events)
        handler.close_connection = True

    def answer(self, handler):
        path, _, query = handler.path.partition("?")
        self.requests.append((path, dict(urllib.parse.parse_qsl(query))))
        if path.endswith("/events"):
            return self.stream(handler)
        found = self.find(path)
        body = (found if isinstance(found, str) else json.dumps(found)).encode()
        handler.send_response(found if isinstance(found, int) else 200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
