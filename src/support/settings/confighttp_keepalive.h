/*
 * confighttp_keepalive: the section `keepalive` of HTTP clients, which newer releases of the Go
 * collector have in place of three flat keys. Immutable after start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

struct hf_http_keepalive_config {
    bool enabled;
    int64_t max_idle_conns;
    uint64_t idle_conn_timeout_ns;
};

extern const struct hf_field hf_http_keepalive_fields[]; /* confighttp.c */
