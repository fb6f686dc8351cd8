/*
 * history: the last day of each queue, a point a minute: items that wait and bytes on disk. It is
 * kept in a ring in a file of fixed size (4.4 MB at most, most of it a hole), written a point at a
 * time without a sync: what a power cut takes of it is a gap in a chart. Each point has a checksum.
 *
 * The sampler's thread records, any thread reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

#define HF_CONSOLE_HISTORY_POINTS 1440u
#define HF_CONSOLE_HISTORY_QUEUES 128u

struct hf_console_history;

struct hf_console_point {
    uint32_t minute; /* of Unix time; 0: there is none */
    uint32_t checksum;
    uint64_t items, disk_bytes;
};

/* `path` is copied; NULL, or a file that cannot be opened or is another: it is kept in memory only,
 * and `*ret_is_kept` says so. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_console_history_open(const char *path,
                                                   struct hf_console_history **ret_history,
                                                   bool *ret_is_kept);
void hf_console_history_close(struct hf_console_history *history);

/* The first point of a minute counts. When there are too many queues, the one that was recorded
 * longest ago makes room. */
void hf_console_history_record(struct hf_console_history *history, const char *queue,
                               const struct hf_console_point *point);

/* The points of the last day, oldest first; returns how many. */
size_t hf_console_history_read(struct hf_console_history *history, const char *queue,
                               uint32_t now_minute,
                               struct hf_console_point ret_points[HF_CONSOLE_HISTORY_POINTS]);
