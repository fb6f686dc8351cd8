#include "listing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include <holdfast/batch.h>
#include <holdfast/meta.h>

#include "delivery/dead_letter_meta.h"
#include "output.h"
#include "pdata/json.h"
#include "util/clock.h"
#include "util/compress.h"
#include "util/escape.h"

struct listing {
    FILE *out;
    struct wal_consumer *reader; /* what it is done with is left out; NULL: nothing is */
    bool json;
    uint64_t left;
    bool failed;
};

/* Whether there is more to show, and a reader for it. */
static bool goes_on(struct listing *listing)
{
    return --listing->left != 0 && hf_queue_is_read(listing->out);
}

/* What is written with a dead letter, fit to be shown; empty for other records. */
struct letter {
    char reason[600], pipeline[WAL_NAME_BYTES_MAX + 1];
    long code;
};

static struct letter letter_of(const struct wal_record *record)
{
    struct letter letter = {.code = 0};
    struct hf_meta_entry entry;
    char code[24] = "";
    size_t cursor = 0;
    while (hf_meta_next(record->meta, &cursor, &entry)) {
        switch ((int)entry.kind) {
        case HF_DEAD_LETTER_REASON:
            hf_escape(HF_ESCAPE_LINE, entry.value, letter.reason, sizeof(letter.reason));
            break;
        case HF_DEAD_LETTER_CODE:
            hf_escape(HF_ESCAPE_LINE, entry.value, code, sizeof(code));
            letter.code = strtol(code, NULL, 10);
            break;
        case HF_DEAD_LETTER_PIPELINE:
            hf_escape(HF_ESCAPE_LINE, entry.value, letter.pipeline, sizeof(letter.pipeline));
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
        fputs(",\"pipeline\":", out);
        hf_queue_put_text(out, letter.pipeline);
        fprintf(out, ",\"code\":%ld,\"reason\":", letter.code);
        hf_queue_put_text(out, letter.reason);
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
        hf_queue_say(out, "  from %s: code %ld %s", letter.pipeline, letter.code, letter.reason);
    }
    fputc('\n', out);
}

static bool list_record(void *user, const struct wal_record *record, bool damaged)
{
    struct listing *listing = user;
    if (listing->reader != NULL && wal_consumer_is_done(listing->reader, record->sequence)) {
        return hf_queue_is_read(listing->out);
    }
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
    return goes_on(listing);
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
        hf_escape_print(HF_ESCAPE_MADE_JSON, hf_slice_of(line.data, line.size), listing->out);
        fputc('\n', listing->out);
    } else {
        fprintf(listing->out, "{\"error\":\"record %" PRIu64 " is damaged\"}\n", record->sequence);
        listing->failed = true;
    }
    hf_bytes_release(&raw);
    hf_bytes_release(&line);
    return goes_on(listing);
}

static enum hf_exit scan(struct wal *wal, struct wal_consumer *reader,
                         const struct hf_queue_arguments *arguments, FILE *out,
                         bool (*visit)(void *, const struct wal_record *, bool))
{
    struct listing listing = {
        .out = out, .reader = reader, .json = arguments->json, .left = arguments->most};
    enum wal_status status = wal_scan(wal, arguments->from, visit, &listing);
    if (status != WAL_OK) {
        fprintf(out, "error: %s\n", wal_status_text(status));
        return HF_EXIT_FAILED;
    }
    return listing.failed ? HF_EXIT_DAMAGED : HF_EXIT_OK;
}

enum hf_exit hf_queue_ls(struct wal *wal, struct wal_consumer *reader,
                         const struct hf_queue_arguments *arguments, FILE *out)
{
    return scan(wal, reader, arguments, out, list_record);
}

enum hf_exit hf_queue_cat(struct wal *wal, const struct hf_queue_arguments *arguments, FILE *out)
{
    return scan(wal, NULL, arguments, out, print_record);
}

/* ---- verify ---- */

struct verification {
    FILE *out;
    uint64_t good, damaged;
};

static bool check_record(void *user, const struct wal_record *record, bool damaged)
{
    struct verification *found = user;
    (void)record;
    found->good += damaged ? 0 : 1;
    found->damaged += damaged ? 1 : 0;
    return hf_queue_is_read(found->out);
}

enum hf_exit hf_queue_verify(struct wal *wal, const char *kind, const char *id, bool json,
                             FILE *out)
{
    struct verification found = {.out = out};
    struct wal_stat stat;
    enum wal_status status = wal_scan(wal, 0, check_record, &found);
    const char *error = status != WAL_OK ? wal_status_text(status) : "";
    wal_stat(wal, &stat);
    if (json) {
        fprintf(out, "{\"kind\":\"%s\",\"id\":", kind);
        hf_queue_put_text(out, id);
        fprintf(out,
                ",\"good\":%" PRIu64 ",\"damaged\":%" PRIu64 ",\"set_aside\":%" PRIu64
                ",\"error\":\"%s\"}\n",
                found.good, found.damaged, stat.damaged_records, error);
    } else {
        hf_queue_say(out,
                     "%s %s: %" PRIu64 " records good, %" PRIu64 " damaged now, %" PRIu64
                     " set aside before%s%s\n",
                     kind, id, found.good, found.damaged, stat.damaged_records,
                     status != WAL_OK ? "; " : "", error);
    }
    if (status != WAL_OK) {
        return HF_EXIT_FAILED;
    }
    return found.damaged != 0 || stat.damaged_records != 0 ? HF_EXIT_DAMAGED : HF_EXIT_OK;
}
