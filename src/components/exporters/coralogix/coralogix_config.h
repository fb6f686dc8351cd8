/*
 * coralogix_config: the keys of the exporter `coralogix`, and where each signal goes by them.
 * Immutable after loading.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/field.h>

#include "support/settings/configgrpc.h"

enum coralogix_protocol { CORALOGIX_GRPC = 0, CORALOGIX_HTTP };

struct coralogix_rate_limiter {
    bool enabled;
    int64_t threshold;
    uint64_t duration_ns;
};

struct coralogix_config {
    int64_t protocol;
    const char *domain;
    struct hf_grpc_client_config domain_settings;
    bool private_link;
    struct hf_grpc_client_config signals[HF_SIGNAL_COUNT];
    const char *private_key;
    const char *application_name, *subsystem_name;
    struct hf_string_list application_attributes, subsystem_attributes;
    struct coralogix_rate_limiter rate_limiter;
};

extern const struct hf_field coralogix_fields[];
const char *coralogix_check(const void *from);

/* Where one signal goes, and how. */
struct coralogix_target {
    bool is_of_domain;                 /* all such targets are the same */
    char endpoint[HF_GRPC_TARGET_MAX]; /* a URL when the protocol is http */
    /* Its endpoint is the one above; its headers are those of the signal, which replace those of
     * the domain. */
    struct hf_grpc_client_config client;
    struct hf_string_map domain_headers;
};

/* False: the configuration names no place for that signal. */
HF_MUST_USE bool coralogix_target_of(const struct coralogix_config *config, enum hf_signal signal,
                                     struct coralogix_target *ret_target);
