/*
 * awss3_config: the keys of the exporter and their checks. Immutable after loading.
 */
#pragma once

#include <holdfast/field.h>

#include "aws/credentials.h"
#include "support/sending/object_body.h"

struct awss3_config {
    struct awss3_uploader {
        const char *region, *bucket, *prefix, *base_prefix;
        const char *partition_format, *partition_timezone;
        int64_t partition; /* of old configurations: index into "", "minute", "hour" */
        const char *file_prefix, *endpoint, *role_arn, *external_id;
        bool force_path_style, disable_ssl;
        int64_t acl, storage_class, coding, unique_key;
        int64_t retry_mode, retry_max_attempts; /* without effect, as the next one */
        uint64_t retry_max_backoff_ns;
    } s3;
    int64_t format;
    const char *encoding;
    const char *encoding_extension;
    struct awss3_attributes {
        const char *bucket, *prefix;
    } attributes;
};

extern const struct hf_field awss3_fields[];

/* NULL, or one sentence that names the key. */
const char *awss3_check(const void *config);

/* The strftime layout of the partition. */
const char *awss3_partition_format(const struct awss3_config *config);
/* The compression of the content; that of sumo_ic is always gzip. */
enum hf_coding awss3_coding(const struct awss3_config *config);
/* The header's value; NULL: none is sent. */
const char *awss3_acl(const struct awss3_config *config);
const char *awss3_storage_class(const struct awss3_config *config);
