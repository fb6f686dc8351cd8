#include "queue_letters.h"

#include <semaphore.h>
#include <string.h>

#include <holdfast/meta.h>

#define RECORDS_AT_ONCE 16
#define BYTES_AT_ONCE ((size_t)1 << 20)

/* As bury.c writes them. */
enum { META_PIPELINE = 'q' };

static struct wal_ack ack_for(const struct wal_record *record, enum wal_fate fate)
{
    return (struct wal_ack){.sequence = record->sequence,
                            .items = record->items,
                            .raw_bytes = record->raw_bytes,
                            .fate = fate,
                            .drop = WAL_DROP_OPERATOR};
}

/* Takes every dead letter through `take`; stops at the first that it refuses. */
static enum hf_exit each_letter(struct hf_store *store, const char *exporter, FILE *out,
                                bool (*take)(struct hf_store *store,
                                             const struct wal_record *record, FILE *out),
                                enum wal_fate fate, const char *done)
{
    struct wal_record records[RECORDS_AT_ONCE];
    struct wal_consumer *reader = hf_store_dead_letter_reader(store, exporter);
    uint64_t letters = 0;
    uint64_t items = 0;
    size_t count = 0;
    bool going = reader != NULL;
    enum wal_status status = WAL_OK;
    if (reader == NULL) {
        fprintf(out, "error: %s has no dead letters\n", exporter);
        return HF_EXIT_FAILED;
    }
    do {
        status = wal_consumer_read(reader, RECORDS_AT_ONCE, BYTES_AT_ONCE, records, &count);
        count = status == WAL_OK ? count : 0;
        for (size_t i = 0; i < count; i++) {
            going = going && take(store, &records[i], out);
            if (going) {
                struct wal_ack ack = ack_for(&records[i], fate);
                wal_consumer_ack(reader, &ack, 1);
                letters++;
                items += records[i].items;
            }
            hf_ref_drop(records[i].owner);
        }
    } while (going && count != 0);
    wal_consumer_rewind(reader);
    fprintf(out, "%s %llu dead letters of %s, %llu items\n", done, (unsigned long long)letters,
            exporter, (unsigned long long)items);
    return going && status == WAL_OK ? HF_EXIT_OK : HF_EXIT_FAILED;
}

static bool let_go(struct hf_store *store, const struct wal_record *record, FILE *out)
{
    (void)store;
    (void)record;
    (void)out;
    return true;
}

enum hf_exit hf_letters_drop(struct hf_store *store, const char *exporter, FILE *out)
{
    return each_letter(store, exporter, out, let_go, WAL_DROPPED, "dropped");
}

/* An append that is waited for. */
struct waited {
    struct wal_append append;
    sem_t done;
    enum wal_status status;
};

static void on_done(struct wal_append *append, enum wal_status status)
{
    struct waited *waited = HF_CONTAINER(append, struct waited, append);
    waited->status = status;
    sem_post(&waited->done);
}

static enum wal_status append_and_wait(struct wal *wal, const struct wal_record *record,
                                       struct hf_slice meta)
{
    struct waited waited = {
        .append = {.kind = record->kind,
                   .coding = record->coding,
                   .items = record->items,
                   .raw_bytes = record->raw_bytes,
                   .time_ns = record->time_ns,
                   .meta = meta,
                   .body = record->body,
                   .owner = record->owner,
                   .done = on_done},
    };
    sem_init(&waited.done, 0, 0);
    enum wal_status status = wal_admit(wal, &waited.append);
    if (status == WAL_OK) {
        wal_append(wal, &waited.append);
        while (sem_wait(&waited.done) != 0) {
        }
        status = waited.status;
    }
    sem_destroy(&waited.done);
    return status;
}

/* The client metadata alone: what bury.c added stays behind. `ret_pipeline` has room for a name. */
static struct hf_slice original_meta(struct hf_slice meta, char *ret_pipeline)
{
    size_t cursor = 0;
    size_t kept = 0;
    struct hf_meta_entry entry;
    ret_pipeline[0] = '\0';
    while (hf_meta_next(meta, &cursor, &entry)) {
        if (entry.kind == HF_META_PEER || entry.kind == HF_META_AUTH ||
            entry.kind == HF_META_HEADER) {
            kept = cursor;
        } else if ((int)entry.kind == META_PIPELINE && entry.value.size <= WAL_NAME_BYTES_MAX) {
            memcpy(ret_pipeline, entry.value.data, entry.value.size);
            ret_pipeline[entry.value.size] = '\0';
        }
    }
    return hf_slice_of(meta.data, kept);
}

static bool put_back(struct hf_store *store, const struct wal_record *record, FILE *out)
{
    char pipeline[WAL_NAME_BYTES_MAX + 1];
    char why[512] = "";
    struct wal *wal = NULL;
    const struct hf_queue_options plain = {0};
    struct hf_slice meta = original_meta(record->meta, pipeline);
    if (pipeline[0] == '\0' || hf_store_queue(store, pipeline, &plain, &wal, why) != HF_OK) {
        fprintf(out, "error: the queue of pipeline \"%s\" cannot be opened: %s\n", pipeline, why);
        return false;
    }
    enum wal_status status = append_and_wait(wal, record, meta);
    if (status != WAL_OK) {
        fprintf(out, "error: pipeline %s: %s\n", pipeline, wal_status_text(status));
    }
    return status == WAL_OK;
}

enum hf_exit hf_letters_requeue(struct hf_store *store, const char *exporter, FILE *out)
{
    return each_letter(store, exporter, out, put_back, WAL_DELIVERED, "requeued");
}
