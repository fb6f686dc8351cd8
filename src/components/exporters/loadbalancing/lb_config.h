/*
 * lb_config: the keys of the exporter. Immutable after loading; any thread.
 */
#pragma once

#include <holdfast/field.h>

#include "support/settings/configgrpc.h"

struct lb_static_config {
    struct hf_string_list hostnames;
};

struct lb_dns_config {
    const char *hostname, *port;
    uint64_t interval_ns, timeout_ns;
};

struct lb_k8s_config {
    const char *service;
    struct hf_string_list ports;
    uint64_t timeout_ns;
    bool return_hostnames;
};

struct lb_config {
    struct {
        struct {
            struct hf_grpc_client_config grpc;
            uint64_t timeout_ns;
        } otlp;
    } protocol;
    struct {
        const struct lb_static_config *fixed;
        const struct lb_dns_config *dns;
        const struct lb_k8s_config *k8s;
        struct hf_value cloud_map;
    } resolver;
    int64_t routing_key; /* enum lb_key */
    struct hf_string_list routing_attributes;
};

extern const struct hf_field lb_fields[];

/* NULL, or one sentence that names the key. */
const char *lb_config_check(const void *config);
