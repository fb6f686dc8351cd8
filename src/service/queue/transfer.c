#include "transfer.h"

#include <semaphore.h>
#include <stdlib.h>

#include <holdfast/batch.h>

#include "output.h"
#include "util/clock.h"

#define RECORDS_AT_ONCE 64
#define BYTES_AT_ONCE ((size_t)4 << 20)

/* Some of the records at a time. */
struct departure {
    struct hf_transfer *transfer;
    enum wal_outcome outcome;
    struct wal_record records[RECORDS_AT_ONCE];
    size_t count;
};

uint64_t hf_transfer_end(struct wal *wal)
{
    struct wal_stat stat;
    wal_stat(wal, &stat);
    return stat.next_sequence;
}

/* Is it one of "1,5,9"? NULL means all. */
static bool is_meant(const char *selection, uint64_t sequence)
{
    bool found = selection == NULL;
    while (selection != NULL && *selection != '\0' && !found) {
        char *end = NULL;
        found = strtoull(selection, &end, 10) == sequence;
        selection = *end == ',' ? end + 1 : end;
    }
    return found;
}

/* Keeps those of the group that are meant, in front. True: there may be more behind it. */
static bool keep_meant(struct departure *departure, size_t read)
{
    const struct hf_transfer *transfer = departure->transfer;
    bool goes_on = read != 0;
    for (size_t i = 0; i < read; i++) {
        const struct wal_record record = departure->records[i];
        bool is_before = record.sequence < transfer->end;
        if (is_before && is_meant(transfer->selection, record.sequence)) {
            departure->records[departure->count++] = record;
        } else {
            hf_ref_drop(record.owner);
        }
        goes_on = goes_on && is_before;
    }
    return goes_on;
}

static bool may_go_on(const struct hf_transfer *transfer)
{
    return hf_queue_is_read(transfer->out) &&
           (transfer->until_ns == 0 || hf_clock_monotonic_ns() < transfer->until_ns);
}

/* False: there are no more, the reader is gone, or the time is over. */
static bool next_group(struct departure *departure, enum wal_status *ret_status)
{
    bool goes_on = true;
    departure->count = 0;
    *ret_status = WAL_OK;
    while (departure->count == 0 && goes_on && may_go_on(departure->transfer)) {
        size_t read = 0;
        *ret_status = wal_consumer_read(departure->transfer->reader, RECORDS_AT_ONCE, BYTES_AT_ONCE,
                                        departure->records, &read);
        goes_on = *ret_status == WAL_OK && keep_meant(departure, read);
    }
    return departure->count != 0;
}

/* The first `taken` of the group are gone. */
static void end_group(struct departure *departure, size_t taken)
{
    for (size_t i = 0; i < departure->count; i++) {
        const struct wal_record *record = &departure->records[i];
        struct wal_ack ack = {.sequence = record->sequence,
                              .items = record->items,
                              .raw_bytes = record->raw_bytes,
                              .outcome = departure->outcome,
                              .drop = WAL_DROP_OPERATOR};
        if (i < taken) {
            wal_consumer_ack(departure->transfer->reader, &ack, 1);
            departure->transfer->gone.records++;
            departure->transfer->gone.items += record->items;
        }
        hf_ref_drop(record->owner);
    }
}

enum wal_status hf_transfer_drop(struct hf_transfer *transfer)
{
    enum wal_status status = WAL_OK;
    struct departure departure = {.transfer = transfer, .outcome = WAL_DROPPED};
    while (next_group(&departure, &status)) {
        end_group(&departure, departure.count);
    }
    wal_consumer_rewind(transfer->reader);
    return status;
}

/* ---- from queue to queue ---- */

/* One append of a group that is waited for. */
struct passage {
    struct wal_append append;
    sem_t *done;
    enum wal_status status;
};

static void on_done(struct wal_append *append, enum wal_status status)
{
    struct passage *passage = HF_CONTAINER(append, struct passage, append);
    passage->status = status;
    sem_post(passage->done);
}

/* The record as it is: what is written with a dead letter goes with it. */
static enum wal_status begin_passage(struct wal *to, const struct wal_record *record,
                                     struct passage *passage, sem_t *done)
{
    *passage = (struct passage){
        .append = {.kind = record->kind,
                   .coding = record->coding,
                   .flags = record->flags,
                   .items = record->items,
                   .raw_bytes = record->raw_bytes,
                   .time_ns = record->time_ns,
                   .meta = record->meta,
                   .body = record->body,
                   .owner = record->owner,
                   .done = on_done},
        .done = done,
    };
    enum wal_status status = wal_admit(to, &passage->append);
    if (status == WAL_OK) {
        wal_append(to, &passage->append);
    }
    return status;
}

/* Appends the group and waits until it is durable. How many of the first were taken; the status of
 * the one that was not. */
static size_t cross(struct wal *to, const struct departure *departure, enum wal_status *ret_status)
{
    struct passage passages[RECORDS_AT_ONCE];
    sem_t done;
    size_t begun = 0;
    size_t taken = 0;
    sem_init(&done, 0, 0);
    *ret_status = WAL_OK;
    while (begun < departure->count && *ret_status == WAL_OK) {
        *ret_status = begin_passage(to, &departure->records[begun], &passages[begun], &done);
        begun += *ret_status == WAL_OK ? 1 : 0;
    }
    for (size_t i = 0; i < begun; i++) {
        while (sem_wait(&done) != 0) {
        }
    }
    while (taken < begun && passages[taken].status == WAL_OK) {
        taken++;
    }
    if (taken < begun) {
        *ret_status = passages[taken].status;
    }
    sem_destroy(&done);
    return taken;
}

enum wal_status hf_transfer_move(struct hf_transfer *transfer, struct wal *to)
{
    enum wal_status status = WAL_OK;
    struct departure departure = {.transfer = transfer, .outcome = WAL_DELIVERED};
    while (status == WAL_OK && next_group(&departure, &status)) {
        end_group(&departure, cross(to, &departure, &status));
    }
    wal_consumer_rewind(transfer->reader);
    return status;
}
