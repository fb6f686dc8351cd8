#include "dead_letters.h"

#include <inttypes.h>
#include <semaphore.h>
#include <stdlib.h>

#include <holdfast/batch.h>

#include "output.h"

#define RECORDS_AT_ONCE 64
#define BYTES_AT_ONCE ((size_t)4 << 20)

/* Some records that leave a queue at an operator's word. */
struct departure {
    FILE *out; /* when its reader is gone, the rest stays */
    struct wal_consumer *reader;
    const char *selection; /* "1,5,9"; NULL: all are meant */
    uint64_t end;          /* those that come meanwhile stay */
    enum wal_outcome outcome;
    struct wal_record records[RECORDS_AT_ONCE];
    size_t count;
    struct wal_amount gone;
};

static uint64_t end_of(struct wal *wal)
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

/* Behind the last one that is meant, so that no more than those are read. */
static uint64_t end_of_selection(const char *selection, uint64_t end)
{
    uint64_t last = 0;
    while (*selection != '\0') {
        char *behind = NULL;
        uint64_t sequence = strtoull(selection, &behind, 10);
        last = sequence > last ? sequence : last;
        selection = *behind == ',' ? behind + 1 : behind;
    }
    return last < end ? last + 1 : end;
}

/* Keeps those of the group that are meant, in front. True: there may be more behind it. */
static bool keep_meant(struct departure *departure, size_t read)
{
    bool goes_on = read != 0;
    departure->count = 0;
    for (size_t i = 0; i < read; i++) {
        const struct wal_record record = departure->records[i];
        bool is_before = record.sequence < departure->end;
        if (is_before && is_meant(departure->selection, record.sequence)) {
            departure->records[departure->count++] = record;
        } else {
            hf_ref_drop(record.owner);
        }
        goes_on = goes_on && is_before;
    }
    return goes_on;
}

/* False: there are no more, or the reader is gone. */
static bool next_group(struct departure *departure, enum wal_status *ret_status)
{
    bool goes_on = true;
    departure->count = 0;
    *ret_status = WAL_OK;
    while (departure->count == 0 && goes_on && hf_queue_is_read(departure->out)) {
        size_t read = 0;
        *ret_status = wal_consumer_read(departure->reader, RECORDS_AT_ONCE, BYTES_AT_ONCE,
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
            wal_consumer_ack(departure->reader, &ack, 1);
            departure->gone.records++;
            departure->gone.items += record->items;
        }
        hf_ref_drop(record->owner);
    }
}

static enum wal_status drop_all(struct departure *departure)
{
    enum wal_status status = WAL_OK;
    departure->outcome = WAL_DROPPED;
    while (next_group(departure, &status)) {
        end_group(departure, departure->count);
    }
    wal_consumer_rewind(departure->reader);
    return status;
}

static enum hf_exit conclude(const struct departure *departure, enum wal_status status,
                             const char *done, const char *exporter, FILE *out)
{
    hf_queue_say(out, "%s %" PRIu64 " dead letters of %s, %" PRIu64 " items\n", done,
                 departure->gone.records, exporter, departure->gone.items);
    if (status != WAL_OK) {
        fprintf(out, "error: the rest stays where it is: %s\n", wal_status_text(status));
    }
    return status == WAL_OK ? HF_EXIT_OK : HF_EXIT_FAILED;
}

static struct wal *find_letters(struct hf_storage *store, const char *exporter, const char *records,
                                struct departure *departure, FILE *out)
{
    *departure = (struct departure){
        .out = out, .reader = hf_storage_dead_letter_reader(store, exporter), .selection = records};
    if (departure->reader == NULL) {
        hf_queue_say(out, "error: %s has no dead letters; holdfast queue stat lists who has\n",
                     exporter);
        return NULL;
    }
    struct wal *wal = hf_storage_dead_letters(store, exporter, &(const struct wal_limits){0});
    departure->end = end_of(wal);
    if (records != NULL) {
        departure->end = end_of_selection(records, departure->end);
    }
    return wal;
}

enum hf_exit hf_dead_letters_drop(struct hf_storage *store, const char *exporter,
                                  const char *records, FILE *out)
{
    struct departure departure;
    if (find_letters(store, exporter, records, &departure, out) == NULL) {
        return HF_EXIT_FAILED;
    }
    enum wal_status status = drop_all(&departure);
    return conclude(&departure, status, "dropped", exporter, out);
}

enum hf_exit hf_dead_letters_drop_requeued(struct wal *wal, const char *exporter, FILE *out)
{
    struct departure departure = {.out = out, .end = end_of(wal)};
    const struct wal_consumer_options options = {.name = exporter, .from_oldest = true};
    enum wal_status status = wal_consumer_open(wal, &options, &departure.reader);
    if (status == WAL_CLOSED) {
        hf_queue_say(out, "error: %s is configured and running: it is sending them\n", exporter);
        return HF_EXIT_FAILED;
    }
    if (status == WAL_OK) {
        status = drop_all(&departure);
        wal_consumer_close(departure.reader);
    }
    return conclude(&departure, status, "dropped", exporter, out);
}

/* ---- requeue ---- */

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

static enum wal_status requeue_all(struct wal *to, struct departure *departure)
{
    enum wal_status status = WAL_OK;
    departure->outcome = WAL_DELIVERED;
    while (status == WAL_OK && next_group(departure, &status)) {
        end_group(departure, cross(to, departure, &status));
    }
    wal_consumer_rewind(departure->reader);
    return status;
}

enum hf_exit hf_dead_letters_requeue(struct hf_storage *store, const char *exporter,
                                     const char *records, FILE *out)
{
    struct departure departure;
    struct wal *to = NULL;
    char why[HF_ERROR_MAX] = "";
    if (find_letters(store, exporter, records, &departure, out) == NULL) {
        return HF_EXIT_FAILED;
    }
    if (hf_storage_requeue(store, exporter, &to, why) != HF_OK) {
        hf_queue_say(out, "error: %s\n", why);
        return HF_EXIT_FAILED;
    }
    enum wal_status status = requeue_all(to, &departure);
    enum hf_exit code = conclude(&departure, status, "requeued", exporter, out);
    if (departure.gone.records != 0 && !hf_storage_is_watched(store, exporter)) {
        hf_queue_say(out, "they wait in requeue:%s until an exporter of that name runs\n",
                     exporter);
    }
    return code;
}
