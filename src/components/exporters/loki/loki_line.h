/*
 * loki_line: a log record as one line of text: json, logfmt or raw. Any thread.
 */
#pragma once

#include <holdfast/status.h>

#include "loki_json.h"
#include "loki_labels.h"
#include "pdata/walk.h"
#include "util/compress/compress.h"

/* The numbers follow the choices of the key `format`. */
enum loki_format { LOKI_JSON = 0, LOKI_LOGFMT, LOKI_RAW, LOKI_BODY, LOKI_FORMAT_COUNT };

extern const char *const loki_format_names[];

/* Appends the line of the record at `place`, without the attributes that are labels. `json` is what
 * lines of that form have in common. HF_NOMEM. */
HF_MUST_USE enum hf_status loki_line_write(struct loki_json *json, const struct hf_place *place,
                                           const struct loki_record *record,
                                           const struct loki_labels *labels,
                                           enum loki_format format, struct hf_bytes *out);
