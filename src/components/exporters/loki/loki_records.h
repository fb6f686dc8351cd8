/*
 * loki_records: log records as entries of a push request: the tenant, the stream and the line of
 * each.
 *
 * Most records differ in none of these but the line from others of their resource and severity:
 * what these have in common is found once and kept until the next resource. Owned by one thread:
 * zeroed at first, loki_records_release() at last; its memory is kept between requests.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "loki_json.h"
#include "loki_labels.h"
#include "loki_line.h"
#include "loki_push.h"
#include "loki_record.h"
#include "loki_telling.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

enum loki_tenant_source { LOKI_TENANT_STATIC = 0, LOKI_TENANT_ATTRIBUTES, LOKI_TENANT_CONTEXT };

struct loki_tenant_config {
    int64_t source;
    const char *value;
};

struct loki_record_config {
    struct loki_label_config labels;
    struct loki_tenant_config *tenant; /* NULL: not given */
    int64_t format;
};

#define LOKI_SEVERITIES 25u /* 0 for none, and those that have a name */

/* What records of one resource have in common that tell nothing else (loki_telling.h). */
struct loki_common {
    const struct hf_message *resource_group; /* NULL: not found yet */
    const struct hf_message *last;           /* the record that was asked for last, */
    bool is_of_last;                         /* and whether it has these in common */
    bool is_known;                           /* else each record is looked at alone */
    struct hf_slice tenant_key, tenant;      /* the second: empty for the one of the request */
    enum loki_format format;
    struct loki_labels labels; /* of the last severity; what they hide is the same for all */
    uint32_t streams[LOKI_SEVERITIES]; /* plus 1; 0: not known yet */
};

struct loki_records {
    const struct loki_record_config *config; /* borrowed */
    struct loki_telling telling;
    struct loki_common common;
    struct loki_record record; /* `last` of the common ones */
    struct loki_labels labels; /* of a record that is looked at alone */
    struct hf_bytes labels_text;
    struct loki_push push;
    struct loki_json json;
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status loki_records_init(struct loki_records *records,
                                             const struct loki_record_config *config);
void loki_records_release(struct loki_records *records);

/* Before the first record of a document. */
void loki_records_begin(struct loki_records *records);

/* The tenant that the record or its resource names, in the document's memory; empty: none. */
struct hf_slice loki_records_tenant(struct loki_records *records, const struct hf_place *place);

/* Adds the record to `push`, at `received_ns` if it has no time. False in `ret_is_taken`: it has no
 * label, and Loki takes none such. HF_NOMEM, HF_INVALID. */
HF_MUST_USE enum hf_status loki_records_add(struct loki_records *records,
                                            const struct hf_place *place, uint64_t received_ns,
                                            bool *ret_is_taken);
