/*
 * bench-fill DIRECTORY RECORDS READER [letters]: fills a queue with records of one span, received
 * evenly over the last day, that READER has not read; as dead letters when that word is there. Not
 * synced. For measuring how long queues are looked at.
 */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/meta.h>

#include "chaos/storm/body.h"
#include "delivery/dead_letter_meta.h"
#include "util/time/clock.h"
#include "wal/wal.h"

#define AT_ONCE 512u
#define SPAN_OF_TIME_NS (UINT64_C(86400) * HF_NS_PER_S)
#define REFUSAL "the backend's words: span kind 9 is unknown"

/* One append under way, with a body of its own. */
struct record {
    struct wal_append append;
    struct storm_body body;
    struct hf_ref owner;
    sem_t *free;
    bool failed;
};

static void keep(struct hf_ref *ref)
{
    (void)ref;
}

static void on_done(struct wal_append *append, enum wal_status status)
{
    struct record *record = HF_CONTAINER(append, struct record, append);
    record->failed = record->failed || status != WAL_OK;
    sem_post(record->free);
}

static bool open_queue(const char *directory, const char *reader, struct wal **ret_wal)
{
    const struct wal_options options = {
        .directory = directory, .no_fsync = true, .tail_bytes = 1u << 20};
    struct wal_consumer *consumer = NULL;
    if (wal_open(&options, ret_wal) != WAL_OK ||
        wal_consumer_open(*ret_wal, &(struct wal_consumer_options){.name = reader}, &consumer) !=
            WAL_OK) {
        return false;
    }
    wal_consumer_close(consumer);
    return true;
}

static bool add(struct wal *wal, struct record *record, uint64_t number, uint64_t time_ns,
                struct hf_slice meta)
{
    while (sem_wait(record->free) != 0) {
    }
    storm_body_number(&record->body, number);
    struct hf_slice body = hf_slice_of(record->body.bytes.data, record->body.bytes.size);
    record->append = (struct wal_append){.items = 1,
                                         .raw_bytes = body.size,
                                         .time_ns = time_ns,
                                         .meta = meta,
                                         .body = body,
                                         .owner = &record->owner,
                                         .done = on_done};
    if (record->failed || wal_admit(wal, &record->append) != WAL_OK) {
        return false;
    }
    wal_append(wal, &record->append);
    return true;
}

/* What a dead letter says of itself. */
static bool make_meta(struct hf_meta_writer *writer)
{
    static const struct {
        int kind;
        const char *value;
    } entries[] = {{HF_DEAD_LETTER_REASON, REFUSAL},
                   {HF_DEAD_LETTER_CODE, "400"},
                   {HF_DEAD_LETTER_PIPELINE, "traces"}};
    bool made = true;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        made = made && hf_meta_add(writer, (enum hf_meta_kind)entries[i].kind, HF_EMPTY_SLICE,
                                   hf_slice_text(entries[i].value)) == HF_OK;
    }
    return made;
}

static bool fill(struct wal *wal, struct record *records, uint64_t count, struct hf_slice meta)
{
    uint64_t begin_ns = hf_clock_unix_ns() - SPAN_OF_TIME_NS, step_ns = SPAN_OF_TIME_NS / count;
    for (uint64_t i = 0; i < count; i++) {
        if (!add(wal, &records[i % AT_ONCE], i, begin_ns + i * step_ns, meta)) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 3 ? strtoull(argv[2], NULL, 10) : 0;
    bool are_letters = argc > 4 && strcmp(argv[4], "letters") == 0;
    struct record *records = calloc(AT_ONCE, sizeof(*records));
    sem_t *turns = calloc(AT_ONCE, sizeof(*turns));
    struct hf_meta_writer writer = {.size = 0};
    struct wal *wal = NULL;
    if (count == 0 || records == NULL || turns == NULL || !make_meta(&writer) ||
        !open_queue(argv[1], argv[3], &wal)) {
        fputs("usage: bench-fill DIRECTORY RECORDS READER [letters]\n", stderr);
        return 2;
    }
    bool fine = true;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        sem_init(&turns[i], 0, 1);
        records[i].free = &turns[i];
        hf_ref_init(&records[i].owner, keep);
        fine = fine && storm_body_make(&records[i].body, HF_TRACES, 1, i);
    }
    fine = fine && fill(wal, records, count,
                        are_letters ? hf_slice_of(writer.bytes, writer.size) : HF_EMPTY_SLICE);
    wal_close(wal);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        fine = fine && !records[i].failed;
        storm_body_release(&records[i].body);
    }
    free(turns);
    free(records);
    return fine ? 0 : 1;
}
