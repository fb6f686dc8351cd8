/*
 * hec_config: the keys of the exporter and their checks. Immutable after loading.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/field.h>

#include "support/settings/confighttp.h"

struct hec_metadata_keys {
    const char *source, *sourcetype, *index, *host; /* attributes; NULL: the default */
};

struct hec_config {
    struct hf_http_client_config http;
    const char *token, *source, *sourcetype, *index;
    bool disable_compression, export_raw;
    bool log_data_enabled, profiling_data_enabled;
    uint64_t content_bytes_max[HF_SIGNAL_COUNT], event_bytes_max;
    const char *app_name, *app_version;
    struct hec_metadata_keys to_hec, old_to_hec;
    struct hec_severity_fields {
        const char *text, *number, *name;
    } severity;
    struct hec_ack {
        bool enabled;
        uint64_t interval_ns, timeout_ns;
        const char *path;
    } ack;
};

extern const struct hf_field hec_fields[];

/* NULL, or one sentence that names the key. */
const char *hec_check(const void *config);

/* The attributes that are an event's metadata: the new key, the old one, the default. */
struct hec_metadata_keys hec_metadata_keys(const struct hec_config *config);
