#include "queue_command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/batch.h>
#include <holdfast/meta.h>

#include "../otlp/json.h"
#include "../util/clock.h"
#include "../util/compress.h"
#include "letter.h"
#include "queue_export.h"
#include "queue_letters.h"

const char hf_queue_usage[] =
    "Usage: holdfast queue [--data-dir DIR | --config FILE ...] COMMAND\n"
    "\n"
    "Works on the data directory of a running Holdfast (through its control socket) and on one "
    "that\n"
    "nobody has open. QUEUE is a pipeline's id such as traces/2, deadletter:EXPORTER (what its "
    "backend\n"
    "refused for good) or requeue:EXPORTER (what of that it is to send again).\n"
    "\n"
    "  stat [--json]                     queues, exporters and their books\n"
    "  ls QUEUE [-n N] [--json]          the records of a queue, oldest first\n"
    "  cat QUEUE [-n N] [--from SEQ]     their content as OTLP/JSON lines\n"
    "  verify [QUEUE]                    reads and checks every record; exit code 3: damage found\n"
    "  export QUEUE --endpoint URL       sends every record to an OTLP/HTTP endpoint; the queue "
    "keeps them\n"
    "  drop QUEUE --exporter ID          gives up the backlog of a removed exporter\n"
    "  drop deadletter:EXPORTER          deletes the dead letters\n"
    "  drop requeue:EXPORTER             gives up what a removed exporter was to send again\n"
    "  requeue EXPORTER                  lets that exporter alone send its dead letters again\n"
    "\n"
    "Exit: 0 done, 1 failed, 2 wrong usage, 3 damage found or books that do not balance.\n";

/* The command's arguments. */
struct arguments {
    const char *queue; /* the first plain word */
    const char *exporter, *endpoint;
    uint64_t most, from;
    bool json;
};

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
    static const char *const kinds[] = {HF_STORE_LETTERS, HF_STORE_REQUEUE};
    *ret_found = (struct found){.kind = HF_STORE_QUEUE, .id = name};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t size = strlen(kinds[i]);
        if (strncmp(name, kinds[i], size) == 0 && name[size] == ':') {
            *ret_found = (struct found){.kind = kinds[i], .id = name + size + 1};
        }
    }
}

/* False, with a word to `out`: there is no such queue. */
static bool find_queue(struct hf_store *store, const char *name, FILE *out, struct found *ret_found)
{
    parse_queue(name, ret_found);
    hf_store_each(store, match, ret_found);
    if (ret_found->wal == NULL) {
        fprintf(out, "error: no queue %s here; holdfast queue stat lists them\n", name);
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
};

static bool balances(const struct wal_books *books)
{
    uint64_t items = books->delivered.items + books->queued.items + books->dead_lettered.items;
    uint64_t bytes = books->delivered.bytes + books->queued.bytes + books->dead_lettered.bytes;
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        items += books->dropped[drop].items;
        bytes += books->dropped[drop].bytes;
    }
    return items == books->accepted.items && bytes == books->accepted.bytes;
}

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
    const struct wal_books *books = &stat->books;
    fprintf(out,
            "%s{\"exporter\":\"%s\",\"open\":%s,\"low\":%" PRIu64 ",\"oldest_age_seconds\":%.3f,",
            report->first_consumer ? "" : ",", stat->name, stat->open ? "true" : "false", stat->low,
            age_s(report, stat));
    json_amount(out, "accepted", &books->accepted);
    json_amount(out, "delivered", &books->delivered);
    json_amount(out, "queued", &books->queued);
    json_amount(out, "dead_lettered", &books->dead_lettered);
    fputs("\"dropped\":{", out);
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        const struct wal_amount *amount = &books->dropped[drop];
        fprintf(out,
                "%s\"%s\":{\"records\":%" PRIu64 ",\"items\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
                drop == 0 ? "" : ",", wal_drop_name((enum wal_drop)drop), amount->records,
                amount->items, amount->bytes);
    }
    fprintf(out, "},\"balanced\":%s}", balances(books) ? "true" : "false");
    report->first_consumer = false;
}

static void text_consumer(struct report *report, const struct wal_consumer_stat *stat)
{
    const struct wal_books *books = &stat->books;
    uint64_t dropped = 0;
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        dropped += books->dropped[drop].items;
    }
    fprintf(report->out,
            "  %-24s accepted %" PRIu64 " = delivered %" PRIu64 " + queued %" PRIu64
            " + dead letters %" PRIu64 " + dropped %" PRIu64 " items; oldest %.1fs%s%s\n",
            stat->name, books->accepted.items, books->delivered.items, books->queued.items,
            books->dead_lettered.items, dropped, age_s(report, stat),
            stat->open ? "" : "; not running", balances(books) ? "" : "; THE BOOKS DO NOT BALANCE");
    for (int drop = 0; drop < WAL_DROP_COUNT; drop++) {
        if (books->dropped[drop].items != 0) {
            fprintf(report->out, "    dropped, %s: %" PRIu64 " items\n",
                    wal_drop_name((enum wal_drop)drop), books->dropped[drop].items);
        }
    }
}

static void show_consumer(void *user, const struct wal_consumer_stat *stat)
{
    struct report *report = user;
    report->balanced = report->balanced && balances(&stat->books);
    if (report->json) {
        json_consumer(report, stat);
    } else {
        text_consumer(report, stat);
    }
}

static void show_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct report *report = user;
    struct wal_stat stat;
    wal_stat(wal, &stat);
    if (report->json) {
        fprintf(report->out,
                "%s{\"kind\":\"%s\",\"id\":\"%s\",\"disk_bytes\":%" PRIu64
                ",\"disk_bytes_max\":%" PRIu64 ",\"segments\":%" PRIu64
                ",\"first_sequence\":%" PRIu64 ",\"next_sequence\":%" PRIu64
                ",\"damaged_records\":%" PRIu64 ",\"damaged_bytes\":%" PRIu64 ",\"healthy\":%s,",
                report->first ? "" : ",", kind, id, stat.disk_bytes, stat.disk_bytes_max,
                stat.segments, stat.first_sequence, stat.next_sequence, stat.damaged_records,
                stat.damaged_bytes, stat.healthy ? "true" : "false");
        json_amount(report->out, "appended", &stat.appended);
        fputs("\"exporters\":[", report->out);
    } else {
        fprintf(report->out,
                "%s %s: %" PRIu64 " records ever, %.1f MiB on disk in %" PRIu64
                " segments, damaged %" PRIu64 " records%s\n",
                kind, id, stat.appended.records, (double)stat.disk_bytes / 1048576.0, stat.segments,
                stat.damaged_records, stat.healthy ? "" : ", NOT WRITABLE");
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

static enum hf_exit run_stat(struct hf_store *store, const struct arguments *arguments, FILE *out)
{
    if (arguments->queue != NULL) {
        fprintf(out, "error: queue stat tells of all queues: %s is not understood here\n",
                arguments->queue);
        return HF_EXIT_USAGE;
    }
    struct report report = {.out = out,
                            .json = arguments->json,
                            .first = true,
                            .balanced = true,
                            .now_ns = hf_clock_unix_ns()};
    if (report.json) {
        fputs("{\"queues\":[", out);
    }
    hf_store_each(store, show_queue, &report);
    if (report.json) {
        fprintf(out, "],\"balanced\":%s}\n", report.balanced ? "true" : "false");
    } else if (report.first) {
        fprintf(out, "no queues in %s\n", hf_store_directory(store));
    }
    return report.balanced ? HF_EXIT_OK : HF_EXIT_DAMAGED;
}

/* ---- ls, cat, verify ---- */

struct listing {
    FILE *out;
    bool json;
    uint64_t most, shown;
    uint64_t good, damaged;
    bool failed;
};

/* What is written with a dead letter; empty for other records. */
struct letter {
    char reason[600], pipeline[WAL_NAME_BYTES_MAX + 1];
    long code;
};

/* JSON and people both read it: no quote and no control. */
static void copy_text(struct hf_slice text, char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size && used + 1 < room; i++) {
        unsigned char byte = text.data[i];
        out[used++] = byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\' ? ' ' : (char)byte;
    }
    out[used] = '\0';
}

static struct letter letter_of(const struct wal_record *record)
{
    struct letter letter = {.code = 0};
    struct hf_meta_entry entry;
    char code[24] = "";
    size_t cursor = 0;
    while (hf_meta_next(record->meta, &cursor, &entry)) {
        switch ((int)entry.kind) {
        case HF_LETTER_REASON:
            copy_text(entry.value, letter.reason, sizeof(letter.reason));
            break;
        case HF_LETTER_CODE:
            copy_text(entry.value, code, sizeof(code));
            letter.code = strtol(code, NULL, 10);
            break;
        case HF_LETTER_PIPELINE:
            copy_text(entry.value, letter.pipeline, sizeof(letter.pipeline));
            break;
        default:
            break;
        }
    }
    return letter;
}

static void list_json(FILE *out, const struct wal_record *record, const char *when,
                      const char *signal, const char *coding, bool damaged)
{
    struct letter letter = letter_of(record);
    fprintf(out,
            "{\"sequence\":%" PRIu64 ",\"received\":\"%s\",\"signal\":\"%s\",\"items\":%" PRIu32
            ",\"bytes\":%zu,\"coding\":\"%s\",\"damaged\":%s",
            record->sequence, when, signal, record->items, record->body.size, coding,
            damaged ? "true" : "false");
    if (letter.pipeline[0] != '\0') {
        fprintf(out, ",\"pipeline\":\"%s\",\"code\":%ld,\"reason\":\"%s\"", letter.pipeline,
                letter.code, letter.reason);
    }
    fputs("}\n", out);
}

static void list_text(FILE *out, const struct wal_record *record, const char *when,
                      const char *signal, const char *coding, bool damaged)
{
    struct letter letter = letter_of(record);
    fprintf(out, "%10" PRIu64 "  %s  %-8s %8" PRIu32 " items %10zu bytes  %s%s", record->sequence,
            when, signal, record->items, record->body.size, coding, damaged ? "  DAMAGED" : "");
    if (letter.pipeline[0] != '\0') {
        fprintf(out, "  from %s: code %ld %s", letter.pipeline, letter.code, letter.reason);
    }
    fputc('\n', out);
}

static bool list_record(void *user, const struct wal_record *record, bool damaged)
{
    struct listing *listing = user;
    char when[32] = "";
    time_t seconds = (time_t)(record->time_ns / HF_NS_PER_S);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
    const char *signal =
        record->kind < HF_SIGNAL_COUNT ? hf_signal_name((enum hf_signal)record->kind) : "unknown";
    const char *coding = record->coding < HF_CODING_COUNT
                             ? hf_coding_name((enum hf_coding)record->coding)
                             : "unknown";
    (listing->json ? list_json : list_text)(listing->out, record, when, signal, coding, damaged);
    return ++listing->shown < listing->most;
}

static bool print_record(void *user, const struct wal_record *record, bool damaged)
{
    struct listing *listing = user;
    struct hf_bytes raw = {0};
    struct hf_bytes line = {0};
    enum hf_status status = damaged || record->kind >= HF_SIGNAL_COUNT ? HF_CORRUPT : HF_OK;
    struct hf_slice plain = record->body;
    if (status == HF_OK && record->coding != HF_IDENTITY) {
        status = hf_decode((enum hf_coding)record->coding, record->body,
                           (size_t)record->raw_bytes + 1, &raw);
        plain = hf_slice_of(raw.data, raw.size);
    }
    if (status == HF_OK) {
        status = hf_json_from_proto((enum hf_signal)record->kind, plain, &line);
    }
    if (status == HF_OK) {
        fwrite(line.data, 1, line.size, listing->out);
        fputc('\n', listing->out);
    } else {
        fprintf(listing->out, "{\"error\":\"record %" PRIu64 " is damaged\"}\n", record->sequence);
        listing->failed = true;
    }
    hf_bytes_release(&raw);
    hf_bytes_release(&line);
    return ++listing->shown < listing->most;
}

static enum hf_exit run_scan(struct hf_store *store, const struct arguments *arguments, FILE *out,
                             bool (*visit)(void *, const struct wal_record *, bool))
{
    struct listing listing = {.out = out, .json = arguments->json, .most = arguments->most};
    struct found found;
    if (arguments->queue == NULL) {
        fputs("error: name a queue; holdfast queue stat lists them\n", out);
        return HF_EXIT_USAGE;
    }
    if (!find_queue(store, arguments->queue, out, &found)) {
        return HF_EXIT_FAILED;
    }
    enum wal_status status = wal_scan(found.wal, arguments->from, visit, &listing);
    if (status != WAL_OK) {
        fprintf(out, "error: %s\n", wal_status_text(status));
        return HF_EXIT_FAILED;
    }
    return listing.failed ? HF_EXIT_DAMAGED : HF_EXIT_OK;
}

static enum hf_exit run_ls(struct hf_store *store, const struct arguments *arguments, FILE *out)
{
    return run_scan(store, arguments, out, list_record);
}

static enum hf_exit run_cat(struct hf_store *store, const struct arguments *arguments, FILE *out)
{
    return run_scan(store, arguments, out, print_record);
}

static bool check_record(void *user, const struct wal_record *record, bool damaged)
{
    struct listing *listing = user;
    (void)record;
    listing->good += damaged ? 0 : 1;
    listing->damaged += damaged ? 1 : 0;
    return true;
}

struct verification {
    const char *only;
    struct hf_store *store;
    FILE *out;
    bool damaged, failed;
};

static void verify_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct verification *all = user;
    struct listing listing = {.out = all->out};
    struct wal_stat stat;
    enum wal_status status = wal_scan(wal, 0, check_record, &listing);
    wal_stat(wal, &stat);
    fprintf(all->out,
            "%s %s: %" PRIu64 " records good, %" PRIu64 " damaged now, %" PRIu64
            " set aside before%s%s\n",
            kind, id, listing.good, listing.damaged, stat.damaged_records,
            status != WAL_OK ? "; " : "", status != WAL_OK ? wal_status_text(status) : "");
    all->failed = all->failed || status != WAL_OK;
    all->damaged = all->damaged || listing.damaged != 0 || stat.damaged_records != 0;
}

static enum hf_exit run_verify(struct hf_store *store, const struct arguments *arguments, FILE *out)
{
    struct verification all = {.store = store, .out = out};
    if (arguments->queue != NULL) {
        struct found found;
        if (!find_queue(store, arguments->queue, out, &found)) {
            return HF_EXIT_FAILED;
        }
        verify_queue(&all, found.kind, found.id, found.wal);
    } else {
        hf_store_each(store, verify_queue, &all);
    }
    return all.failed ? HF_EXIT_FAILED : all.damaged ? HF_EXIT_DAMAGED : HF_EXIT_OK;
}

/* ---- export, drop, requeue ---- */

static enum hf_exit run_export(struct hf_store *store, const struct arguments *arguments, FILE *out)
{
    if (arguments->queue == NULL || arguments->endpoint == NULL) {
        fputs("error: queue export needs a queue and --endpoint URL\n", out);
        return HF_EXIT_USAGE;
    }
    struct found found;
    return find_queue(store, arguments->queue, out, &found)
               ? hf_queue_export(found.wal, arguments->endpoint, arguments->from, out)
               : HF_EXIT_FAILED;
}

static enum hf_exit run_drop(struct hf_store *store, const struct arguments *arguments, FILE *out)
{
    if (arguments->queue == NULL) {
        fputs("error: queue drop needs a queue\n", out);
        return HF_EXIT_USAGE;
    }
    struct found found;
    if (!find_queue(store, arguments->queue, out, &found)) {
        return HF_EXIT_FAILED;
    }
    if (strcmp(found.kind, HF_STORE_LETTERS) == 0) {
        return hf_letters_drop(store, found.id, out);
    }
    if (strcmp(found.kind, HF_STORE_REQUEUE) == 0) {
        return hf_letters_drop_requeued(found.wal, found.id, out);
    }
    if (arguments->exporter == NULL) {
        fputs("error: queue drop needs --exporter ID, the removed exporter whose backlog to give "
              "up\n",
              out);
        return HF_EXIT_USAGE;
    }
    enum wal_status status = wal_consumer_remove(found.wal, arguments->exporter);
    if (status != WAL_OK) {
        fprintf(out, "error: %s has no backlog in %s, or is configured and running\n",
                arguments->exporter, arguments->queue);
        return HF_EXIT_FAILED;
    }
    fprintf(out, "dropped the backlog of %s in %s\n", arguments->exporter, arguments->queue);
    return HF_EXIT_OK;
}

static enum hf_exit run_requeue(struct hf_store *store, const struct arguments *arguments,
                                FILE *out)
{
    if (arguments->queue == NULL) {
        fputs("error: queue requeue needs an exporter\n", out);
        return HF_EXIT_USAGE;
    }
    return hf_letters_requeue(store, arguments->queue, out);
}

static const struct command {
    const char *name;
    enum hf_exit (*run)(struct hf_store *store, const struct arguments *arguments, FILE *out);
} commands[] = {
    {"stat", run_stat},     {"ls", run_ls},     {"cat", run_cat},         {"verify", run_verify},
    {"export", run_export}, {"drop", run_drop}, {"requeue", run_requeue},
};

static bool parse_number(const char *text, uint64_t *ret)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0') {
        return false;
    }
    *ret = value;
    return true;
}

/* False with the word that is not understood. */
static bool parse(int count, char *const *words, struct arguments *ret, const char **reterr)
{
    *ret = (struct arguments){.most = UINT64_MAX};
    for (int i = 1; i < count; i++) {
        const char *next = i + 1 < count ? words[i + 1] : NULL;
        bool taken = false; /* the next word too */
        if (strcmp(words[i], "--json") == 0) {
            ret->json = true;
        } else if (words[i][0] != '-' && ret->queue == NULL) {
            ret->queue = words[i];
        } else if (next != NULL && strcmp(words[i], "--exporter") == 0) {
            ret->exporter = next;
            taken = true;
        } else if (next != NULL && strcmp(words[i], "--endpoint") == 0) {
            ret->endpoint = next;
            taken = true;
        } else if (next != NULL && strcmp(words[i], "-n") == 0) {
            taken = parse_number(next, &ret->most);
        } else if (next != NULL && strcmp(words[i], "--from") == 0) {
            taken = parse_number(next, &ret->from);
        }
        bool plain = strcmp(words[i], "--json") == 0 || ret->queue == words[i];
        if (!plain && !taken) {
            *reterr = words[i];
            return false;
        }
        i += taken ? 1 : 0;
    }
    return true;
}

enum hf_exit hf_queue_command(struct hf_store *store, int count, char *const *words, FILE *out)
{
    struct arguments arguments;
    for (size_t i = 0; count > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(words[0], commands[i].name) == 0) {
            const char *wrong = "";
            if (!parse(count, words, &arguments, &wrong)) {
                fprintf(out, "error: queue %s: %s is not understood here\n", words[0], wrong);
                break;
            }
            enum hf_exit code = commands[i].run(store, &arguments, out);
            if (code != HF_EXIT_USAGE) {
                return code;
            }
            break;
        }
    }
    fputs(hf_queue_usage, out);
    return HF_EXIT_USAGE;
}
