/*
 * s3_upload: one object put into a bucket, in parts when it is larger than 8 MiB. Ends in exactly
 * one `done`. An upload in parts that fails is taken back; one whose process ends leaves its parts
 * to the bucket's rule for incomplete uploads. The loop's thread.
 */
#pragma once

#include "s3.h"

#define HF_S3_PART_BYTES ((size_t)8 << 20)

struct hf_s3_upload {
    const char *bucket, *key;
    const char *content_type, *content_encoding; /* NULL: none */
    const struct hf_slice *pieces;               /* the body; the caller's until `done` */
    size_t piece_count;
    const struct hf_header *headers; /* of the object, such as x-amz-storage-class */
    size_t header_count;
    uint64_t timeout_ns; /* of each request; 0: none */
    void (*done)(struct hf_s3_upload *upload, const struct hf_s3_result *result);

    /* The upload's own. */
    struct hf_s3 *s3;
    struct hf_s3_call call;
    char upload_id[1024], query[1200]; /* as it came; as a parameter */
    struct hf_slice *part;             /* pieces of the part that is sent */
    size_t part_capacity;
    size_t piece, offset; /* where the next part begins */
    unsigned parts;       /* begun */
    struct hf_bytes list; /* of the parts, as the end wants it */
    struct hf_s3_result failure;
};

/* Zeroed before its first use; hf_s3_upload_release() after the last. */
void hf_s3_upload_start(struct hf_s3 *s3, struct hf_s3_upload *upload);
void hf_s3_upload_release(struct hf_s3_upload *upload);
