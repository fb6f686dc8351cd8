/*
 * sanitize: paths without ids and queries without values, of the attributes that are named, of all
 * texts in the bodies of logs, and of the names of spans. What is configured is immutable after
 * start; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "keys.h"
#include "pdata/attributes.h"
#include "pdata/message.h"
#include "util/compress/compress.h"

/* In the order of the Go collector, which is the order in which they are tried. */
enum hf_database {
    HF_DATABASE_SQL = 0,
    HF_DATABASE_REDIS,
    HF_DATABASE_VALKEY,
    HF_DATABASE_MEMCACHED,
    HF_DATABASE_MONGO,
    HF_DATABASE_OPENSEARCH,
    HF_DATABASE_ES,
    HF_DATABASE_COUNT
};

struct hf_sanitizers {
    bool of_urls, of_url_span_names, of_database_span_names;
    struct hf_key_set url_attributes;
    bool has_database; /* one of them is on */
    struct {
        bool enabled;
        struct hf_key_set attributes;
    } databases[HF_DATABASE_COUNT];
};

/* The text of db.system.name or of db.system; empty: neither is there. */
struct hf_slice hf_sanitize_system(const struct hf_attributes *attributes);

/*
 * Each appends the text as it shall be to `out`, `scratch` is overwritten. HF_NOT_FOUND: it stays
 * as it is, and nothing is appended. HF_NOMEM.
 *
 * An attribute: `system` as hf_sanitize_system() has it; without one, `tries_all` has every
 * database that names the attribute look at it. */
HF_MUST_USE enum hf_status hf_sanitize_attribute(const struct hf_sanitizers *sanitizers,
                                                 struct hf_slice key, struct hf_slice text,
                                                 struct hf_slice system, bool tries_all,
                                                 struct hf_bytes *scratch, struct hf_bytes *out);
/* A text in the body of a log: everything that is on. */
HF_MUST_USE enum hf_status hf_sanitize_body(const struct hf_sanitizers *sanitizers,
                                            struct hf_slice text, struct hf_bytes *scratch,
                                            struct hf_bytes *out);
/* The name of a span that is about HTTP or a database. */
HF_MUST_USE enum hf_status hf_sanitize_span_name(const struct hf_sanitizers *sanitizers,
                                                 struct hf_message *span, struct hf_bytes *out);
