/*
 * fields: parts of a log record that are named as `body.a.b` or `attributes.a`, dots in names as
 * `\.`. Compiled once; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/message.h"
#include "util/hash.h"

struct logdedup_fields;

/* NULL, or one static sentence. */
const char *logdedup_fields_check(const char *key, struct hf_string_list names);

/* HF_NOMEM. The names are borrowed. */
HF_MUST_USE enum hf_status logdedup_fields_new(struct hf_string_list names,
                                               struct logdedup_fields **ret_fields);
void logdedup_fields_free(struct logdedup_fields *fields);

/* Removes the parts from the record. HF_NOMEM. */
HF_MUST_USE enum hf_status logdedup_fields_remove(const struct logdedup_fields *fields,
                                                  struct hf_message *record);
/* Of the values of the parts, in their order. False: it has none of them. */
HF_MUST_USE bool logdedup_fields_hash(const struct logdedup_fields *fields,
                                      struct hf_message *record, struct hf_hash *ret_hash);
