/*
 * object_name: how exporters to object stores name what they write.
 *
 *     [base/][prefix/]<time of the partition>/<file prefix><signal>_<unique>[.extension][.gz]
 *
 * The unique part and the partition's time come from the first record of the request: its place in
 * the queue and the time of its receipt. So another attempt at the same records, also after a kill,
 * writes the same object once more. It is told from the names of other instances by the host, the
 * data directory, the exporter and the queue. Immutable; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/export.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

struct hf_object_namer;
struct hf_zone;

struct hf_object_namer_options {
    const struct hf_node *node;
    const char *base_prefix;      /* these two NULL or "": none */
    const char *partition_format; /* of strftime; "": no partition */
    const char *time_zone;        /* an IANA name; NULL or "": the machine's */
    const char *file_prefix;
    const char *extension; /* "json"; "": none */
    enum hf_coding coding; /* ".gz", ".zst" */
    bool is_uuid;          /* the unique part is a UUID of version 7 */
    bool has_no_signal;    /* the last part is <file prefix><unique> */
};

#define HF_OBJECT_PARTITION_MAX 512u

/* The part of a partition: the time by a layout of strftime in that zone. False: it does not fit.
 */
HF_MUST_USE bool hf_object_partition(const struct hf_zone *zone, const char *format,
                                     uint64_t time_ns, char ret_text[HF_OBJECT_PARTITION_MAX]);

/* HF_NOT_FOUND: the time zone, with a sentence in `reterr` (HF_ERROR_MAX). HF_NOMEM. The strings
 * are borrowed until free. */
HF_MUST_USE enum hf_status hf_object_namer_new(const struct hf_object_namer_options *options,
                                               struct hf_object_namer **ret_namer, char *reterr);
void hf_object_namer_free(struct hf_object_namer *namer); /* NULL: nothing */

/* The name of what begins with that range. HF_TOO_LARGE: more than `size`. */
HF_MUST_USE enum hf_status hf_object_name(const struct hf_object_namer *namer,
                                          const struct hf_export *export, const char *prefix,
                                          char *ret_name, size_t size);
