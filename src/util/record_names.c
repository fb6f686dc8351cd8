#include "record_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"

#define VERSION "1;"
#define NO_SEQUENCE UINT64_MAX

/* ---- writing ---- */

static void put(struct hf_record_names_writer *writer, const char *text, int size)
{
    size_t room = sizeof(writer->text) - writer->size;
    if (size < 0 || (size_t)size > room) {
        writer->is_full = true;
        return;
    }
    memcpy(writer->text + writer->size, text, (size_t)size);
    writer->size += (size_t)size;
}

void hf_record_names_begin(struct hf_record_names_writer *writer, const uint8_t *origin)
{
    char text[2 * HF_ORIGIN_BYTES];
    writer->size = writer->runs = 0;
    writer->next = NO_SEQUENCE;
    writer->same = writer->times = 0;
    writer->is_full = false;
    hf_hex_write(hf_slice_of(origin, HF_ORIGIN_BYTES), text);
    put(writer, VERSION, sizeof(VERSION) - 1);
    put(writer, text, sizeof(text));
}

/* Writes the records of the same size that were held back. */
static void flush(struct hf_record_names_writer *writer)
{
    char text[64];
    if (writer->times == 0) {
        return;
    }
    const char *before = writer->text[writer->size - 1] == ':' ? "" : ",";
    int size = writer->times == 1 ? snprintf(text, sizeof(text), "%s%" PRIu32, before, writer->same)
                                  : snprintf(text, sizeof(text), "%s%" PRIu32 "*%" PRIu32, before,
                                             writer->same, writer->times);
    put(writer, text, size);
    writer->times = 0;
}

static void begin_run(struct hf_record_names_writer *writer)
{
    flush(writer);
    writer->runs++;
    writer->is_full = writer->is_full || writer->runs > HF_RECORD_NAMES_RUNS_MAX;
}

void hf_record_names_add(struct hf_record_names_writer *writer, const struct hf_record_part *part)
{
    char text[96];
    if (part->count != part->of) {
        begin_run(writer);
        int size = snprintf(text, sizeof(text), ";%" PRIu64 "+%" PRIu32 ":%" PRIu32 "/%" PRIu32,
                            part->sequence, part->first, part->count, part->of);
        put(writer, text, size);
        writer->next = NO_SEQUENCE;
        return;
    }
    if (part->sequence != writer->next || writer->next == NO_SEQUENCE) {
        begin_run(writer);
        put(writer, text, snprintf(text, sizeof(text), ";%" PRIu64 ":", part->sequence));
    }
    if (writer->times != 0 && writer->same != part->count) {
        flush(writer);
    }
    writer->same = part->count;
    writer->times++;
    writer->next = part->sequence + 1;
}

struct hf_slice hf_record_names_end(struct hf_record_names_writer *writer)
{
    flush(writer);
    return hf_slice_of(writer->text, writer->is_full || writer->runs == 0 ? 0 : writer->size);
}

/* ---- reading ---- */

static bool take(struct hf_slice *rest, char byte)
{
    if (rest->size == 0 || rest->data[0] != byte) {
        return false;
    }
    *rest = hf_slice_of(rest->data + 1, rest->size - 1);
    return true;
}

/* A decimal number of at most `max`; one without digits, or larger, is none. */
static bool take_number(struct hf_slice *rest, uint64_t max, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t size = 0;
    for (; size < rest->size && rest->data[size] >= '0' && rest->data[size] <= '9'; size++) {
        uint64_t digit = (uint64_t)(rest->data[size] - '0');
        if (number > (max - digit) / 10) {
            return false;
        }
        number = 10 * number + digit;
    }
    *rest = hf_slice_of(rest->data + size, rest->size - size);
    *ret_number = number;
    return size != 0;
}

/* A number of items or records: at least 1. */
static bool take_count(struct hf_slice *rest, uint32_t *ret_count)
{
    uint64_t number = 0;
    if (!take_number(rest, UINT32_MAX, &number) || number == 0) {
        return false;
    }
    *ret_count = (uint32_t)number;
    return true;
}

bool hf_record_names_open(struct hf_slice value, struct hf_record_names *ret_names)
{
    const size_t version = sizeof(VERSION) - 1, head = version + 2 * HF_ORIGIN_BYTES;
    struct hf_record_names names = {.rest = HF_EMPTY_SLICE};
    if (value.size <= head || value.size > HF_RECORD_NAMES_MAX ||
        memcmp(value.data, VERSION, version) != 0 ||
        !hf_hex_read(hf_slice_of(value.data + version, head - version), names.origin)) {
        return false;
    }
    names.rest = hf_slice_of(value.data + head, value.size - head);
    *ret_names = names;
    return true;
}

/* What follows `sequence+`. */
static bool take_part(struct hf_record_names *names, struct hf_record_part *ret_part)
{
    uint64_t first = 0;
    uint32_t count = 0, of = 0;
    if (!take_number(&names->rest, UINT32_MAX, &first) || !take(&names->rest, ':') ||
        !take_count(&names->rest, &count) || !take(&names->rest, '/') ||
        !take_count(&names->rest, &of) || count >= of || first > of - count) {
        return false;
    }
    *ret_part = (struct hf_record_part){names->sequence, (uint32_t)first, count, of};
    return true;
}

/* `items` or `items*count`. */
static bool take_same(struct hf_record_names *names)
{
    names->left = 1;
    bool is_good = take_count(&names->rest, &names->items) &&
                   (!take(&names->rest, '*') || take_count(&names->rest, &names->left));
    /* The last number is none that a record has, so that one past it can be said. */
    return is_good && names->left <= UINT64_MAX - names->sequence;
}

/* Begins the next run, which is behind the place that the one before has reached. */
static bool take_run(struct hf_record_names *names, bool *ret_is_part,
                     struct hf_record_part *ret_part)
{
    uint64_t sequence = 0;
    if (!take(&names->rest, ';') || !take_number(&names->rest, UINT64_MAX - 1, &sequence)) {
        return false;
    }
    names->sequence = sequence;
    *ret_is_part = take(&names->rest, '+');
    return *ret_is_part ? take_part(names, ret_part) : take(&names->rest, ':') && take_same(names);
}

static bool next(struct hf_record_names *names, struct hf_record_part *ret_part)
{
    bool is_part = false;
    if (names->left == 0) {
        bool is_good =
            take(&names->rest, ',') ? take_same(names) : take_run(names, &is_part, ret_part);
        if (!is_good || is_part) {
            return is_good;
        }
    }
    *ret_part = (struct hf_record_part){names->sequence, 0, names->items, names->items};
    names->sequence++;
    names->left--;
    return true;
}

bool hf_record_names_next(struct hf_record_names *names, struct hf_record_part *ret_part)
{
    if (names->is_bad || (names->left == 0 && names->rest.size == 0)) {
        return false;
    }
    struct hf_record_part part;
    names->is_bad = !next(names, &part);
    if (!names->is_bad) {
        struct hf_record_range range = hf_record_range_of(&part);
        names->is_bad = hf_record_place_compare(range.from, names->end) < 0;
        names->end = range.to;
        *ret_part = part;
    }
    return !names->is_bad;
}
