/*
 * delivery_config: the keys that every exporter shares: `timeout`, `sending_queue`,
 * `retry_on_failure`. They belong to the delivery; the loader adds them to each exporter's own,
 * checks them, and keeps them beside the exporter's configuration.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

enum hf_sizer { HF_SIZER_REQUESTS = 0, HF_SIZER_ITEMS, HF_SIZER_BYTES };
enum hf_on_full { HF_ON_FULL_REJECT = 0, HF_ON_FULL_DROP_OLDEST };
enum hf_dead_letters_on_full { HF_DEAD_LETTERS_HOLD = 0, HF_DEAD_LETTERS_DROP_OLDEST };
enum hf_on_give_up { HF_GIVE_UP_KEEP = 0, HF_GIVE_UP_DEAD_LETTER, HF_GIVE_UP_DROP };

struct hf_queue_batch_config {
    uint64_t flush_timeout_ns;
    int64_t min_size, max_size; /* in items or bytes, by sizer */
    int64_t sizer;              /* index into "items", "bytes" */
    struct hf_queue_partition_config {
        struct hf_string_list metadata_keys;
    } partition;
};

struct hf_queue_config {
    bool enabled;
    int64_t num_consumers;
    uint64_t rate_limit; /* bytes a second; 0: none */
    uint64_t max_age_ns; /* of a record that is about to be sent; 0: any */
    int64_t fresh_share; /* percent of requests taken from what comes in; 0: oldest first */
    int64_t queue_size;  /* in units of sizer; a limit only when the user wrote it */
    bool queue_size_written;
    int64_t sizer;
    bool block_on_overflow, wait_for_result;
    const char *storage;
    const struct hf_queue_batch_config *batch; /* NULL: as the pipeline's batch processor says */
    uint64_t max_bytes;                        /* on disk; 0: the default of the data directory */
    int64_t on_full;
    int64_t compression; /* at rest: index into "none", "zstd" */
    struct hf_dead_letter_config {
        bool enabled;
        uint64_t max_bytes;
        int64_t on_full;
        const char *pipeline; /* through which they are sent; NULL: they are kept on disk */
    } dead_letter;
    const char *attach; /* take over the backlog of that removed exporter */
};

struct hf_retry_config {
    bool enabled;
    uint64_t initial_interval_ns, max_interval_ns, max_elapsed_time_ns;
    double multiplier, randomization_factor;
    int64_t on_give_up;
};

struct hf_delivery_config {
    uint64_t timeout_ns; /* of one attempt; 0: none */
    struct hf_queue_config queue;
    struct hf_retry_config retry;
};

/* NULL, or one sentence that names the key. */
const char *hf_delivery_check(const struct hf_delivery_config *config);

/* The rows of the three keys, at their offsets in struct hf_delivery_config. The first is
 * `timeout`, whose default an exporter may replace. */
extern const struct hf_field hf_delivery_fields[];
