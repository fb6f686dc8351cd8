/*
 * logs: CloudWatch Logs. Puts events into a stream of a group; a stream or a group that is not
 * there is made, and the events are put again.
 *
 * A put is the caller's memory until `done`, and ends in exactly one `done`: later, or at once.
 * Owned by the thread of the loop.
 */
#pragma once

#include <holdfast/field.h>

#include "service.h"

/* What PutLogEvents takes at once. */
#define HF_AWS_LOGS_EVENTS_MAX 10000u
#define HF_AWS_LOGS_BYTES_MAX ((size_t)1 << 20)
#define HF_AWS_LOGS_EVENT_OVERHEAD 26u /* counted for each event, besides its text */
#define HF_AWS_LOGS_SPAN_MS INT64_C(86400000)
#define HF_AWS_LOGS_PAST_MS (14 * HF_AWS_LOGS_SPAN_MS)
#define HF_AWS_LOGS_FUTURE_MS INT64_C(7200000)
#define HF_AWS_LOGS_NAME_MAX 512u

struct hf_aws_logs {
    struct hf_aws_service *service;
    int64_t retention_days;           /* of groups that are made; 0: for ever */
    const struct hf_string_map *tags; /* likewise; NULL: none. Borrowed */
};

/* Events that the service did not take although it took the others: counted in the order of the
 * put. */
struct hf_aws_logs_rejected {
    size_t old_end;     /* those before are too old */
    size_t expired_end; /* those before are older than the group keeps them */
    size_t new_start;   /* these and those behind are too far in the future; SIZE_MAX: none */
};

struct hf_aws_logs_put {
    const char *group, *stream;
    struct hf_slice body; /* PutLogEvents as JSON; the caller's until `done` */
    uint64_t deadline_ns; /* monotonic, of all requests together; 0: none */
    void (*done)(struct hf_aws_logs_put *put, const struct hf_aws_result *result,
                 const struct hf_aws_logs_rejected *rejected);

    /* The client's. */
    const struct hf_aws_logs *logs;
    struct hf_aws_call call;
    char *made; /* the body of a request that makes something */
    struct hf_slice piece;
    int step;
    bool was_made; /* the stream was made once already */
};

void hf_aws_logs_put(const struct hf_aws_logs *logs, struct hf_aws_logs_put *put);

/* The days that a group may keep its events; 0 too. */
bool hf_aws_logs_is_retention(int64_t days);
