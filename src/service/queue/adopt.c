/* hf_orphans_adopt() of orphans.h. */
#include "orphans.h"

#include <inttypes.h>
#include <string.h>

#include <holdfast/component.h>

#include "output.h"
#include "transfer.h"
#include "util/time/clock.h"

/* The thread that runs a command has others to run: the client asks again. */
#define SLICE_NS (500 * HF_NS_PER_MS)

struct adoption {
    struct hf_storage *store, *from;
    FILE *out;
    uint64_t until_ns;
    struct wal_amount gone, left;
    bool is_waiting;        /* for room, or for its next turn */
    bool has_failed;        /* something is left that cannot be moved */
    char why[HF_ERROR_MAX]; /* of the last that failed */
    const char *kind, *id;  /* of the queue that is looked at */
    struct wal *wal;
};

struct search {
    const char *kind, *id, *consumer;
    struct wal *wal;
    bool has_consumer;
};

static void match_consumer(void *user, const struct wal_consumer_stat *stat)
{
    struct search *search = user;
    search->has_consumer |= stat->open && strcmp(stat->name, search->consumer) == 0;
}

static void match_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct search *search = user;
    if (strcmp(kind, search->kind) == 0 && strcmp(id, search->id) == 0) {
        enum wal_status seen = wal_consumer_each(wal, match_consumer, search);
        search->wal = seen == WAL_OK && search->has_consumer ? wal : NULL;
    }
}

/* Where the backlog of that consumer goes; NULL, with `why`: nowhere. */
static struct wal *find_place(struct adoption *adoption, const char *consumer)
{
    struct wal *wal = NULL;
    bool is_dead = strcmp(adoption->kind, HF_STORAGE_DEAD_LETTERS) == 0;
    bool is_queue = strcmp(adoption->kind, HF_STORAGE_QUEUE) == 0;
    const char *exporter = is_queue ? consumer : adoption->id;
    if (hf_storage_is_watched(adoption->store, exporter)) {
        if (is_dead) {
            wal = hf_storage_dead_letters(adoption->store, exporter, &(const struct wal_limits){0});
            snprintf(adoption->why, sizeof(adoption->why), "its dead letters cannot be opened");
        } else if (hf_storage_requeue(adoption->store, exporter, &wal, adoption->why) != HF_OK) {
            wal = NULL;
        }
        return wal;
    }
    struct search search = {.kind = adoption->kind, .id = adoption->id, .consumer = consumer};
    if (is_queue) {
        hf_storage_each(adoption->store, match_queue, &search);
    }
    snprintf(adoption->why, sizeof(adoption->why), "no %s runs here: put it into the configuration",
             exporter);
    return search.wal;
}

static bool is_room_wanted(enum wal_status status)
{
    return status == WAL_FULL || status == WAL_NO_SPACE;
}

static void note_left(struct adoption *adoption, const struct wal_consumer_stat *stat,
                      const struct wal_amount *gone)
{
    adoption->left.items += stat->accounting.queued.items - gone->items;
    adoption->left.records += stat->accounting.queued.records - gone->records;
}

static void fail(struct adoption *adoption, const char *consumer)
{
    adoption->has_failed = true;
    hf_queue_say(adoption->out, "error: %s %s: what waits for %s stays: %s\n", adoption->kind,
                 adoption->id, consumer, adoption->why);
}

static void move_backlog(struct adoption *adoption, const struct wal_consumer_stat *stat,
                         struct wal *to)
{
    struct hf_transfer transfer = {.out = adoption->out,
                                   .end = hf_transfer_end(adoption->wal),
                                   .until_ns = adoption->until_ns};
    const struct wal_consumer_options options = {.name = stat->name, .from_oldest = true};
    enum wal_status status = WAL_OK;
    struct wal_consumer *opened = NULL;
    if (stat->open) { /* the store itself has the reader of dead letters */
        transfer.reader = hf_storage_dead_letter_reader(adoption->from, adoption->id);
        status = transfer.reader != NULL ? WAL_OK : WAL_CLOSED;
    } else {
        status = wal_consumer_open(adoption->wal, &options, &opened);
        transfer.reader = opened;
    }
    if (status == WAL_OK) {
        status = hf_transfer_move(&transfer, to);
    }
    if (opened != NULL) {
        wal_consumer_close(opened);
    }
    adoption->gone.items += transfer.gone.items;
    adoption->gone.records += transfer.gone.records;
    note_left(adoption, stat, &transfer.gone);
    if (status == WAL_OK || is_room_wanted(status)) {
        adoption->is_waiting |= transfer.gone.records < stat->accounting.queued.records;
    } else {
        snprintf(adoption->why, sizeof(adoption->why), "%s", wal_status_text(status));
        fail(adoption, stat->name);
    }
}

static void adopt_consumer(void *user, const struct wal_consumer_stat *stat)
{
    struct adoption *adoption = user;
    static const struct wal_amount nothing = {0};
    if (stat->accounting.queued.records == 0) {
        return;
    }
    struct wal *to = find_place(adoption, stat->name);
    if (to == NULL) {
        fail(adoption, stat->name);
        note_left(adoption, stat, &nothing);
    } else if (hf_clock_monotonic_ns() >= adoption->until_ns) {
        adoption->is_waiting = true;
        note_left(adoption, stat, &nothing);
    } else {
        move_backlog(adoption, stat, to);
    }
}

static void adopt_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct adoption *adoption = user;
    adoption->kind = kind;
    adoption->id = id;
    adoption->wal = wal;
    if (wal_consumer_each(wal, adopt_consumer, adoption) != WAL_OK) {
        snprintf(adoption->why, sizeof(adoption->why), "its consumers cannot be read");
        fail(adoption, id);
    }
}

static void run(struct adoption *adoption)
{
    if (!hf_storage_open_all(adoption->from)) {
        snprintf(adoption->why, sizeof(adoption->why), "the log says why");
        adoption->kind = "a queue";
        adoption->id = "of it";
        fail(adoption, "its exporters");
    }
    hf_storage_each(adoption->from, adopt_queue, adoption);
}

enum hf_exit hf_orphans_adopt(struct hf_storage *store, const char *directory, FILE *out)
{
    static const int now = 1; /* do not wait for the lock */
    struct adoption adoption = {
        .store = store, .out = out, .until_ns = hf_clock_monotonic_ns() + SLICE_NS};
    char error[HF_ERROR_MAX] = "out of memory";
    const struct hf_storage_options options = {
        .directory = directory, .log = hf_storage_log(store), .stop_requested = &now};
    if (!hf_is_data_directory(directory)) {
        hf_queue_say(out, "error: %s holds no queue\n", directory);
        return HF_EXIT_FAILED;
    }
    if (hf_storage_open(&options, &adoption.from, error) != HF_OK) {
        hf_queue_say(out, "error: %s\n", error);
        return HF_EXIT_FAILED;
    }
    run(&adoption);
    hf_storage_close(adoption.from);
    hf_queue_say(out, "adopted %" PRIu64 " items, left: %" PRIu64 "\n", adoption.gone.items,
                 adoption.left.items);
    return adoption.is_waiting   ? HF_EXIT_NOT_EMPTY
           : adoption.has_failed ? HF_EXIT_FAILED
                                 : HF_EXIT_OK;
}
