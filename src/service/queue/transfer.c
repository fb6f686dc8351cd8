#include "transfer.h"

#include <semaphore.h>

#include <holdfast/batch.h>

#include "output.h"
#include "util/time/clock.h"

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

static bool is_chosen(const struct hf_transfer *transfer, const struct wal_record *record)
{
    struct hf_slice chosen;
    uint32_t items = 0;
    struct hf_selection *selection = transfer->selection;
    if (record->sequence >= transfer->end) {
        return false;
    }
    return selection == NULL ||
           (hf_selection_has(selection, record) &&
            hf_selection_choose(selection, record, true, &chosen, &items) == HF_OK &&
            (items != 0 || selection->where == NULL));
}

/* Keeps those that are chosen; the others stay where they are. */
static void sort_out(struct departure *departure, size_t read)
{
    for (size_t i = 0; i < read; i++) {
        if (is_chosen(departure->transfer, &departure->records[i])) {
            departure->records[departure->count++] = departure->records[i];
        } else {
            hf_ref_drop(departure->records[i].owner);
        }
    }
}

static bool may_go_on(const struct hf_transfer *transfer)
{
    return hf_queue_is_read(transfer->out) &&
           (transfer->until_ns == 0 || hf_clock_monotonic_ns() < transfer->until_ns);
}

/* False: there are no more, the reader is gone, or the time is over. */
static bool next_group(struct departure *departure, enum wal_status *ret_status)
{
    struct hf_transfer *transfer = departure->transfer;
    size_t read = 0;
    bool is_over = false;
    departure->count = 0;
    *ret_status = WAL_OK;
    while (departure->count == 0 && !is_over) {
        if (!may_go_on(transfer)) {
            return false;
        }
        *ret_status = wal_consumer_read(transfer->reader, RECORDS_AT_ONCE, BYTES_AT_ONCE,
                                        departure->records, &read);
        if (*ret_status != WAL_OK || read == 0) {
            return false;
        }
        is_over = departure->records[read - 1].sequence + 1 >= transfer->end;
        sort_out(departure, read);
        hf_progress_step(&transfer->progress, read);
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
