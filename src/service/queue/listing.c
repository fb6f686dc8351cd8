#include "listing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/batch.h>
#include <holdfast/meta.h>

#include "delivery/dead_letter_meta.h"
#include "output.h"
#include "pdata/json.h"
#include "progress.h"
#include "util/escape.h"
#include "util/time/clock.h"
#include "json/json_out.h"

struct listing {
    FILE *out;
    struct hf_selection *selection;
    /* Shows one that is chosen; `chosen` is its content, when the function wants it. */
    void (*show)(struct listing *listing, const struct wal_record *record, struct hf_slice chosen,
                 bool damaged);
    bool json, wants_content;
    uint64_t most, shown;
    bool failed;
};

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

static void show_head(struct listing *listing, const struct wal_record *record,
                      struct hf_slice chosen, bool damaged)
{
    char when[32] = "";
    time_t seconds = (time_t)(record->time_ns / HF_NS_PER_S);
    struct tm parts;
    (void)chosen;
    gmtime_r(&seconds, &parts);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts);
    const char *signal =
        record->kind < HF_SIGNAL_COUNT ? hf_signal_name((enum hf_signal)record->kind) : "unknown";
    const char *coding = record->coding < HF_CODING_COUNT
                             ? hf_coding_name((enum hf_coding)record->coding)
                             : "unknown";
    (listing->json ? list_json : list_text)(listing->out, record, when, signal, coding, damaged);
}

/* The map around a record's content, without its end. */
static void put_frame(const struct listing *listing, const struct wal_record *record)
{
    struct hf_json_out json = {.out = listing->out};
    const struct letter letter = letter_of(record);
    hf_json_out_map(&json, NULL);
    hf_json_out_number(&json, "sequence", record->sequence);
    hf_json_out_seconds(&json, "received_seconds", record->time_ns);
    hf_json_out_text(&json, "signal",
                     record->kind < HF_SIGNAL_COUNT ? hf_signal_name((enum hf_signal)record->kind)
                                                    : NULL);
    hf_json_out_number(&json, "items", record->items);
    hf_json_out_number(&json, "bytes", record->raw_bytes);
    if (letter.pipeline[0] != '\0') {
        hf_json_out_text(&json, "pipeline", letter.pipeline);
        hf_json_out_integer(&json, "code", letter.code);
        hf_json_out_text(&json, "reason", letter.reason);
    }
    hf_json_out_key(&json, "data");
}

static void show_content(struct listing *listing, const struct wal_record *record,
                         struct hf_slice chosen, bool damaged)
{
    struct hf_bytes line = {0};
    enum hf_status status = damaged ? HF_CORRUPT : HF_OK;
    if (status == HF_OK) {
        status = hf_json_from_proto((enum hf_signal)record->kind, chosen, &line);
    }
    if (listing->json) {
        put_frame(listing, record);
    }
    if (status == HF_OK) {
        hf_escape_print(HF_ESCAPE_MADE_JSON, hf_slice_of(line.data, line.size), listing->out);
    } else {
        fprintf(listing->out, "{\"error\":\"record %" PRIu64 " is damaged\"}", record->sequence);
        listing->failed = true;
    }
    fputs(listing->json ? "}\n" : "\n", listing->out);
    hf_bytes_release(&line);
}

static bool visit(void *user, const struct wal_record *record, bool damaged)
{
    struct listing *listing = user;
    struct hf_slice chosen = HF_EMPTY_SLICE;
    uint32_t items = 0;
    if (record->sequence >= hf_selection_end(listing->selection)) {
        return false;
    }
    if (!hf_selection_has(listing->selection, record)) {
        return hf_queue_is_read_at(listing->out, record->sequence);
    }
    if (!damaged) {
        damaged = hf_selection_choose(listing->selection, record, !listing->wants_content, &chosen,
                                      &items) != HF_OK;
    }
    if (!damaged && items == 0 && listing->selection->where != NULL) {
        return hf_queue_is_read_at(listing->out, record->sequence);
    }
    listing->show(listing, record, chosen, damaged);
    listing->shown++;
    return listing->shown < listing->most && hf_queue_is_read(listing->out);
}

static enum hf_exit scan(struct wal *wal, const struct hf_queue_arguments *arguments,
                         struct listing listing)
{
    listing.json = arguments->json;
    listing.most = arguments->most;
    enum wal_status status = hf_selection_scan(listing.selection, wal, visit, &listing);
    if (status != WAL_OK) {
        fprintf(listing.out, "error: %s\n", wal_status_text(status));
        return HF_EXIT_FAILED;
    }
    return listing.failed ? HF_EXIT_DAMAGED : HF_EXIT_OK;
}

enum hf_exit hf_queue_ls(struct wal *wal, const struct hf_queue_arguments *arguments,
                         struct hf_selection *selection, FILE *out)
{
    return scan(wal, arguments,
                (struct listing){.out = out, .selection = selection, .show = show_head});
}

enum hf_exit hf_queue_cat(struct wal *wal, const struct hf_queue_arguments *arguments,
                          struct hf_selection *selection, FILE *out)
{
    return scan(
        wal, arguments,
        (struct listing){
            .out = out, .selection = selection, .show = show_content, .wants_content = true});
}

bool hf_queue_cat_one(const struct wal_record *record, bool damaged,
                      const struct hf_queue_arguments *arguments, struct hf_selection *selection,
                      FILE *out)
{
    struct listing listing = {.out = out, .selection = selection, .json = arguments->json};
    struct hf_slice chosen = HF_EMPTY_SLICE;
    uint32_t items = 0;
    if (!damaged) {
        damaged = hf_selection_choose(selection, record, false, &chosen, &items) != HF_OK;
    }
    show_content(&listing, record, chosen, damaged);
    return !listing.failed;
}

/* ---- verify ---- */

struct verification {
    FILE *out;
    struct hf_progress progress;
    uint64_t good, damaged;
};

static bool check_record(void *user, const struct wal_record *record, bool damaged)
{
    struct verification *found = user;
    found->good += damaged ? 0 : 1;
    found->damaged += damaged ? 1 : 0;
    hf_progress_step(&found->progress, 1);
    return hf_queue_is_read_at(found->out, record->sequence);
}

enum hf_exit hf_queue_verify(struct wal *wal, const char *kind, const char *id,
                             const struct hf_queue_arguments *arguments, FILE *out)
{
    struct verification found = {.out = out};
    struct wal_stat stat;
    wal_stat(wal, &stat);
    hf_progress_begin(&found.progress, arguments->progress,
                      stat.next_sequence - stat.first_sequence, out);
    enum wal_status status = wal_scan(wal, 0, check_record, &found);
    const char *error = status != WAL_OK ? wal_status_text(status) : "";
    wal_stat(wal, &stat);
    if (arguments->json) {
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
