"""The objects of a cluster whose targets are compared: of every kind, with what is rare in them."""

SHOP, OTHER = "shop", "other"
TRICKY = {"app": "web", "a.b/c-d_e": "1", "UPPER": "Case", "empty": "", "env": "prod", "state": "x", "resources": "y"}
NOTES = {"prometheus.io/scrape": "true", "long": "x" * 3000, "lines": "a\nb", "word": "ü", "command": "z"}


def of(name_space, plural, group="/api/v1"):
    return f"{group}/namespaces/{name_space}/{plural}"


DISCOVERY, NETWORKING = "/apis/discovery.k8s.io/v1", "/apis/networking.k8s.io/v1"


def set_status(plane, path, **status):
    plane.call("PATCH", f"{path}/status", {"status": status})


def add_node(plane, name, addresses, labels=(), port=10250):
    plane.make("/api/v1/nodes", name, "Node", metadata={"labels": dict(labels), "annotations": NOTES}, spec={"providerID": f"cloud:///{name}"})
    listed = [{"type": kind, "address": address} for kind, address in addresses]
    conditions = [{"type": kind, "status": status} for kind, status in (("Ready", "True"), ("DiskPressure", "Unknown"))]
    daemons = {"kubeletEndpoint": {"Port": port}}
    set_status(plane, f"/api/v1/nodes/{name}", addresses=listed, conditions=conditions, daemonEndpoints=daemons)


def container(name, *ports, **more):
    return {"name": name, "image": f"registry/{name}:1", "ports": [{"containerPort": number, **part} for number, part in ports], **more}


def add_pod(plane, name_space, name, containers, status, metadata=None, **spec):
    path = of(name_space, "pods")
    plane.make(path, name, "Pod", metadata=metadata or {"labels": {"app": "web"}}, spec={"containers": containers, **spec})
    if status:
        set_status(plane, f"{path}/{name}", **status)


def ready(value):
    return [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": value}]


def ran(name):
    """The status of a container."""
    state = {"running": {"startedAt": "2026-11-30T00:00:00Z"}}
    return {"name": name, "containerID": f"containerd://{name}", "image": name, "imageID": "i", "ready": True, "restartCount": 0, "state": state}


def running(ip, value="True", **more):
    return {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "hostIP": "10.9.0.1", "conditions": ready(value), **more}


def owner(kind, name, controls=True):
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": f"u-{name}", "controller": controls}


def fill_nodes(plane):
    addresses = [("Hostname", "h1"), ("ExternalIP", "1.2.3.4"), ("InternalIP", "10.9.0.1"), ("InternalIP", "fd00::1")]
    add_node(plane, "n1", addresses, {"disk": "ssd", "topology.kubernetes.io/zone": "z1"})
    add_node(plane, "n2", [("Hostname", "h2"), ("ExternalDNS", "n2.example"), ("InternalDNS", "n2.local")], {"app": "web"}, 10255)
    add_node(plane, "n3", [("Hostname", "h3"), ("ExternalIP", "fd00::3"), ("ExternalDNS", "n3.example")], {"disk": "hdd"})
    add_node(plane, "n4", [("Hostname", "h4")])
    add_node(plane, "n5", [])


def fill_pods(plane):
    web, side = (80, {"name": "http"}), (9090, {"name": "metrics"})
    meta = {"labels": TRICKY, "annotations": NOTES, "ownerReferences": [owner("Thing", "no", False), owner("ReplicaSet", "web-abc")]}
    ran_all = {"containerStatuses": [ran("web"), ran("side")], "initContainerStatuses": [ran("setup")]}
    add_pod(
        plane, SHOP, "web-1", [container("web", web, (443, {})), container("side", side, (53, {"name": "dns", "protocol": "UDP"}))],
        running("10.1.0.1", **ran_all), meta, nodeName="n1", initContainers=[container("setup", (80, {"name": "init"}), (7000, {}))],
    )
    both = running("10.1.0.2", podIPs=[{"ip": "10.1.0.2"}, {"ip": "fd00::12"}])
    add_pod(plane, SHOP, "web-2", [container("web", web), container("same", (80, {"protocol": "UDP"}))], both, nodeName="n2")
    add_pod(plane, SHOP, "web-3", [container("web", web, side)], running("fd00::13", "False"), nodeName="n1")
    add_pod(plane, SHOP, "no-ports", [container("web"), container("two")], running("10.1.0.4", "Unknown"), nodeName="n3")
    add_pod(plane, SHOP, "waits", [container("web", web)], {"phase": "Pending"})
    add_pod(plane, SHOP, "done", [container("web", web)], {**running("10.1.0.6", "False"), "phase": "Succeeded"}, nodeName="n1")
    add_pod(plane, SHOP, "failed", [container("web", web)], {**running("10.1.0.7", "False"), "phase": "Failed"}, nodeName="n1")
    host = {"phase": "Running", "podIP": "10.9.0.1", "podIPs": [{"ip": "10.9.0.1"}], "hostIP": "10.9.0.1"}
    add_pod(plane, SHOP, "host", [container("agent", (9100, {"name": "m", "hostPort": 9100}))], host, {"labels": {"app": "agent"}, "ownerReferences": [owner("DaemonSet", "agent")]}, nodeName="n1", hostNetwork=True)
    sidecar = container("mesh", (15090, {"name": "envoy"}), restartPolicy="Always")
    add_pod(plane, OTHER, "meshed", [container("web", web)], running("10.1.1.1"), {}, nodeName="n4", initContainers=[sidecar])
    add_pod(plane, OTHER, "homeless", [container("web", web)], running("10.1.1.2"), {"labels": {"app": "web"}})
    add_pod(plane, SHOP, "batch", [container("web", web)], running("10.1.0.8"), {"ownerReferences": [owner("Job", "night-1")]})
    add_pod(plane, SHOP, "once", [container("web", web)], running("10.1.0.9"), {"ownerReferences": [owner("Job", "single")]})
    add_pod(plane, "default", "own", [container("web", web)], running("10.1.2.1"), nodeName="gone")


def fill_owners(plane):
    template = {"metadata": {"labels": {"of": "it"}}, "spec": {"containers": [container("web")], "restartPolicy": "Never"}}
    sets = {"template": {**template, "spec": {"containers": [container("web")]}}, "selector": {"matchLabels": {"of": "it"}}, "replicas": 0}
    owned = {"ownerReferences": [owner("Deployment", "web")]}
    plane.make(of(SHOP, "replicasets", "/apis/apps/v1"), "web-abc", "ReplicaSet", "apps/v1", metadata=owned, spec=sets)
    owned = {"ownerReferences": [owner("CronJob", "night")]}
    plane.make(of(SHOP, "jobs", "/apis/batch/v1"), "night-1", "Job", "batch/v1", metadata=owned, spec={"template": template})
    plane.make(of(SHOP, "jobs", "/apis/batch/v1"), "single", "Job", "batch/v1", spec={"template": template})


def fill_services(plane):
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP", "appProtocol": "dns"}]
    for name_space, name, more in (
        (SHOP, "web", {"ports": ports, "clusterIP": "10.0.0.10", "clusterIPs": ["10.0.0.10"]}),
        (SHOP, "headless", {"ports": ports[:1], "clusterIP": "None"}),
        (SHOP, "no-ports", {"clusterIP": "None"}),
        (SHOP, "outside", {"type": "ExternalName", "externalName": "db.example", "ports": [{"port": 5432}]}),
        (SHOP, "outside-bare", {"type": "ExternalName", "externalName": "db.example"}),
        (OTHER, "balanced", {"type": "LoadBalancer", "loadBalancerIP": "5.6.7.8", "ports": ports[:1]}),
        (OTHER, "asked", {"type": "LoadBalancer", "loadBalancerIP": "5.6.7.8", "ports": ports[:1]}),
        (SHOP, "both", {"ports": ports[:1], "clusterIP": "None", "ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"]}),
        (OTHER, "opened", {"type": "NodePort", "ports": [{"port": 8080}]}),
        ("default", "own", {"ports": [{"port": 1}]}),
    ):
        labels = TRICKY if name == "web" else {"app": "web"} if name == "headless" else {}
        plane.make(of(name_space, "services"), name, "Service", metadata={"labels": labels, "annotations": NOTES}, spec=more)
    ingress = [{"ip": "5.6.7.9"}, {"hostname": "lb.example"}, {"ip": "fd00::9"}]
    set_status(plane, of(OTHER, "services") + "/balanced", loadBalancer={"ingress": ingress})


def pod_ref(name, **more):
    return {"kind": "Pod", "name": name, "namespace": SHOP, **more}


def fill_endpoints(plane):
    good = [{"ip": "10.1.0.1", "nodeName": "n1", "targetRef": pod_ref("web-1")}, {"ip": "10.1.0.2", "hostname": "two", "targetRef": pod_ref("web-2")}]
    bad = [{"ip": "fd00::13", "nodeName": "n1", "targetRef": pod_ref("web-3")}, {"ip": "10.8.0.1", "nodeName": "n2"}]
    subsets = [
        {"addresses": good, "notReadyAddresses": bad, "ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]},
        {"addresses": [{"ip": "10.1.0.1", "targetRef": pod_ref("web-1")}], "ports": [{"name": "m", "port": 9090}]},
        {"addresses": [{"ip": "10.8.0.3", "targetRef": {"kind": "Node", "name": "n1"}}], "ports": [{"port": 5}]},
        {"addresses": [{"ip": "10.8.0.5"}]},
        {"addresses": [{"ip": "10.1.0.6", "targetRef": pod_ref("done")}, {"ip": "10.8.0.4", "targetRef": pod_ref("missing")}], "ports": [{"port": 80}]},
    ]
    plane.make(of(SHOP, "endpoints"), "web", "Endpoints", metadata={"labels": {"app": "web", "own": "1"}, "annotations": {"e": "f"}}, subsets=subsets)
    plane.make(of(SHOP, "endpoints"), "none", "Endpoints")
    plane.make(of(OTHER, "endpoints"), "alone", "Endpoints", subsets=[{"addresses": [{"ip": "10.8.1.1"}], "ports": [{"name": "x", "port": 1}]}])
    mesh = {"ip": "10.1.1.1", "targetRef": {"kind": "Pod", "name": "meshed", "namespace": OTHER}}
    plane.make(of(OTHER, "endpoints"), "balanced", "Endpoints", subsets=[{"addresses": [mesh], "ports": [{"name": "http", "port": 80}]}])
    plane.make(of("default", "endpoints"), "own", "Endpoints", subsets=[{"addresses": [{"ip": "10.1.2.1", "targetRef": {"kind": "Pod", "name": "own", "namespace": "default"}}], "ports": [{"port": 1}]}])


def add_slice(plane, name_space, name, service, endpoints, ports, kind="IPv4", **labels):
    marks = {**({"kubernetes.io/service-name": service} if service else {}), **labels}
    metadata = {"name": name, "labels": marks, "annotations": NOTES}
    body = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": kind, "endpoints": endpoints, "ports": ports}
    plane.call("POST", of(name_space, "endpointslices", DISCOVERY), body)


def fill_slices(plane):
    conditions = {"ready": True, "serving": True, "terminating": False}
    endpoints = [
        {"addresses": ["10.1.0.1"], "conditions": conditions, "nodeName": "n1", "zone": "z1", "targetRef": pod_ref("web-1")},
        {"addresses": ["10.1.0.2", "10.1.0.22"], "conditions": {"ready": False}, "hostname": "two", "targetRef": pod_ref("web-2")},
        {"addresses": ["10.8.0.1"], "conditions": {"ready": False, "serving": True, "terminating": True}, "nodeName": "n2", "deprecatedTopology": {"topology.kubernetes.io/region": "r"}},
        {"addresses": ["10.8.0.4"], "targetRef": pod_ref("missing"), "hints": {"forZones": [{"name": "z1"}]}},
    ]
    http = [{"name": "http", "port": 80, "appProtocol": "kubernetes.io/h2c"}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    add_slice(plane, SHOP, "web-1", "web", endpoints, http, app="web")
    add_slice(plane, SHOP, "web-6", "web", [{"addresses": ["fd00::13"], "targetRef": pod_ref("web-3")}], http[:1], "IPv6", app="web")
    add_slice(plane, SHOP, "all-ports", "headless", endpoints[:1], [{"name": "any"}])
    add_slice(plane, SHOP, "no-ports", "no-ports", endpoints[:1], [])
    add_slice(plane, SHOP, "both-4", "both", endpoints[:1], http[:1])
    add_slice(plane, SHOP, "both-6", "both", [{"addresses": ["fd00::14"]}], http[:1], "IPv6")
    on_node = {"addresses": ["10.8.0.9"], "targetRef": {"kind": "Node", "name": "n2"}, "nodeName": "n1"}
    add_slice(plane, SHOP, "nodes", None, [on_node], http[:1])
    add_slice(plane, OTHER, "names", None, [{"addresses": ["host.example"]}], http[:1], "FQDN")
    mesh = {"addresses": ["10.1.1.1"], "targetRef": {"kind": "Pod", "name": "meshed", "namespace": OTHER}}
    add_slice(plane, OTHER, "balanced", "balanced", [mesh], http[:1])
    add_slice(plane, "default", "own", "own", [{"addresses": ["10.1.2.1"]}], http)


def backend(path=None, kind="Prefix"):
    part = {"backend": {"service": {"name": "web", "port": {"number": 80}}}, "pathType": kind}
    return {**part, **({"path": path} if path else {})}


def fill_ingresses(plane):
    rules = [
        {"host": "a.example", "http": {"paths": [backend("/one"), backend("/two"), backend(None, "ImplementationSpecific")]}},
        {"host": "b.example"},
        {"host": "*.wild.example", "http": {"paths": [backend("/")]}},
        {"http": {"paths": [backend("/any")]}},
        {"host": "x.wild2.example", "http": {"paths": [backend("/")]}},
        {"host": "x.y.wild2.example", "http": {"paths": [backend("/")]}},
    ]
    tls = [{"hosts": ["a.example", "*.wild.example"], "secretName": "s"}, {"hosts": ["*.wild2.example"]}, {"secretName": "t"}]
    whole = backend()["backend"]
    for name_space, name, spec in (
        (SHOP, "web-1", {"rules": rules, "tls": tls, "ingressClassName": "nginx"}),
        (SHOP, "plain", {"rules": rules}),
        (SHOP, "default-only", {"defaultBackend": whole}),
        (OTHER, "all-tls", {"rules": rules[:2], "tls": [{"secretName": "s"}]}),
        ("default", "own", {"rules": rules[:1]}),
    ):
        metadata = {"labels": {"app": "web"}, "annotations": NOTES}
        plane.make(of(name_space, "ingresses", NETWORKING), name, "Ingress", "networking.k8s.io/v1", metadata=metadata, spec=spec)


def fill(plane):
    for name in (SHOP, OTHER, "empty"):
        plane.make("/api/v1/namespaces", name, "Namespace", metadata={"labels": {"team": name, "a.b/c": ""}, "annotations": NOTES})
    for one in (fill_nodes, fill_owners, fill_pods, fill_services, fill_endpoints, fill_slices, fill_ingresses):
        one(plane)


def change(plane):
    """Labels change, pods end, services and nodes go, others come."""
    web = of(SHOP, "pods") + "/web-1"
    plane.call("PATCH", web, {"metadata": {"labels": {"app": None, "new": "1"}, "annotations": {"long": None}}})
    set_status(plane, web, conditions=ready("False"))
    set_status(plane, of(SHOP, "pods") + "/waits", **running("10.1.0.5"))
    plane.call("DELETE", of(SHOP, "pods") + "/web-2?gracePeriodSeconds=30")  # it is terminating
    plane.call("DELETE", of(SHOP, "pods") + "/no-ports?gracePeriodSeconds=0")
    plane.call("DELETE", of(SHOP, "services") + "/headless")
    plane.call("PATCH", of(SHOP, "services") + "/web", {"metadata": {"labels": {"late": "yes"}}})
    plane.call("PATCH", "/api/v1/nodes/n1", {"metadata": {"labels": {"disk": "hdd"}}})
    plane.call("DELETE", "/api/v1/nodes/n3")
    plane.call("DELETE", of(SHOP, "jobs", "/apis/batch/v1") + "/night-1")
    set_status(plane, "/api/v1/nodes/n2", conditions=[{"type": "Ready", "status": "False"}])
    plane.call("PATCH", f"/api/v1/namespaces/{SHOP}", {"metadata": {"labels": {"team": "blue"}}})
    plane.call("DELETE", of(SHOP, "ingresses", NETWORKING) + "/plain")
    plane.call("DELETE", of(SHOP, "endpointslices", DISCOVERY) + "/web-6")


def touch(plane):
    """Changes what has pods behind it: Prometheus looks at the labels of these again when it changes itself."""
    address = {"ip": "10.1.0.5", "targetRef": pod_ref("waits")}
    plane.call("PATCH", of(SHOP, "endpoints") + "/web", {"subsets": [{"notReadyAddresses": [address], "ports": [{"name": "late", "port": 80}]}]})
    for plural, group in (("endpoints", "/api/v1"), ("endpointslices", DISCOVERY)):
        for name_space in (SHOP, OTHER, "default"):
            for item in plane.call("GET", of(name_space, plural, group))["items"]:
                path = f"{of(name_space, plural, group)}/{item['metadata']['name']}"
                plane.call("PATCH", path, {"metadata": {"labels": {"touched": "yes"}}})
