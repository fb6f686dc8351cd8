#include "counting.h"

#include <inttypes.h>

#include "output.h"
#include "json/json_out.h"

struct counting {
    struct hf_selection *selection;
    FILE *out;
    uint64_t records, items, bytes, damaged;
    uint64_t signal_items[HF_SIGNAL_COUNT];
};

static bool count_record(void *user, const struct wal_record *record, bool damaged)
{
    struct counting *counting = user;
    struct hf_slice chosen;
    uint32_t items = 0;
    if (record->sequence >= hf_selection_end(counting->selection)) {
        return false;
    }
    if (!hf_selection_has(counting->selection, record)) {
        return hf_queue_is_read_at(counting->out, record->sequence);
    }
    if (damaged ||
        hf_selection_choose(counting->selection, record, true, &chosen, &items) != HF_OK) {
        counting->damaged++;
    } else if (items != 0) {
        counting->records++;
        counting->items += items;
        counting->bytes += record->raw_bytes;
        if (record->kind < HF_SIGNAL_COUNT) {
            counting->signal_items[record->kind] += items;
        }
    }
    return hf_queue_is_read_at(counting->out, record->sequence);
}

/* The queue of a pipeline has one signal: that of any record. */
static bool take_signal(void *user, const struct wal_record *record, bool damaged)
{
    struct counting *counting = user;
    bool is_known = !damaged && record->kind < HF_SIGNAL_COUNT;
    if (is_known) {
        counting->signal_items[record->kind] = counting->items;
    }
    return !is_known && hf_queue_is_read(counting->out);
}

/* All of a queue: its accounting knows it. */
static enum wal_status count_all(struct wal *wal, struct counting *counting)
{
    struct wal_amount stored;
    enum wal_status status = wal_stored(wal, &stored);
    if (status != WAL_OK) {
        return status;
    }
    counting->records = stored.records;
    counting->items = stored.items;
    counting->bytes = stored.bytes;
    return stored.records == 0 ? WAL_OK : wal_scan(wal, 0, take_signal, counting);
}

static enum wal_status count(struct wal *wal, struct hf_selection *selection, FILE *out,
                             struct counting *ret_counting)
{
    *ret_counting = (struct counting){.selection = selection, .out = out};
    if (hf_selection_is_all(selection) && selection->reader == NULL) {
        return count_all(wal, ret_counting);
    }
    return hf_selection_scan(selection, wal, count_record, ret_counting);
}

static void put_json(const struct counting *counting, FILE *out)
{
    struct hf_json_out json = {.out = out};
    hf_json_out_map(&json, NULL);
    hf_json_out_number(&json, "records", counting->records);
    hf_json_out_number(&json, "items", counting->items);
    hf_json_out_number(&json, "bytes", counting->bytes);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        hf_json_out_number(&json, hf_signal_name((enum hf_signal)signal),
                           counting->signal_items[signal]);
    }
    hf_json_out_number(&json, "damaged", counting->damaged);
    hf_json_out_end_map(&json);
    fputc('\n', out);
}

enum hf_exit hf_queue_count(struct wal *wal, const struct hf_queue_arguments *arguments,
                            struct hf_selection *selection, FILE *out)
{
    struct counting counting;
    enum wal_status status = count(wal, selection, out, &counting);
    if (status != WAL_OK) {
        fprintf(out, "error: %s\n", wal_status_text(status));
        return HF_EXIT_FAILED;
    }
    if (arguments->json) {
        put_json(&counting, out);
    } else {
        fprintf(out, "%" PRIu64 " records, %" PRIu64 " items, %" PRIu64 " bytes", counting.records,
                counting.items, counting.bytes);
        fprintf(out, counting.damaged != 0 ? "; %" PRIu64 " damaged\n" : "\n", counting.damaged);
    }
    return counting.damaged != 0 ? HF_EXIT_DAMAGED : HF_EXIT_OK;
}
