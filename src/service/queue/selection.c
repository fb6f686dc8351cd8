#include "selection.h"

#include <stdlib.h>
#include <string.h>

#include "config/scalar.h"
#include "util/time/clock.h"
#include "util/time/time_layout.h"

static const char *read_number(const char *text, uint64_t *ret_number)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') {
        return NULL;
    }
    *ret_number = strtoull(text, &end, 10);
    return end;
}

bool hf_selection_parse_ranges(const char *text, struct hf_selection_options *options)
{
    for (;;) {
        struct hf_sequence_range range;
        text = read_number(text, &range.first);
        range.last = range.first;
        if (text != NULL && *text == '-') {
            text = read_number(text + 1, &range.last);
        }
        if (text == NULL || range.last < range.first ||
            options->range_count == HF_SELECTION_RANGES_MAX) {
            return false;
        }
        options->ranges[options->range_count++] = range;
        if (*text != ',') {
            return *text == '\0';
        }
        text++;
    }
}

bool hf_selection_parse_time(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
    int64_t ns = 0;
    uint64_t seconds = 0;
    const char *why = "";
    const char *end = read_number(text, &seconds);
    if (end != NULL && *end == '\0') {
        *ret_ns = seconds < UINT64_MAX / HF_NS_PER_S ? seconds * HF_NS_PER_S : UINT64_MAX;
        return true;
    }
    if (hf_time_rfc3339(hf_slice_text(text), &ns)) {
        *ret_ns = ns > 0 ? (uint64_t)ns : 0;
        return true;
    }
    if (hf_scalar_duration(text, &ns, &why) && ns >= 0) {
        *ret_ns = now_ns > (uint64_t)ns ? now_ns - (uint64_t)ns : 0;
        return true;
    }
    return false;
}

enum hf_status hf_selection_init(const struct hf_selection_options *options,
                                 struct hf_selection *ret_selection, char *reterr)
{
    *ret_selection = (struct hf_selection){.options = options};
    return options->where != NULL ? hf_where_new(options->where, &ret_selection->where, reterr)
                                  : HF_OK;
}

void hf_selection_release(struct hf_selection *selection)
{
    hf_where_free(selection->where);
    hf_bytes_release(&selection->decoded);
    hf_bytes_release(&selection->chosen);
}

bool hf_selection_is_all(const struct hf_selection *selection)
{
    const struct hf_selection_options *options = selection->options;
    return options->range_count == 0 && options->from == 0 && options->since_ns == 0 &&
           options->until_ns == UINT64_MAX && options->where == NULL;
}

uint64_t hf_selection_first(const struct hf_selection *selection)
{
    const struct hf_selection_options *options = selection->options;
    uint64_t first = options->range_count != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < options->range_count; i++) {
        first = options->ranges[i].first < first ? options->ranges[i].first : first;
    }
    return first > options->from ? first : options->from;
}

uint64_t hf_selection_end(const struct hf_selection *selection)
{
    const struct hf_selection_options *options = selection->options;
    uint64_t last = options->range_count != 0 ? 0 : UINT64_MAX;
    for (size_t i = 0; i < options->range_count; i++) {
        last = options->ranges[i].last > last ? options->ranges[i].last : last;
    }
    return last < UINT64_MAX ? last + 1 : UINT64_MAX;
}

enum wal_status hf_selection_scan(const struct hf_selection *selection, struct wal *wal,
                                  bool (*visit)(void *user, const struct wal_record *record,
                                                bool damaged),
                                  void *user)
{
    const struct hf_selection_options *options = selection->options;
    const struct wal_period period = {.since_ns = options->since_ns, .until_ns = options->until_ns};
    bool is_timed = options->since_ns != 0 || options->until_ns != UINT64_MAX;
    return wal_scan_period(wal, hf_selection_first(selection), is_timed ? &period : NULL, visit,
                           user);
}

static bool is_in_ranges(const struct hf_selection_options *options, uint64_t sequence)
{
    for (size_t i = 0; i < options->range_count; i++) {
        if (sequence >= options->ranges[i].first && sequence <= options->ranges[i].last) {
            return true;
        }
    }
    return options->range_count == 0;
}

bool hf_selection_has(const struct hf_selection *selection, const struct wal_record *record)
{
    const struct hf_selection_options *options = selection->options;
    if (selection->reader != NULL &&
        wal_is_acknowledged(selection->wal, selection->reader, record->sequence)) {
        return false;
    }
    return record->sequence >= options->from && record->time_ns >= options->since_ns &&
           record->time_ns < options->until_ns && is_in_ranges(options, record->sequence);
}

enum hf_status hf_selection_choose(struct hf_selection *selection, const struct wal_record *record,
                                   bool is_head_enough, struct hf_slice *ret_chosen,
                                   uint32_t *ret_items)
{
    struct hf_slice plain = record->body;
    *ret_chosen = HF_EMPTY_SLICE;
    *ret_items = record->items;
    if (selection->where == NULL && is_head_enough) {
        return HF_OK;
    }
    if (record->kind >= HF_SIGNAL_COUNT || record->coding >= HF_CODING_COUNT) {
        return HF_CORRUPT;
    }
    if (record->coding != HF_IDENTITY) {
        selection->decoded.size = 0;
        enum hf_status status = hf_decode((enum hf_coding)record->coding, record->body,
                                          (size_t)record->raw_bytes + 1, &selection->decoded);
        if (status != HF_OK) {
            return status == HF_NOMEM ? HF_NOMEM : HF_CORRUPT;
        }
        plain = hf_slice_of(selection->decoded.data, selection->decoded.size);
    }
    *ret_chosen = plain;
    if (selection->where == NULL) {
        return HF_OK;
    }
    selection->chosen.size = 0;
    enum hf_status status = hf_where_choose(selection->where, (enum hf_signal)record->kind, plain,
                                            &selection->chosen, ret_items);
    *ret_chosen = hf_slice_of(selection->chosen.data, selection->chosen.size);
    return status == HF_OK || status == HF_NOMEM ? status : HF_CORRUPT;
}
