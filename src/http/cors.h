/*
 * cors: which pages of other sites may call an HTTP server from a browser. Immutable; any thread.
 */
#pragma once

#include <stdint.h>

#include <holdfast/field.h>

struct hf_cors_config {
    struct hf_string_list allowed_origins, allowed_headers, exposed_headers;
    int64_t max_age_s;
};

/* The keys that every HTTP server of the configuration shares, for components to embed in their
 * field tables. */
extern const struct hf_field hf_cors_fields[];
