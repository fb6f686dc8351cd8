"""A small kubelet: /stats/summary and /pods over HTTP or HTTPS, with a token or a client's certificate."""

import contextlib
import http.server
import json
import ssl
import threading

from .ports import free_port

STARTED = "2024-05-06T07:08:09Z"
EARLIER = "2024-05-06T07:07:59Z"  # 10 s


def cpu(cores, seconds):
    return {"time": STARTED, "usageNanoCores": int(cores * 1e9), "usageCoreNanoSeconds": int(seconds * 1e9)}


def memory(used, **more):
    return {
        "time": STARTED,
        "availableBytes": 7 * used,
        "usageBytes": used,
        "workingSetBytes": used - 1,
        "rssBytes": used - 2,
        "pageFaults": 11,
        "majorPageFaults": 3,
        **more,
    }


def disk(used, **more):
    return {"time": STARTED, "availableBytes": 900, "capacityBytes": 1000, "usedBytes": used, "inodes": 50, **more}


def interface(name, received, sent):
    return {"name": name, "rxBytes": received, "rxErrors": 1, "txBytes": sent, "txErrors": 2}


def network(*interfaces):
    return {"time": STARTED, **interfaces[0], "interfaces": list(interfaces)}


def container(name, used):
    return {
        "name": name,
        "startTime": "2024-05-06T08:00:00Z",
        "cpu": cpu(0.25, 12.5),
        "memory": memory(used),
        "rootfs": disk(40),
        "logs": disk(7),
    }


def volume(name, **more):
    return {"name": name, "availableBytes": 60, "capacityBytes": 100, "usedBytes": 40, "inodes": 9, **more}


def summary():
    """A node with a system container and two pods; the second has nothing but its name, as when it starts."""
    shop = {
        "podRef": {"name": "shop", "namespace": "default", "uid": "uid-shop"},
        "startTime": "2024-05-06T07:59:00Z",
        "containers": [container("app", 2048), container("side", 512)],
        "cpu": cpu(0.5, 25),
        "memory": memory(4096),
        "network": network(interface("eth0", 100, 200), interface("net1", 10, 20)),
        "volume": [
            volume("scratch", inodesFree=4, inodesUsed=5),
            volume("data", pvcRef={"name": "claim", "namespace": "default"}),
        ],
        "ephemeral-storage": disk(47),
    }
    return {
        "node": {
            "nodeName": "node-1",
            "startTime": STARTED,
            "systemContainers": [
                {"name": "kubelet", "startTime": STARTED, "cpu": cpu(0.125, 3), "memory": memory(4000)}
            ],
            "cpu": cpu(1.5, 1000),
            "memory": memory(1 << 20),
            "network": network(interface("eth0", 1000, 2000), interface("lo", 5, 6)),
            "fs": disk(400, inodesFree=20, inodesUsed=30),
            "rlimit": {"time": STARTED, "maxpid": 32768, "curproc": 1203},
        },
        "pods": [shop, {"podRef": {"name": "new", "namespace": "default", "uid": "uid-new"}, "startTime": STARTED}],
    }


def pods():
    """What /pods says of them."""
    resources = {"requests": {"cpu": "100m", "memory": "1Ki"}, "limits": {"cpu": "2", "memory": "4Ki"}}
    return {
        "items": [
            {
                "metadata": {"name": "shop", "namespace": "default", "uid": "uid-shop"},
                "spec": {
                    "containers": [
                        {"name": "app", "resources": resources},
                        {"name": "side", "resources": {"requests": {"cpu": "0.5"}, "limits": {"cpu": "1500m"}}},
                    ],
                    "volumes": [
                        {"name": "scratch", "emptyDir": {}},
                        {"name": "data", "persistentVolumeClaim": {"claimName": "claim"}},
                    ],
                },
                "status": {
                    "containerStatuses": [
                        {"name": "app", "containerID": "containerd://app-id"},
                        {"name": "side", "containerID": "docker://side-id"},
                    ]
                },
            },
            {"metadata": {"name": "new", "namespace": "default", "uid": "uid-new"}, "spec": {"containers": []}},
        ]
    }


def earlier(stats):
    """The same, 10 s before: with less CPU time by what was used since."""
    if isinstance(stats, list):
        return [earlier(item) for item in stats]
    if not isinstance(stats, dict):
        return stats
    if "usageCoreNanoSeconds" in stats:
        return stats | {"time": EARLIER, "usageCoreNanoSeconds": stats["usageCoreNanoSeconds"] - 10 * stats["usageNanoCores"]}
    return {key: earlier(value) for key, value in stats.items()}


class Kubelet:
    """The first answer about the CPU time is of a time 10 s before the others.

    `answers`: what a path is answered with: an object, a text, or a number as the code of a refusal."""

    def __init__(self, certificates=None, token=None, client_ca=None):
        self.certificates, self.token, self.client_ca = certificates, token, client_ca
        self.port = free_port()
        self.answers = {"/stats/summary": summary(), "/pods": pods()}
        self.requests = []
        self.is_first = True
        self.prefix = ""  # of the paths, as when an API server hands requests on
        self.slow = threading.Event()  # answers wait for it
        self.slow.set()

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def __enter__(self):
        kubelet = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with contextlib.suppress(OSError):
                    kubelet.answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that does not trust the certificate

        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, self.certificates))
            if self.client_ca:
                context.load_verify_locations(str(self.client_ca))
                context.verify_mode = ssl.CERT_REQUIRED
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.slow.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler):
        token = handler.headers.get("Authorization", "").split(" ")[-1]
        self.requests.append((handler.path, token))
        self.slow.wait(30)
        found = self.answers.get(handler.path.removeprefix(self.prefix), 404)
        if self.token is not None and token != self.token:
            found = 401
        elif "/stats/summary" in handler.path and isinstance(found, dict) and self.is_first:
            found = earlier(found)
            self.is_first = False
        body = found if isinstance(found, str) else json.dumps(found)
        handler.send_response(found if isinstance(found, int) else 200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body.encode())
