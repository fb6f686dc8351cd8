/*
 * awss3_objects: the objects that one export request becomes: one, or one for each pair of bucket
 * and prefix that attributes of its resources name. Owned by the delivery's thread.
 */
#pragma once

#include <holdfast/export.h>

#include "awss3_config.h"
#include "pdata/payload.h"
#include "support/sending/object_name.h"

struct awss3_object {
    char *bucket, *key;
    struct hf_bytes body;
    struct hf_slice slice;         /* `body` */
    const struct hf_slice *pieces; /* the content: that slice, or those of the payload */
    size_t piece_count;
    bool is_by_attribute; /* the bucket comes from the telemetry */
};

struct awss3_objects {
    struct hf_payload payload; /* its buffers are kept for the next request */
    struct awss3_object *items;
    size_t count;
};

/* HF_TOO_LARGE: more pairs than AWSS3_OBJECTS_MAX, or a key that is too long; HF_INVALID,
 * HF_CORRUPT, HF_NOMEM. `reterr` has 256 bytes. What is there from before is dropped. */
HF_MUST_USE enum hf_status awss3_objects_make(struct awss3_objects *objects,
                                              const struct awss3_config *config,
                                              const struct hf_object_namer *namer,
                                              const struct hf_export *export, char *reterr);
#define AWSS3_OBJECTS_MAX 256u

/* Frees the objects, not the payload's buffers; and all. */
void awss3_objects_drop(struct awss3_objects *objects);
void awss3_objects_release(struct awss3_objects *objects);
