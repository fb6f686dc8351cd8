/*
 * os_documents: log records and spans as documents of OpenSearch. Owned by the delivery's thread.
 */
#pragma once

#include "bulk/bulk.h"
#include "bulk/fields.h"
#include "bulk/walk.h"
#include "os_config.h"

struct os_place {
    const struct os_config *config;
    const struct hf_bulk_walk *walk;
    struct hf_bytes *text;         /* room for values that are made */
    struct hf_bulk_fields *fields; /* likewise */
    uint64_t received_ns;
};

/* Each writes one object. */
void os_log_ss4o(const struct os_place *place, struct hf_slice record,
                 struct hf_json_writer *writer);
void os_log_fields(const struct os_place *place, struct hf_slice record,
                   struct hf_json_writer *writer);
void os_span(const struct os_place *place, struct hf_slice span, struct hf_json_writer *writer);
