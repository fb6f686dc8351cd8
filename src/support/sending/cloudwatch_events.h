/*
 * cloudwatch_events: the log events that one export request becomes, and their way into CloudWatch
 * Logs: sorted by time, in requests that PutLogEvents takes, one after the other.
 *
 * The component adds events, each with the items that it stands for; what the service can never
 * take is refused for its items. A request that fails ends the sending: what was delivered until
 * then is delivered, the rest is tried again; so of each stream a first part is delivered, in the
 * order in which events were added. Owned by the delivery's thread; kept for the next export.
 */
#pragma once

#include <holdfast/export.h>

#include "aws/logs.h"
#include "support/settings/configaws.h"
#include "util/compress/compress.h"

struct hf_cloudwatch_event;
struct hf_cloudwatch_stream;
struct hf_cloudwatch_link;

enum hf_cloudwatch_state {
    HF_CLOUDWATCH_DELIVERED = 0, /* or it has no event */
    HF_CLOUDWATCH_REFUSED,
    HF_CLOUDWATCH_AGAIN
};

struct hf_cloudwatch_item {
    uint8_t state;   /* enum hf_cloudwatch_state */
    const char *why; /* of those that are not delivered; borrowed */
};

struct hf_cloudwatch_push {
    struct hf_bytes text; /* of the events; the component appends between begin and end */
    struct hf_cloudwatch_item *items; /* of the export, once it is done */
    size_t item_count;
    /* The export is not ended yet: the component does that with `outcome`. */
    void (*done)(struct hf_cloudwatch_push *push, const struct hf_outcome *outcome);

    /* The push's own. */
    struct hf_cloudwatch_event *events;
    struct hf_cloudwatch_stream *streams;
    struct hf_cloudwatch_link *links;
    struct hf_item_outcome *outcomes;
    size_t event_count, event_capacity, stream_count, stream_capacity, link_count, link_capacity;
    size_t item_capacity, outcome_capacity;
    const struct hf_aws_client *client;
    const struct hf_export *export;
    uint32_t *batch; /* the events of the request that is under way */
    size_t batch_count, batch_capacity;
    size_t stream;       /* whose events are sent */
    uint32_t next_event; /* of that stream; UINT32_MAX: none */
    struct hf_bytes body;
    struct hf_aws_logs_put put;
    const struct hf_aws_logs *logs;
    size_t delivered_events;
    struct hf_aws_result failure; /* the first */
    char invalid[256];            /* of a request that the service refused */
};

/* Drops what is there from before. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_cloudwatch_reset(struct hf_cloudwatch_push *push,
                                               const struct hf_export *export);
void hf_cloudwatch_release(struct hf_cloudwatch_push *push);

/* An event of that Unix time; its text is what is appended to `text` until the end. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_cloudwatch_begin(struct hf_cloudwatch_push *push, int64_t time_ms,
                                               struct hf_slice group, struct hf_slice stream);
void hf_cloudwatch_end(struct hf_cloudwatch_push *push);
/* The last event stands for that item of the export, too. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_cloudwatch_add_item(struct hf_cloudwatch_push *push, uint32_t item);
/* The item has no form there; `why` is borrowed until the end of the export. */
void hf_cloudwatch_refuse(struct hf_cloudwatch_push *push, uint32_t item, const char *why);
/* The text of an event, counted in the order of their beginning; for a test and other outputs. */
struct hf_slice hf_cloudwatch_text(const struct hf_cloudwatch_push *push, size_t event);

/* Sends the events; ends in `done`, now or later. */
void hf_cloudwatch_send(struct hf_cloudwatch_push *push, const struct hf_aws_client *client,
                        const struct hf_aws_logs *logs);

/* The time of receipt of an item of the export, which is the same at every attempt. `*range` and
 * `*first` begin as 0, and items are asked for in ascending order. */
uint64_t hf_export_received_ns(const struct hf_export *export, uint32_t item, size_t *range,
                               uint32_t *first);

/* What log_retention and tags cannot be: NULL or a sentence. */
const char *hf_cloudwatch_check(int64_t log_retention, const struct hf_string_map *tags);

/* clang-format off */
#define HF_CLOUDWATCH_FIELDS(owner, retention, tag_map)                                            \
    {.key = "log_retention",                                                                       \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, retention),                                                         \
     .default_text = "0",                                                                          \
     .min = 0,                                                                                     \
     .max = 3653,                                                                                  \
     .help = "Days that a log group that is made here keeps its events; 0: for ever."},            \
    {.key = "tags",                                                                                \
     .type = HF_FIELD_MAP,                                                                         \
     .offset = offsetof(owner, tag_map),                                                           \
     .help = "Tags of a log group that is made here; at most 50."}
/* clang-format on */
