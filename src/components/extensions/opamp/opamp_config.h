/*
 * opamp_config: the keys of the extension opamp. Immutable after loading.
 */
#pragma once

#include <holdfast/component.h>

#include "util/tls/tls.h"

struct opamp_server_config {
    const char *endpoint;
    struct hf_tls_config tls;
    struct hf_string_map headers;
    const char *auth;
    uint64_t polling_interval_ns; /* of http */
};

struct opamp_config {
    struct {
        const struct opamp_server_config *ws, *http; /* one of them; the other is NULL */
    } server;
    const char *instance_uid;
    struct {
        bool reports_effective_config, reports_health, reports_available_components,
            accepts_restart_command;
    } capabilities;
    struct {
        struct hf_string_map non_identifying;
        bool include_resource;
    } description;
    int64_t ppid; /* 0: none */
    uint64_t ppid_poll_interval_ns;
};

extern const struct hf_field opamp_fields[]; /* ends with HF_FIELDS_END */

/* NULL, or one sentence. */
const char *opamp_check_config(const void *config);
