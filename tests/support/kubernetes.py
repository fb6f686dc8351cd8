"""A small Kubernetes API: list in pages, watch with bookmarks, tokens, refusals, forgotten versions, restarts."""

import base64
import contextlib
import copy
import http.server
import json
import socket
import ssl
import threading
import time
import urllib.parse
import uuid

from . import otlp
from .ports import free_port

# Kinds by the names that paths have, and the group that each is of.
KINDS = {
    "/api/v1": {
        "events": "Event",
        "namespaces": "Namespace",
        "nodes": "Node",
        "persistentvolumeclaims": "PersistentVolumeClaim",
        "persistentvolumes": "PersistentVolume",
        "pods": "Pod",
        "replicationcontrollers": "ReplicationController",
        "resourcequotas": "ResourceQuota",
        "services": "Service",
    },
    "/apis/apps/v1": {
        "daemonsets": "DaemonSet",
        "deployments": "Deployment",
        "replicasets": "ReplicaSet",
        "statefulsets": "StatefulSet",
    },
    "/apis/autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "/apis/batch/v1": {"cronjobs": "CronJob", "jobs": "Job"},
    "/apis/coordination.k8s.io/v1": {"leases": "Lease"},
    "/apis/discovery.k8s.io/v1": {"endpointslices": "EndpointSlice"},
}


def kind_of(path):
    """(kind, version of its group) of the list at a path; of kinds that are not known those of any list."""
    for group, kinds in KINDS.items():
        plural = path.rsplit("/", 1)[1]
        if path.startswith(group + "/") and plural in kinds:
            return kinds[plural], group.removeprefix("/apis/").removeprefix("/api/")
    return "", "v1"


def matches(selector, values):
    """Does a selector of `=`, `==`, `!=`, `key` and `!key` terms hold? `values` maps keys to texts."""
    for term in filter(None, selector.split(",")):
        if "!=" in term:
            key, value = term.split("!=")
            good = values.get(key) != value
        elif "=" in term:
            key, value = term.replace("==", "=").split("=")
            good = values.get(key) == value
        else:
            good = (term.lstrip("!") in values) != term.startswith("!")
        if not good:
            return False
    return True


def patched(document, patch):
    """A copy with a JSON patch of `add` operations applied, as strictly as the API server does."""
    document = copy.deepcopy(document)
    for step in patch:
        assert step["op"] == "add", step
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:]]
        place = document
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if isinstance(place, list):
            index = len(place) if last == "-" else int(last)
            assert 0 <= index <= len(place), step
            place.insert(index, copy.deepcopy(step["value"]))
        else:
            place[last] = copy.deepcopy(step["value"])
    return document


class KubernetesApi:
    """Objects by kind ("pods"); every change has a resourceVersion of its own, and watches see it."""

    def __init__(self, certificates=None, tokens=None):
        """`certificates`: (certificate, key) files; `tokens`: the set that is accepted, None: all are."""
        self.certificates, self.tokens = certificates, tokens
        self.port = free_port()
        self.changed = threading.Condition()
        self.version = 100
        self.oldest = 0  # watches from before it get 410
        self.objects = {}  # kind -> {uid: object}
        self.history = []  # (version, kind, type, object)
        self.denied = set()  # kinds that are forbidden
        self.requests = []  # (path, query, token)
        self.minor = "31"  # of the server's version
        self.reviews = []  # what access reviews were about
        self.gone_in_stream = True  # 410 as a line of a 200, not as the answer's code
        self.cuts = self.bookmarks = self.marked = 0
        self.watching = {}  # kind -> number of open watches
        self.server = None

    # ---- what tests do ----

    @property
    def url(self):
        return f"{'https' if self.certificates else 'http'}://127.0.0.1:{self.port}"

    def put(self, kind, name, namespace="default", **parts):
        """Creates or changes an object; returns it. `metadata` is added to what is made here."""
        with self.changed:
            known = self.objects.setdefault(kind, {})
            metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **parts.pop("metadata", {})}
            old = next(
                (
                    one["metadata"]
                    for one in known.values()
                    if (one["metadata"]["name"], one["metadata"].get("namespace")) == (name, namespace)
                ),
                None,
            )
            metadata.setdefault("uid", old["uid"] if old else str(uuid.uuid4()))
            metadata.setdefault("creationTimestamp", "2024-05-06T07:08:09Z")
            self.version += 1
            metadata["resourceVersion"] = str(self.version)
            made = {"metadata": metadata, **parts}
            self._note(kind, "MODIFIED" if metadata["uid"] in known else "ADDED", made)
            known[metadata["uid"]] = made
            return made

    def fill(self, kind, objects):
        """Creates many, (name, parts) each, that nothing has watched yet."""
        known = self.objects.setdefault(kind, {})
        for name, parts in objects:
            self.version += 1
            metadata = {"name": name, "namespace": "default", "creationTimestamp": "2024-05-06T07:08:09Z"}
            metadata |= {**parts.pop("metadata"), "resourceVersion": str(self.version)}
            known[metadata["uid"]] = {"metadata": metadata, **parts}

    def delete(self, kind, name):
        with self.changed:
            uid = next(uid for uid, one in self.objects[kind].items() if one["metadata"]["name"] == name)
            gone = copy.deepcopy(self.objects[kind].pop(uid))
            self.version += 1
            gone["metadata"]["resourceVersion"] = str(self.version)
            self._note(kind, "DELETED", gone)

    def _note(self, kind, change, made):
        self.history.append((self.version, kind, change, copy.deepcopy(made)))
        self.changed.notify_all()

    def forget(self):
        """Forgets all versions until now, and ends the watches: they get 410."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.history.clear()
        self.cut()

    def cut(self):
        """Breaks every watch off."""
        with self.changed:
            self.cuts += 1
            self.changed.notify_all()

    def bookmark(self, seconds=60):
        """Sends a bookmark on every watch; returns its version when one has it."""
        with self.changed:
            self.version += 1
            self.bookmarks += 1
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.marked == self.bookmarks, seconds), "nobody watches"
            return str(self.version)

    def asked(self, kind, **query):
        """The requests for that kind whose query has these values."""
        return [
            one
            for one in list(self.requests)
            if one[0].endswith("/" + kind) and all(one[1].get(key) == value for key, value in query.items())
        ]

    # ---- life ----

    def start(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with contextlib.suppress(OSError):
                    api._serve(self)

            do_POST = do_PUT = do_PATCH = do_GET

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass  # a client that hangs up, or that does not trust the certificate

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.open = set()
        if self.certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, self.certificates))
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        """As when the server dies: connections are broken off; what it has stored stays."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            for connection in list(self.server.open):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.server = None
            self.cut()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # ---- answers ----

    def _serve(self, handler):
        server = self.server
        if server:
            server.open.add(handler.connection)
        path, _, text = handler.path.partition("?")
        query = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        self.requests.append((path, query, token))
        namespace, kind, name = self._place(path)
        if self.tokens is not None and token not in self.tokens:
            self._status(handler, 401, "Unauthorized", "Unauthorized")
        elif kind in self.denied:
            self._status(handler, 403, "Forbidden", f'{kind} is forbidden: User "test" cannot list resource "{kind}"')
        elif path == "/version":
            self._send(handler, 200, {"major": "1", "minor": self.minor, "gitVersion": f"v1.{self.minor}.0"})
        elif path in ("/api/v1", "/apis") or path.removeprefix("/apis/").count("/") == 1:
            self._discover(handler, path)
        elif kind == "selfsubjectaccessreviews":
            self._review(handler)
        elif handler.command != "GET":
            self._write(handler, namespace, kind, name)
        elif name:
            self._get(handler, namespace, kind, name)
        elif query.get("sendInitialEvents"):
            self._status(handler, 422, "Invalid", "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
        elif query.get("watch"):
            self._watch(handler, path, kind, query)
        else:
            self._list(handler, path, kind, query)

    @staticmethod
    def _place(path):
        """(namespace, kind, name) of a path; empty where there is none."""
        parts = path.strip("/").split("/")[2 if path.startswith("/api/") else 3 :]
        namespace = parts[1] if len(parts) > 2 and parts[0] == "namespaces" else ""
        parts = parts[2:] if namespace else parts
        return namespace, parts[0] if parts else "", parts[1] if len(parts) > 1 else ""

    def _review(self, handler):
        """May the asker do that? Not with kinds that are forbidden, nor with (verb, kind) pairs."""
        review = json.loads(handler.rfile.read(int(handler.headers.get("Content-Length", 0))))
        wanted = review["spec"]["resourceAttributes"]
        self.reviews.append(wanted)
        refused = wanted["resource"] in self.denied or (wanted["verb"], wanted["resource"]) in self.denied
        self._send(handler, 201, {**review, "status": {"allowed": not refused, "reason": "" if refused else "RBAC"}})

    def _find(self, namespace, kind, name):
        for one in self.objects.get(kind, {}).values():
            if one["metadata"]["name"] == name and one["metadata"].get("namespace", "") == namespace:
                return one
        return None

    def _get(self, handler, namespace, kind, name):
        with self.changed:
            found = self._find(namespace, kind, name)
        if found is None:
            return self._status(handler, 404, "NotFound", f'{kind} "{name}" not found')
        return self._send(handler, 200, found)

    def _write(self, handler, namespace, kind, name):
        """POST makes an object, PUT changes one; of two that change the same version the second is refused."""
        body = json.loads(handler.rfile.read(int(handler.headers.get("Content-Length", 0))))
        if handler.command == "PATCH":
            return self._patch(handler, namespace, kind, name, body)
        metadata = body.pop("metadata")
        texts = body.pop("stringData", None)  # of a Secret
        if texts is not None:
            body["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        with self.changed:
            old = self._find(namespace, kind, metadata["name"])
            if handler.command == "POST" and old:
                return self._status(handler, 409, "AlreadyExists", f"{kind} exists already")
            if handler.command == "PUT" and not old:
                return self._status(handler, 404, "NotFound", f'{kind} "{name}" not found')
            if handler.command == "PUT" and metadata.get("resourceVersion") != old["metadata"]["resourceVersion"]:
                return self._status(handler, 409, "Conflict", "the object has been modified")
            for key in ("apiVersion", "kind"):
                body.pop(key, None)
            made = self.put(kind, metadata["name"], namespace or None, **body)
        return self._send(handler, 201 if handler.command == "POST" else 200, made)

    def _patch(self, handler, namespace, kind, name, patch):
        assert handler.headers["Content-Type"] == "application/json-patch+json"
        with self.changed:
            old = self._find(namespace, kind, name)
            if old is None:
                return self._status(handler, 404, "NotFound", f'{kind} "{name}" not found')
            made = patched(old, patch)
            del made["metadata"]
            made = self.put(kind, name, namespace or None, **made)
        return self._send(handler, 200, made)

    @staticmethod
    def _send(handler, code, answer):
        body = json.dumps(answer).encode()
        handler.send_response(code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _discover(self, handler, path):
        """The groups, or the kinds of one."""
        groups = [group.removeprefix("/apis/") for group in KINDS if group.startswith("/apis/")]
        if path == "/apis":
            found = [{"name": one.split("/")[0], "preferredVersion": {"groupVersion": one}} for one in groups]
            return self._send(handler, 200, {"kind": "APIGroupList", "groups": found})
        listed = [{"name": name, "kind": kind} for name, kind in KINDS.get(path, {}).items()]
        return self._send(handler, 200, {"kind": "APIResourceList", "groupVersion": path.split("/", 2)[2], "resources": listed})

    @classmethod
    def _status(cls, handler, code, reason, message):
        cls._send(
            handler, code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
        )

    @staticmethod
    def _is_wanted(one, path, query):
        metadata, parts = one["metadata"], path.split("/")
        fields = {
            "metadata.name": metadata["name"],
            "metadata.namespace": metadata.get("namespace", ""),
            "spec.nodeName": one.get("spec", {}).get("nodeName", ""),
        }
        within = parts[parts.index("namespaces") + 1] if "namespaces" in parts[:-1] else None
        return (
            within in (None, metadata.get("namespace"))
            and matches(query.get("labelSelector", ""), metadata.get("labels", {}))
            and matches(query.get("fieldSelector", ""), fields)
        )

    def _list(self, handler, path, kind, query):
        with self.changed:
            found = [one for one in self.objects.get(kind, {}).values() if self._is_wanted(one, path, query)]
            metadata = {"resourceVersion": str(self.version)}
            first = int(query.get("continue", "0 0").split()[0])
            if "continue" in query and int(query["continue"].split()[1]) < self.oldest:
                return self._status(handler, 410, "Expired", "The provided continue parameter is too old")
            limit = int(query.get("limit", 0))
            if limit and first + limit < len(found):
                metadata["continue"] = f"{first + limit} {self.version}"
            page = found[first : first + limit] if limit else found
            kind, version = kind_of(path)
            answer = {"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": page}
        return self._send(handler, 200, answer)

    def _watch(self, handler, path, kind, query):
        seen = int(query["resourceVersion"])
        if seen < self.oldest and not self.gone_in_stream:
            return self._status(handler, 410, "Expired", "too old resource version")
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()

        def send(change, made):
            line = json.dumps({"type": change, "object": made}).encode() + b"\n"
            for piece in (line[: len(line) // 2], line[len(line) // 2 :]):  # lines are cut anywhere
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                handler.wfile.flush()

        if seen < self.oldest:
            send("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})
            handler.wfile.write(b"0\r\n\r\n")
            return None
        self._stream(handler, path, kind, query, seen, send)
        return None

    def _stream(self, handler, path, kind, query, seen, send):
        with self.changed:
            cuts, bookmarks = self.cuts, self.bookmarks
            self.watching[kind] = self.watching.get(kind, 0) + 1
            self.changed.notify_all()
        try:
            while True:
                with self.changed:
                    self.changed.wait_for(
                        lambda: self.cuts != cuts
                        or self.bookmarks != bookmarks
                        or (self.history and self.history[-1][0] > seen)
                    )
                    if self.cuts != cuts:
                        break
                    news = [one for one in self.history if one[0] > seen]
                    seen = max(seen, self.version)
                    marked, bookmarks = bookmarks != self.bookmarks, self.bookmarks
                for _, of, change, made in news:
                    if of == kind and self._is_wanted(made, path, query):
                        send(change, made)
                if marked:
                    send("BOOKMARK", {"kind": "Bookmark", "metadata": {"resourceVersion": str(seen)}})
                    with self.changed:
                        self.marked = bookmarks
                        self.changed.notify_all()
        finally:
            with self.changed:
                self.watching[kind] -= 1
            handler.close_connection = True
            with contextlib.suppress(OSError):
                handler.connection.shutdown(socket.SHUT_RDWR)

    def wait_watched(self, kind, seconds=60):
        """Waits until somebody watches that kind."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.watching.get(kind, 0) > 0, seconds), f"no watch of {kind}"


def pod(name, address, uid=None, owner=None, containers=(("app", "registry:5000/team/app:1.2"),), **more):
    """The parts of a pod, for `KubernetesApi.put("pods", name, **pod(...))`."""
    metadata = {**({"uid": uid} if uid else {}), **more.get("metadata", {})}
    if owner:
        kind, owner_name, owner_uid = owner
        metadata["ownerReferences"] = [{"kind": kind, "name": owner_name, "uid": owner_uid, "controller": True}]
    return {
        "metadata": metadata,
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": one, "image": image} for one, image in containers],
            **more.get("spec", {}),
        },
        "status": {
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": more.get("started", "2024-05-06T07:08:10Z"),
            "containerStatuses": [
                {
                    "name": one,
                    "restartCount": 2,
                    "containerID": f"containerd://{name}-{one}-id",
                    "imageID": f"registry:5000/team/{one}@sha256:abc",
                }
                for one, _ in containers
            ],
        },
    }


def service_account(directory, api, authority, token="first-token"):
    """The files of a pod's service account in a directory; returns the environment that leads there."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "token").write_text(token)
    (directory / "ca.crt").write_bytes(authority.certificate.read_bytes())
    return {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(api.port),
        "HOLDFAST_SERVICE_ACCOUNT_DIR": str(directory),
    }


def put_event(api, name, count=1, kind="Normal", namespace="default", **more):
    """An event of a pod; once more with a higher count, it is changed."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    return api.put(
        "events",
        name,
        namespace,
        type=kind,
        message=f"message of {name}",
        reason="Pulled",
        count=count,
        **{"lastTimestamp": when, "firstTimestamp": "2020-01-01T00:00:00Z", "eventTime": None},
        source={"component": "kubelet", "host": "node-1"},
        involvedObject={
            "kind": "Pod",
            "name": "shop",
            "namespace": namespace,
            "uid": "u1",
            "apiVersion": "v1",
            "resourceVersion": "77",
            "fieldPath": "spec.containers{app}",
        },
        **more,
    )


def events_of(backend):
    """The names of the events among the log records."""
    logs = [one.message for one in backend.requests if one.signal is otlp.LOGS]
    return [otlp.attributes(one).get("k8s.event.name") for message in logs for one in otlp.items(otlp.LOGS, message)]
