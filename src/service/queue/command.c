#include "command.h"

#include <inttypes.h>
#include <string.h>

#include "accounting.h"
#include "arguments.h"
#include "counting.h"
#include "dead_letters.h"
#include "listing.h"
#include "orphans.h"
#include "output.h"
#include "replay.h"
#include "sample.h"
#include "storage/refusal.h"
#include "util/time/clock.h"

#define MIB 1048576.0
#define LONG_S 5.0 /* an exporter that is that far behind may have a fault */

struct found {
    const char *kind, *id;
    struct wal *wal;
};

static void match(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct found *found = user;
    if (strcmp(kind, found->kind) == 0 && strcmp(id, found->id) == 0) {
        found->wal = wal;
    }
}

/* "traces/2", "deadletter:otlp" or "requeue:otlp". */
static void parse_queue(const char *name, struct found *ret_found)
{
    static const char *const kinds[] = {HF_STORAGE_DEAD_LETTERS, HF_STORAGE_REQUEUE};
    *ret_found = (struct found){.kind = HF_STORAGE_QUEUE, .id = name};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t size = strlen(kinds[i]);
        if (strncmp(name, kinds[i], size) == 0 && name[size] == ':') {
            *ret_found = (struct found){.kind = kinds[i], .id = name + size + 1};
        }
    }
}

/* False, with a word to `out`: there is no such queue. */
static bool find_queue(struct hf_storage *store, const char *name, FILE *out,
                       struct found *ret_found)
{
    parse_queue(name, ret_found);
    hf_storage_each(store, match, ret_found);
    if (ret_found->wal == NULL) {
        hf_queue_say(out, "error: no queue %s here; holdfast queue stat lists them\n", name);
    }
    return ret_found->wal != NULL;
}

/* ---- stat ---- */

struct report {
    FILE *out;
    bool json;
    bool first;
    bool balanced;
    uint64_t now_ns;
    bool first_consumer;
    const char *kind, *id; /* of the queue that is shown */
};

static double age_s(const struct report *report, const struct wal_consumer_stat *stat)
{
    return stat->oldest_time_ns != 0 && report->now_ns > stat->oldest_time_ns
               ? (double)(report->now_ns - stat->oldest_time_ns) / 1e9
               : 0;
}

static void json_amount(FILE *out, const char *name, const struct wal_amount *amount)
{
    fprintf(out, "\"%s\":{\"records\":%" PRIu64 ",\"items\":%" PRIu64 ",\"bytes\":%" PRIu64 "},",
            name, amount->records, amount->items, amount->bytes);
}

static void json_consumer(struct report *report, const struct wal_consumer_stat *stat)
{
    FILE *out = report->out;
    const struct wal_accounting *accounting = &stat->accounting;
    fprintf(out, "%s{\"exporter\":", report->first_consumer ? "" : ",");
    hf_queue_put_text(out, stat->name);
    fprintf(out, ",\"open\":%s,\"low\":%" PRIu64 ",\"oldest_age_seconds\":%.3f,",
            stat->open ? "true" : "false", stat->low, age_s(report, stat));
    json_amount(out, "accepted", &accounting->accepted);
    json_amount(out, "delivered", &accounting->delivered);
    json_amount(out, "queued", &accounting->queued);
    json_amount(out, "dead_lettered", &accounting->dead_lettered);
    fputs("\"dropped\":{", out);
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        const struct wal_amount *amount = &accounting->dropped[drop];
        fprintf(out,
                "%s\"%s\":{\"records\":%" PRIu64 ",\"items\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
                drop == 0 ? "" : ",", wal_drop_name((enum wal_drop)drop), amount->records,
                amount->items, amount->bytes);
    }
    fprintf(out, "},\"balanced\":%s}", hf_queue_balances(accounting) ? "true" : "false");
    report->first_consumer = false;
}

static void text_consumer(struct report *report, const struct wal_consumer_stat *stat)
{
    const struct wal_accounting *accounting = &stat->accounting;
    uint64_t dropped = 0;
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        dropped += accounting->dropped[drop].items;
    }
    hf_queue_say(report->out,
                 "  %-24s accepted %" PRIu64 " = delivered %" PRIu64 " + queued %" PRIu64
                 " + dead letters %" PRIu64 " + dropped %" PRIu64 " items; oldest %.1fs%s%s\n",
                 stat->name, accounting->accepted.items, accounting->delivered.items,
                 accounting->queued.items, accounting->dead_lettered.items, dropped,
                 age_s(report, stat), stat->open ? "" : "; not running",
                 hf_queue_balances(accounting) ? "" : "; THE ACCOUNTING DOES NOT BALANCE");
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        if (accounting->dropped[drop].items != 0) {
            fprintf(report->out, "    dropped, %s: %" PRIu64 " items\n",
                    wal_drop_name((enum wal_drop)drop), accounting->dropped[drop].items);
        }
    }
}

/* The command that says why items are there. */
static void text_next(const struct report *report, const struct wal_consumer_stat *stat)
{
    if (stat->accounting.queued.items == 0) {
        return;
    }
    if (strcmp(report->kind, HF_STORAGE_DEAD_LETTERS) == 0) {
        hf_queue_say(report->out,
                     "    why: holdfast queue ls deadletter:%s; to send them again: holdfast queue "
                     "requeue %s\n",
                     report->id, report->id);
    } else if (stat->open && age_s(report, stat) > LONG_S) {
        fputs("    why they wait: holdfast top\n", report->out);
    }
}

static void show_consumer(void *user, const struct wal_consumer_stat *stat)
{
    struct report *report = user;
    report->balanced = report->balanced && hf_queue_balances(&stat->accounting);
    if (report->json) {
        json_consumer(report, stat);
    } else {
        text_consumer(report, stat);
        text_next(report, stat);
    }
}

static void show_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct report *report = user;
    struct wal_stat stat;
    char why[HF_REFUSAL_MAX];
    wal_stat(wal, &stat);
    hf_refusal_say(&stat, why);
    report->kind = kind;
    report->id = id;
    if (report->json) {
        fprintf(report->out, "%s{\"kind\":\"%s\",\"id\":", report->first ? "" : ",", kind);
        hf_queue_put_text(report->out, id);
        fprintf(report->out,
                ",\"disk_bytes\":%" PRIu64 ",\"disk_bytes_max\":%" PRIu64 ",\"segments\":%" PRIu64
                ",\"first_sequence\":%" PRIu64 ",\"next_sequence\":%" PRIu64
                ",\"damaged_records\":%" PRIu64 ",\"damaged_bytes\":%" PRIu64 ",\"healthy\":%s,"
                "\"why_unhealthy\":",
                stat.disk_bytes, stat.disk_bytes_max, stat.segments, stat.first_sequence,
                stat.next_sequence, stat.damaged_records, stat.damaged_bytes,
                stat.healthy ? "true" : "false");
        if (stat.healthy) {
            fputs("null", report->out);
        } else {
            hf_queue_put_text(report->out, why);
        }
        fputc(',', report->out);
        json_amount(report->out, "appended", &stat.appended);
        fputs("\"exporters\":[", report->out);
    } else {
        hf_queue_say(report->out, "%s %s: %" PRIu64 " records ever, %.1f MiB on disk", kind, id,
                     stat.appended.records, (double)stat.disk_bytes / MIB);
        if (stat.disk_bytes_max != 0) {
            fprintf(report->out, " of %.1f", (double)stat.disk_bytes_max / MIB);
        }
        fprintf(report->out, " in %" PRIu64 " segments, damaged %" PRIu64 " records%s%s\n",
                stat.segments, stat.damaged_records, stat.healthy ? "" : "; TAKES NOTHING: ", why);
    }
    report->first = false;
    report->first_consumer = true;
    if (wal_consumer_each(wal, show_consumer, report) != WAL_OK) {
        report->balanced = false;
    }
    if (report->json) {
        fputs("]}", report->out);
    }
}

static enum hf_exit run_stat(struct hf_storage *store, const struct hf_queue_arguments *arguments,
                             FILE *out)
{
    struct report report = {.out = out,
                            .json = arguments->json,
                            .first = true,
                            .balanced = true,
                            .now_ns = hf_clock_unix_ns()};
    if (report.json) {
        fputs("{\"queues\":[", out);
    }
    hf_storage_each(store, show_queue, &report);
    if (report.json) {
        fprintf(out, "],\"balanced\":%s}\n", report.balanced ? "true" : "false");
    } else if (report.first) {
        hf_queue_say(out, "no queues in %s\n", hf_storage_directory(store));
    }
    return report.balanced ? HF_EXIT_OK : HF_EXIT_DAMAGED;
}

/* ---- the others ---- */

struct verification {
    FILE *out;
    const struct hf_queue_arguments *arguments;
    enum hf_exit worst;
};

static void verify(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct verification *all = user;
    enum hf_exit code = hf_queue_verify(wal, kind, id, all->arguments, all->out);
    if (code == HF_EXIT_FAILED || all->worst == HF_EXIT_OK) {
        all->worst = code;
    }
}

static enum hf_exit run_verify(struct hf_storage *store, const struct hf_queue_arguments *arguments,
                               FILE *out)
{
    struct verification all = {.out = out, .arguments = arguments};
    struct found found;
    if (arguments->queue == NULL) {
        hf_storage_each(store, verify, &all);
        return all.worst;
    }
    return find_queue(store, arguments->queue, out, &found)
               ? hf_queue_verify(found.wal, found.kind, found.id, arguments, out)
               : HF_EXIT_FAILED;
}

static enum hf_exit drop_backlog(struct wal *wal, const struct hf_queue_arguments *arguments,
                                 FILE *out)
{
    enum wal_status status = wal_consumer_remove(wal, arguments->exporter);
    if (status != WAL_OK) {
        hf_queue_say(out, "error: %s has no backlog in %s, or is configured and running\n",
                     arguments->exporter, arguments->queue);
        return HF_EXIT_FAILED;
    }
    hf_queue_say(out, "dropped the backlog of %s in %s\n", arguments->exporter, arguments->queue);
    return HF_EXIT_OK;
}

static enum hf_exit run_drop(struct hf_storage *store, const struct hf_queue_arguments *arguments,
                             struct hf_selection *selection, FILE *out)
{
    const struct hf_letters_choice choice = {selection, arguments->progress};
    struct found found;
    if (!find_queue(store, arguments->queue, out, &found)) {
        return HF_EXIT_FAILED;
    }
    if (strcmp(found.kind, HF_STORAGE_DEAD_LETTERS) == 0) {
        return hf_dead_letters_drop(store, found.id, &choice, out);
    }
    if (!hf_selection_is_all(selection)) {
        fputs("error: only dead letters can be chosen from; a backlog is dropped as a whole\n",
              out);
        return HF_EXIT_USAGE;
    }
    return strcmp(found.kind, HF_STORAGE_REQUEUE) == 0
               ? hf_dead_letters_drop_requeued(found.wal, found.id, out)
               : drop_backlog(found.wal, arguments, out);
}

static enum hf_exit run_requeue(struct hf_storage *store,
                                const struct hf_queue_arguments *arguments,
                                struct hf_selection *selection, FILE *out)
{
    const struct hf_letters_choice choice = {selection, arguments->progress};
    return hf_dead_letters_requeue(store, arguments->queue, &choice, out);
}

static enum hf_exit run_one(struct hf_storage *store, const struct hf_queue_arguments *arguments,
                            struct hf_selection *selection, FILE *out)
{
    struct found found;
    if (!find_queue(store, arguments->queue, out, &found)) {
        return HF_EXIT_FAILED;
    }
    /* Dead letters that have left stay in their files until those are reclaimed. */
    selection->wal = found.wal;
    if (strcmp(found.kind, HF_STORAGE_DEAD_LETTERS) == 0) {
        selection->reader = HF_DEAD_LETTER_READER;
    } else if (strcmp(found.kind, HF_STORAGE_REQUEUE) == 0) {
        selection->reader = found.id;
    }
    switch (arguments->verb) {
    case HF_QUEUE_LS:
        return hf_queue_ls(found.wal, arguments, selection, out);
    case HF_QUEUE_CAT:
        return hf_queue_cat(found.wal, arguments, selection, out);
    case HF_QUEUE_COUNT:
        return hf_queue_count(found.wal, arguments, selection, out);
    case HF_QUEUE_SAMPLE:
        return hf_queue_sample(found.wal, arguments, selection, out);
    default:
        return hf_queue_export(found.wal, arguments, selection, out);
    }
}

static enum hf_exit run(struct hf_storage *store, const struct hf_queue_arguments *arguments,
                        struct hf_selection *selection, FILE *out)
{
    switch (arguments->verb) {
    case HF_QUEUE_STAT:
        return run_stat(store, arguments, out);
    case HF_QUEUE_VERIFY:
        return run_verify(store, arguments, out);
    case HF_QUEUE_DROP:
        return run_drop(store, arguments, selection, out);
    case HF_QUEUE_ADOPT:
        return hf_orphans_adopt(store, arguments->queue, out);
    case HF_QUEUE_REQUEUE:
        return run_requeue(store, arguments, selection, out);
    default:
        return run_one(store, arguments, selection, out);
    }
}

enum hf_exit hf_queue_command(struct hf_storage *store, int count, char *const *words, FILE *out)
{
    struct hf_queue_arguments arguments;
    struct hf_selection selection;
    char why[HF_ERROR_MAX] = "out of memory";
    if (!hf_queue_parse(count, words, &arguments, why)) {
        hf_queue_say(out, "error: %s\n", why);
        return HF_EXIT_USAGE;
    }
    enum hf_status status = hf_selection_init(&arguments.selection, &selection, why);
    if (status != HF_OK) {
        hf_queue_say(out, "error: %s\n", why);
        return status == HF_INVALID ? HF_EXIT_USAGE : HF_EXIT_FAILED;
    }
    hf_storage_hold(store); /* the queue that is named stays meanwhile */
    enum hf_exit code = run(store, &arguments, &selection, out);
    hf_storage_release(store);
    hf_selection_release(&selection);
    return code;
}
