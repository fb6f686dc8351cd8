#include "drain_command.h"

#include <inttypes.h>
#include <string.h>

#include <holdfast/component.h>

#include "service/queue/output.h"

/* What is left, of all queues. */
struct left {
    FILE *out; /* NULL: nothing is said */
    const char *queue;
    uint64_t on_the_way;   /* records admitted, not committed */
    uint64_t waiting;      /* records that an exporter will deliver */
    uint64_t orphaned;     /* records of exporters that are not configured */
    uint64_t dead_letters; /* items; an operator's */
    uint64_t appended;     /* records, ever */
    bool failed;
};

static void count_backlog(void *user, const struct wal_consumer_stat *stat)
{
    struct left *left = user;
    const struct wal_amount *queued = &stat->accounting.queued;
    if (queued->records == 0) {
        return;
    }
    if (left->out != NULL) {
        bool first = left->waiting + left->orphaned == 0;
        hf_queue_say(left->out, "%s%s for %s%s: %" PRIu64 " items", first ? "left: " : ", ",
                     left->queue, stat->name, stat->open ? "" : " (not configured)", queued->items);
    }
    *(stat->open ? &left->waiting : &left->orphaned) += queued->records;
}

static void count_dead_letters(void *user, const struct wal_consumer_stat *stat)
{
    ((struct left *)user)->dead_letters += stat->accounting.queued.items;
}

static void look(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct left *left = user;
    bool is_queue = strcmp(kind, HF_STORAGE_DEAD_LETTERS) != 0;
    struct wal_stat stat;
    /* In this order: what is admitted later than this was refused, what was committed before is in
     * the accounting. */
    wal_stat(wal, &stat);
    left->on_the_way += is_queue ? stat.admitted : 0;
    left->appended += stat.appended.records;
    left->queue = id;
    enum wal_status status =
        wal_consumer_each(wal, is_queue ? count_backlog : count_dead_letters, left);
    left->failed = left->failed || status != WAL_OK;
}

static void add_appended(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct wal_stat stat;
    (void)kind;
    (void)id;
    wal_stat(wal, &stat);
    *(uint64_t *)user += stat.appended.records;
}

/* Counts all of it. False: something moved meanwhile, or may still be delivered. */
static bool count_left(struct hf_storage *store, struct left *left)
{
    hf_storage_each(store, look, left);
    /* A queued processor moves records from queue to queue, perhaps into one that was looked at
     * before. */
    uint64_t appended = 0;
    hf_storage_each(store, add_appended, &appended);
    return !left->failed && appended == left->appended && left->on_the_way + left->waiting == 0;
}

bool hf_drain_is_done(struct hf_storage *store)
{
    struct left left = {.out = NULL};
    return count_left(store, &left);
}

/* Where the backlog goes from now on; false, with a line to `out`: it does not. */
static bool send_to(struct hf_hand_over *hand_over, const char *endpoint, FILE *out)
{
    char error[HF_ERROR_MAX] = "";
    const char *wrong = endpoint != NULL ? hf_hand_over_check(endpoint) : NULL;
    if (wrong == NULL && hf_hand_over_ask(hand_over, endpoint, error)) {
        return true;
    }
    hf_queue_say(out, "error: --to %s: %s\n", endpoint != NULL ? endpoint : "",
                 wrong != NULL ? wrong : error);
    return false;
}

enum hf_exit hf_drain_command(struct hf_storage *store, struct hf_hand_over *hand_over, int count,
                              char *const *words, FILE *out)
{
    bool to_peer = count == 3 && strcmp(words[1], "--to") == 0;
    if (count == 2 && strcmp(words[1], "--cancel") == 0) {
        if (!send_to(hand_over, NULL, out)) {
            return HF_EXIT_FAILED;
        }
        hf_storage_set_draining(store, false);
        fputs("draining has ended: data is taken again\n", out);
        return HF_EXIT_OK;
    }
    if (count != 1 && !to_peer) {
        return HF_EXIT_USAGE;
    }
    struct left left = {.out = out};
    hf_storage_set_draining(store, true);
    if (to_peer && !send_to(hand_over, words[2], out)) {
        return HF_EXIT_FAILED;
    }
    if (!count_left(store, &left)) {
        fputs(left.waiting + left.orphaned == 0 ? "left: requests on their way to the disk\n"
                                                : "\n",
              out);
        return HF_EXIT_NOT_EMPTY;
    }
    if (left.orphaned != 0) {
        fputs("; no exporter delivers that: attach it to an exporter, or give it up with holdfast "
              "queue "
              "drop\n",
              out);
        return HF_EXIT_FAILED;
    }
    fputs("empty: all that was accepted is delivered", out);
    if (left.dead_letters != 0) {
        fprintf(out, ", but for %" PRIu64 " items in the dead letters, which stay",
                left.dead_letters);
    }
    fputc('\n', out);
    return HF_EXIT_OK;
}
