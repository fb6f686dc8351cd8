/*
 * awss3_config: the keys of the receiver, and the partitions of a bucket between two times.
 * Immutable after it was read; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#define AWSS3_CONTENT_BYTES_MAX ((size_t)64 << 20)

struct awss3_receiver_config {
    const char *start, *end; /* RFC 3339, "2006-01-02 15:04" or "2006-01-02" */
    struct awss3_downloader {
        const char *region, *bucket, *prefix, *partition_format, *time_zone, *file_prefix;
        const char *endpoint;
        int64_t partition; /* 0: minute, 1: hour */
        bool includes_type, force_path_style;
    } s3;
    struct awss3_sqs {
        const char *queue_url, *region, *endpoint;
        int64_t wait_s, messages_max;
    } * sqs; /* NULL: the range of time */
};

extern const struct hf_field awss3_receiver_fields[];

/* NULL, or one sentence that names the key. */
const char *awss3_receiver_check(const void *config);

/* Unix seconds. False: it is no such time. */
bool awss3_time(const char *text, int64_t *ret_unix_s);

/* The layout of strftime, and how far apart two partitions are. */
const char *awss3_layout(const struct awss3_receiver_config *config);
int64_t awss3_step_s(const struct awss3_receiver_config *config);
