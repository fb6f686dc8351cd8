/*
 * object_body: the content of an object in a store: one Export request in the format that a reader
 * of archives expects. Any thread; no state.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/export.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/payload.h"
#include "util/compress/compress.h"

enum hf_object_format {
    HF_OBJECT_OTLP_JSON = 0,
    HF_OBJECT_OTLP_PROTO,
    HF_OBJECT_SUMO_IC, /* the archive format of Sumo Logic's Installed Collector; logs only */
    HF_OBJECT_BODY,    /* a line per record: its body as text; logs only */
    HF_OBJECT_FORMAT_COUNT
};

extern const char *const hf_object_formats[HF_OBJECT_FORMAT_COUNT + 1]; /* the values of a key */

/* The end of an object's name, without the point and before the one of a compression. */
const char *hf_object_extension(enum hf_object_format format);
bool hf_object_is_for_logs_only(enum hf_object_format format);

/* Appends the content. HF_NOMEM; HF_INVALID with a sentence in `reterr` (256 bytes): a resource has
 * not the attributes that the format needs. */
HF_MUST_USE enum hf_status hf_object_write(enum hf_object_format format, enum hf_signal signal,
                                           struct hf_slice raw, struct hf_bytes *out, char *reterr);

/* The content of a whole export request, in `coding`: bodies that are in it already go by
 * reference. As hf_object_write(), and HF_CORRUPT. */
HF_MUST_USE enum hf_status hf_object_build(struct hf_payload *payload, enum hf_object_format format,
                                           const struct hf_export *export, enum hf_coding coding,
                                           char *reterr);
