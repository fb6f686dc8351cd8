/*
 * queues: the section of `status` about every queue of the data directory, dead letters and
 * requeued ones included.
 */
#include "sections.h"
#include "service/queue/accounting.h"
#include "storage/refusal.h"
#include "storage/storage.h"
#include "util/time/clock.h"
#include "words.h"

struct writing {
    struct hf_json_out *json;
    uint64_t now_ns;
};

static void write_drops(struct hf_json_out *json, const struct wal_accounting *accounting)
{
    hf_json_out_map(json, "dropped");
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        if (accounting->dropped[drop].records + accounting->dropped[drop].items != 0) {
            hf_status_amount(json, wal_drop_name((enum wal_drop)drop), &accounting->dropped[drop]);
        }
    }
    hf_json_out_end_map(json);
}

static void write_consumer(void *user, const struct wal_consumer_stat *stat)
{
    const struct writing *writing = user;
    struct hf_json_out *json = writing->json;
    const struct wal_accounting *accounting = &stat->accounting;
    uint64_t oldest_ns = stat->oldest_time_ns;
    uint64_t age_ns =
        oldest_ns != 0 && writing->now_ns > oldest_ns ? writing->now_ns - oldest_ns : 0;
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "name", stat->name);
    hf_json_out_bool(json, "open", stat->open);
    hf_json_out_number(json, "position", stat->low);
    hf_json_out_seconds(json, "oldest_age_seconds", age_ns);
    hf_status_amount(json, "accepted", &accounting->accepted);
    hf_status_amount(json, "delivered", &accounting->delivered);
    hf_status_amount(json, "queued", &accounting->queued);
    hf_status_amount(json, "dead_lettered", &accounting->dead_lettered);
    write_drops(json, accounting);
    hf_json_out_bool(json, "balanced", hf_queue_balances(accounting));
    hf_json_out_end_map(json);
}

static void write_segment(void *user, const struct wal_segment_stat *stat)
{
    struct hf_json_out *json = ((const struct writing *)user)->json;
    hf_json_out_map(json, NULL);
    hf_json_out_number(json, "first", stat->first);
    hf_json_out_number(json, "end", stat->end);
    hf_json_out_number(json, "bytes", stat->bytes);
    hf_json_out_number(json, "file_bytes", stat->file_bytes);
    hf_json_out_bool(json, "writing", stat->is_tail);
    hf_json_out_bool(json, "broken", stat->is_broken);
    hf_json_out_end_map(json);
}

/* The bounds are upper ones; the last count has none. */
static void write_histogram(struct hf_json_out *json, const char *key, const uint64_t *counts,
                            size_t count, double first_bound, double sum)
{
    hf_json_out_map(json, key);
    hf_json_out_list(json, "bounds");
    for (size_t i = 0; i + 1 < count; i++) {
        hf_json_out_double(json, NULL, first_bound * (double)(UINT64_C(1) << i));
    }
    hf_json_out_end_list(json);
    hf_json_out_list(json, "counts");
    for (size_t i = 0; i < count; i++) {
        hf_json_out_number(json, NULL, counts[i]);
    }
    hf_json_out_end_list(json);
    hf_json_out_double(json, "sum", sum);
    hf_json_out_end_map(json);
}

static void write_commits(struct hf_json_out *json, const struct wal_stat *stat)
{
    hf_json_out_number(json, "commits", stat->commits);
    hf_json_out_seconds(json, "fsync_seconds", stat->fsync_ns_total);
    write_histogram(json, "commit_seconds", stat->commit_histogram, WAL_HISTOGRAM_BUCKETS, 16e-6,
                    (double)stat->commit_ns_total / 1e9);
    write_histogram(json, "commit_records", stat->group_histogram, WAL_GROUP_BUCKETS, 1,
                    (double)stat->group_total);
}

static void write_space(struct hf_json_out *json, const struct wal_stat *stat)
{
    char why[HF_REFUSAL_MAX];
    hf_json_out_number(json, "disk_bytes", stat->disk_bytes);
    hf_json_out_number(json, "disk_bytes_max", stat->disk_bytes_max);
    hf_json_out_number(json, "free_bytes", stat->free_bytes);
    hf_json_out_double(json, "append_bytes_per_second", stat->append_bytes_per_s);
    hf_json_out_bool(json, "healthy", stat->healthy);
    hf_refusal_say(stat, why);
    hf_json_out_text(json, "why_unhealthy", stat->healthy ? NULL : why);
    hf_json_out_map(json, "refused");
    hf_json_out_number(json, "full", stat->refused_full);
    hf_json_out_number(json, "share", stat->refused_share);
    hf_json_out_number(json, "disk_full", stat->refused_space);
    hf_json_out_number(json, "disk_failed", stat->refused_io);
    hf_json_out_end_map(json);
    hf_json_out_map(json, "damaged");
    hf_json_out_number(json, "records", stat->damaged_records);
    hf_json_out_number(json, "bytes", stat->damaged_bytes);
    hf_json_out_end_map(json);
}

static void write_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct writing *writing = user;
    struct hf_json_out *json = writing->json;
    struct wal_stat stat;
    wal_stat(wal, &stat);
    hf_json_out_map(json, NULL);
    hf_json_out_text(json, "kind", kind);
    hf_json_out_text(json, "id", id);
    write_space(json, &stat);
    hf_json_out_number(json, "first_sequence", stat.first_sequence);
    hf_json_out_number(json, "next_sequence", stat.next_sequence);
    hf_json_out_number(json, "admitted_records", stat.admitted);
    hf_status_amount(json, "appended", &stat.appended);
    write_commits(json, &stat);
    hf_json_out_number(json, "spare_segments", stat.spare_segments);
    hf_json_out_list(json, "segments");
    enum wal_status status = wal_segment_each(wal, write_segment, writing);
    hf_json_out_end_list(json);
    hf_json_out_list(json, "consumers");
    status = status == WAL_OK ? wal_consumer_each(wal, write_consumer, writing) : status;
    hf_json_out_end_list(json);
    hf_json_out_text(json, "error", status == WAL_OK ? NULL : wal_status_text(status));
    hf_json_out_end_map(json);
}

void hf_status_queues(const struct hf_status_source *source, struct hf_json_out *json)
{
    struct writing writing = {json, hf_clock_unix_ns()};
    hf_json_out_list(json, "queues");
    hf_storage_each(source->host->store, write_queue, &writing);
    hf_json_out_end_list(json);
}
