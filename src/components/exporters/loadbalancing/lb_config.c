#include "lb_config.h"

#include <stdlib.h>
#include <string.h>

#include "lb_route.h"
#include "lb_service_name.h"

static const char *const routing_keys[] = {"",       "traceID",  "service",    "resource",
                                           "metric", "streamID", "attributes", NULL};

static const char *expect_port(const char *key, const char *text)
{
    char *end;
    (void)key;
    if (text[0] == '\0') {
        return NULL;
    }
    unsigned long port = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port > 0 && port < 65536
               ? NULL
               : "a port from 1 to 65535";
}

static const char *expect_service(const char *key, const char *text)
{
    struct lb_service_name name;
    (void)key;
    return lb_service_name_parse(text, &name)
               ? NULL
               : "name, name.namespace or name.namespace.svc.cluster.domain";
}

static const struct hf_field static_fields[] = {
    {.key = "hostnames",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct lb_static_config, hostnames),
     .help = "host or host:port of each backend; without a port 4317."},
    HF_FIELDS_END,
};

static const struct hf_field dns_fields[] = {
    {.key = "hostname",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct lb_dns_config, hostname),
     .required = true,
     .help = "The name whose addresses are the backends."},
    {.key = "port",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct lb_dns_config, port),
     .default_text = "",
     .validate = expect_port,
     .help = "The port of each address; without 4317."},
    {.key = "interval",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct lb_dns_config, interval_ns),
     .default_text = "5s",
     .help = "Time from one look-up to the next; 0: 5s."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct lb_dns_config, timeout_ns),
     .default_text = "1s",
     .help = "Longest time of a look-up, after which the addresses stay as they are; 0: 1s."},
    HF_FIELDS_END,
};

static const struct hf_field k8s_fields[] = {
    {.key = "service",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct lb_k8s_config, service),
     .required = true,
     .validate = expect_service,
     .help = "The Service whose endpoints are the backends: name.namespace; without a namespace "
             "that of the pod."},
    {.key = "ports",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct lb_k8s_config, ports),
     .default_text = "4317",
     .help = "The ports of each endpoint: each is a backend of its own."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct lb_k8s_config, timeout_ns),
     .default_text = "1m",
     .help = "Accepted without effect: a watch lasts as long as the API server lets it."},
    {.key = "return_hostnames",
     .type = HF_FIELD_BOOL,
     .offset = offsetof(struct lb_k8s_config, return_hostnames),
     .default_text = "false",
     .help = "Name backends by the hostname of the pod and the Service, not by address: for "
             "StatefulSets, whose pods keep their names."},
    HF_FIELDS_END,
};

static const struct hf_field otlp_fields[] = {
    HF_HTTP_IGNORED("endpoint", "The resolver says where the backends are."),
    HF_GRPC_CLIENT_FIELDS_BUT_ENDPOINT(struct lb_config, protocol.otlp.grpc),
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = offsetof(struct lb_config, protocol.otlp.timeout_ns),
     .default_text = "5s",
     .help = "Longest time of one request to a backend; 0: no limit of its own."},
    HF_HTTP_IGNORED("sending_queue", "There is one queue, that of the exporter: sending_queue."),
    HF_HTTP_IGNORED("retry_on_failure",
                    "There is one retry, that of the exporter: retry_on_failure."),
    HF_HTTP_IGNORED("batcher", "The pipeline's batch processor and sending_queue::batch batch."),
    HF_HTTP_IGNORED("forward_gzip", "Requests are split, so that none goes on as it came."),
    HF_FIELDS_END,
};

static const struct hf_field protocol_fields[] = {
    {.key = "otlp",
     .type = HF_FIELD_STRUCT,
     .inner = otlp_fields,
     .help = "How to send to each backend: the keys of the otlp exporter."},
    HF_FIELDS_END,
};

static const struct hf_field resolver_fields[] = {
    {.key = "static",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct lb_config, resolver.fixed),
     .inner = static_fields,
     .inner_size = sizeof(struct lb_static_config),
     .help = "A list of backends."},
    {.key = "dns",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct lb_config, resolver.dns),
     .inner = dns_fields,
     .inner_size = sizeof(struct lb_dns_config),
     .help = "The addresses of a name."},
    {.key = "k8s",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct lb_config, resolver.k8s),
     .inner = k8s_fields,
     .inner_size = sizeof(struct lb_k8s_config),
     .help = "The endpoints of a Kubernetes Service, by its EndpointSlices."},
    {.key = "aws_cloud_map",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct lb_config, resolver.cloud_map),
     .help = "Not supported: use dns with the name that AWS Cloud Map serves for the service."},
    HF_FIELDS_END,
};

const struct hf_field lb_fields[] = {
    {.key = "protocol",
     .type = HF_FIELD_STRUCT,
     .inner = protocol_fields,
     .help = "How to send to the backends."},
    {.key = "resolver",
     .type = HF_FIELD_STRUCT,
     .inner = resolver_fields,
     .help = "How to find the backends: one of static, dns and k8s."},
    {.key = "routing_key",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct lb_config, routing_key),
     .choices = routing_keys,
     .default_text = "",
     .help = "What decides about the backend of an item; without, the trace id for traces and the "
             "service for logs and metrics. Traces: traceID, service, attributes; logs: traceID, "
             "service, resource, attributes; metrics: service, resource, metric, streamID, "
             "attributes."},
    {.key = "routing_attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = offsetof(struct lb_config, routing_attributes),
     .help = "Attributes of the resource, scope or item for routing_key: attributes; also "
             "span.name, span.kind, log.severity and log.body."},
    HF_FIELDS_END,
};

static const char *check_resolver(const struct lb_config *config)
{
    if (config->resolver.cloud_map.type != HF_VALUE_NONE) {
        return "resolver::aws_cloud_map is not supported: use resolver::dns with the name that AWS "
               "Cloud Map serves for the service";
    }
    int count = (config->resolver.fixed != NULL) + (config->resolver.dns != NULL) +
                (config->resolver.k8s != NULL);
    if (count != 1) {
        return "resolver: exactly one of static, dns and k8s is needed";
    }
    if (config->resolver.fixed != NULL && config->resolver.fixed->hostnames.count == 0) {
        return "resolver::static::hostnames: at least one backend is needed";
    }
    const struct lb_k8s_config *k8s = config->resolver.k8s;
    for (size_t i = 0; k8s != NULL && i < k8s->ports.count; i++) {
        if (k8s->ports.items[i][0] == '\0' || expect_port("", k8s->ports.items[i]) != NULL) {
            return "resolver::k8s::ports: expected ports from 1 to 65535";
        }
    }
    return NULL;
}

const char *lb_config_check(const void *from)
{
    const struct lb_config *config = from;
    bool by_attributes = config->routing_key == LB_KEY_ATTRIBUTES;
    if (by_attributes && config->routing_attributes.count == 0) {
        return "routing_attributes must be given when routing_key is attributes";
    }
    if (!by_attributes && config->routing_attributes.count != 0) {
        return "routing_attributes are only used when routing_key is attributes";
    }
    const char *why = check_resolver(config);
    return why != NULL ? why : hf_grpc_client_check(&config->protocol.otlp.grpc);
}
