/* What functions get: values made of the kinds that they ask for, texts, lists and patterns. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "function.h"
#include "glob.h"
#include "util/hex.h"
#include "util/regex/regex.h"

/* ---- texts of values ---- */

static bool hex_of(struct hf_ottl_run *run, struct hf_slice bytes, struct hf_slice *ret_text)
{
    char *room = hf_ottl_take(run, 2 * bytes.size + 1);
    if (room == NULL) {
        return false;
    }
    *ret_text = hf_slice_of(room, hf_hex_write(bytes, room));
    return true;
}

bool hf_ottl_text_of(struct hf_ottl_run *run, const struct hf_ottl_value *value,
                     struct hf_slice *ret_text)
{
    struct hf_slice encoded;
    if (value->type == HF_OTTL_STRING) {
        *ret_text = value->bytes;
        return true;
    }
    if (value->type == HF_OTTL_BYTES) {
        return hex_of(run, value->bytes, ret_text);
    }
    if (value->type == HF_OTTL_DOUBLE && !isfinite(value->real)) {
        return hf_ottl_fail(run, "unsupported type: a number that is not finite has no JSON text");
    }
    if (value->type == HF_OTTL_DURATION) {
        struct hf_ottl_value integer = hf_ottl_int(value->integer);
        return hf_ottl_text_of(run, &integer, ret_text);
    }
    if (value->type > HF_OTTL_LIST) {
        return hf_ottl_fail(run, "unsupported type: %s", hf_ottl_type_name(value->type));
    }
    if (!hf_ottl_encode(run, value, &encoded)) {
        return false;
    }
    hf_ottl_start_text(run);
    if (hf_any_text(encoded, &run->text) != HF_OK) {
        return hf_ottl_no_memory(run);
    }
    *ret_text = hf_ottl_keep(run, hf_slice_of(run->text.data, run->text.size));
    return !run->no_memory;
}

bool hf_ottl_end_text(struct hf_ottl_run *run, struct hf_ottl_value *ret_value)
{
    *ret_value = hf_ottl_string(hf_ottl_keep(run, hf_slice_of(run->text.data, run->text.size)));
    return run->no_memory ? hf_ottl_no_memory(run) : true;
}

/* ---- kinds ---- */

static bool wrong_type(struct hf_ottl_run *run, const char *expected,
                       const struct hf_ottl_value *value)
{
    return hf_ottl_fail(run, "expected %s but got %s", expected, hf_ottl_type_name(value->type));
}

static bool to_int(struct hf_ottl_run *run, struct hf_ottl_value *value)
{
    int64_t integer = value->type == HF_OTTL_DOUBLE ? 0 : value->integer;
    if (value->type == HF_OTTL_STRING) {
        if (!hf_ottl_read_int(value->bytes, 10, &integer)) {
            return hf_ottl_fail(run, "the text is no integer of 64 bits");
        }
    } else if (value->type == HF_OTTL_DOUBLE) {
        /* What a processor makes of a number that does not fit. */
        bool fits = value->real >= -0x1p63 && value->real < 0x1p63;
        integer = fits ? (int64_t)value->real : INT64_MIN;
    } else if (value->type != HF_OTTL_INT && value->type != HF_OTTL_BOOL) {
        return hf_ottl_fail(run, "unsupported type: %s", hf_ottl_type_name(value->type));
    }
    *value = hf_ottl_int(integer);
    return true;
}

static bool to_double(struct hf_ottl_run *run, struct hf_ottl_value *value)
{
    double real = 0;
    if (value->type == HF_OTTL_STRING) {
        if (!hf_ottl_read_double(value->bytes, &real)) {
            return hf_ottl_fail(run, "the text is no number");
        }
    } else if (value->type == HF_OTTL_INT || value->type == HF_OTTL_BOOL) {
        real = (double)value->integer;
    } else if (value->type == HF_OTTL_DOUBLE) {
        real = value->real;
    } else {
        return hf_ottl_fail(run, "unsupported type: %s", hf_ottl_type_name(value->type));
    }
    *value = hf_ottl_double(real);
    return true;
}

static bool to_bool(struct hf_ottl_run *run, struct hf_ottl_value *value)
{
    bool boolean = false;
    if (value->type == HF_OTTL_STRING) {
        if (!hf_ottl_read_bool(value->bytes, &boolean)) {
            return hf_ottl_fail(run, "the text is neither true nor false");
        }
    } else if (value->type == HF_OTTL_INT || value->type == HF_OTTL_BOOL) {
        boolean = value->integer != 0;
    } else if (value->type == HF_OTTL_DOUBLE) {
        boolean = value->real != 0;
    } else {
        return hf_ottl_fail(run, "unsupported type: %s", hf_ottl_type_name(value->type));
    }
    *value = hf_ottl_bool(boolean);
    return true;
}

/* Numbers in the byte order of the network. */
static bool to_bytes(struct hf_ottl_run *run, struct hf_ottl_value *value)
{
    uint8_t room[sizeof(uint64_t)];
    uint64_t bits = 0;
    if (value->type == HF_OTTL_STRING || value->type == HF_OTTL_BYTES) {
        value->type = HF_OTTL_BYTES;
        return true;
    }
    if (value->type == HF_OTTL_BOOL) {
        room[0] = value->integer != 0;
        *value = hf_ottl_of(HF_OTTL_BYTES, hf_ottl_keep(run, hf_slice_of(room, 1)));
        return !run->no_memory;
    }
    if (value->type == HF_OTTL_DOUBLE) {
        memcpy(&bits, &value->real, sizeof(bits));
    } else if (value->type == HF_OTTL_INT) {
        bits = (uint64_t)value->integer;
    } else {
        return hf_ottl_fail(run, "unsupported type: %s", hf_ottl_type_name(value->type));
    }
    for (size_t i = 0; i < sizeof(room); i++) {
        room[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    *value = hf_ottl_of(HF_OTTL_BYTES, hf_ottl_keep(run, hf_slice_of(room, sizeof(room))));
    return !run->no_memory;
}

static bool to_text(struct hf_ottl_run *run, struct hf_ottl_value *value)
{
    struct hf_slice text;
    if (!hf_ottl_text_of(run, value, &text)) {
        return false;
    }
    *value = hf_ottl_string(text);
    return true;
}

static bool convert_like(struct hf_ottl_run *run, enum hf_ottl_argument_kind kind,
                         struct hf_ottl_value *value)
{
    if (value->type == HF_OTTL_NIL) {
        return true;
    }
    switch (kind) {
    case HF_ARG_STRING_LIKE:
    case HF_ARG_STRING_LIKES:
        return to_text(run, value);
    case HF_ARG_INT_LIKE:
        return to_int(run, value);
    case HF_ARG_DOUBLE_LIKE:
        return to_double(run, value);
    case HF_ARG_BOOL_LIKE:
        return to_bool(run, value);
    case HF_ARG_BYTES_LIKE:
        return to_bytes(run, value);
    default:
        return true;
    }
}

bool hf_ottl_convert(struct hf_ottl_run *run, enum hf_ottl_argument_kind kind,
                     struct hf_ottl_value *value)
{
    static const struct {
        enum hf_ottl_type type;
        const char *name; /* NULL: not a kind of one type */
    } exact[] = {
        [HF_ARG_STRING] = {HF_OTTL_STRING, "string"},
        [HF_ARG_INT] = {HF_OTTL_INT, "int64"},
        [HF_ARG_DOUBLE] = {HF_OTTL_DOUBLE, "float64"},
        [HF_ARG_BOOL] = {HF_OTTL_BOOL, "bool"},
        [HF_ARG_MAP] = {HF_OTTL_MAP, "pcommon.Map"},
        [HF_ARG_LIST] = {HF_OTTL_LIST, "pcommon.Slice"},
        [HF_ARG_TIME] = {HF_OTTL_TIME, "time"},
        [HF_ARG_DURATION] = {HF_OTTL_DURATION, "duration"},
        [HF_ARG_REGEX] = {HF_OTTL_STRING, "string"},
        [HF_ARG_GLOB] = {HF_OTTL_STRING, "string"},
        [HF_ARG_STRINGS] = {HF_OTTL_STRING, "string"},
        [HF_ARG_ANYS] = {HF_OTTL_NIL, NULL},
    };
    if (exact[kind].name == NULL) {
        return convert_like(run, kind, value);
    }
    return value->type == exact[kind].type || wrong_type(run, exact[kind].name, value);
}

bool hf_ottl_items_of(struct hf_ottl_run *run, const struct hf_ottl_call *call, size_t argument,
                      enum hf_ottl_argument_kind kind, struct hf_ottl_value **ret_items,
                      size_t *ret_count)
{
    const struct hf_ottl_node *node = call->nodes[argument];
    size_t count = node != NULL ? node->count : 0;
    struct hf_ottl_value *items = hf_ottl_take(run, (count + 1) * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!hf_ottl_value_of(run, node->items[i], &items[i]) ||
            !hf_ottl_convert(run, kind, &items[i])) {
            return false;
        }
    }
    *ret_items = items;
    *ret_count = count;
    return true;
}

/* ---- patterns ---- */

struct hf_regex *hf_ottl_take_regex(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                                    size_t argument, const struct hf_ottl_value *text)
{
    struct hf_regex *regex = call->regexes[argument];
    char reterr[HF_REGEX_ERROR_MAX] = "";
    if (regex != NULL) {
        return regex;
    }
    bool is_glob = (call->function->arguments[argument].kind & HF_ARG_KIND_MASK) == HF_ARG_GLOB;
    enum hf_status status = is_glob ? hf_ottl_glob_new(text->bytes, &regex, reterr)
                                    : hf_ottl_regex_new(text->bytes, &regex, reterr);
    if (status == HF_INVALID) {
        hf_ottl_fail(run, "the pattern of %s: %s", call->function->name, reterr);
    } else if (status != HF_OK) {
        hf_ottl_no_memory(run);
    }
    return status == HF_OK ? regex : NULL;
}

void hf_ottl_put_regex(const struct hf_ottl_call *call, size_t argument, struct hf_regex *regex)
{
    if (regex != call->regexes[argument]) {
        hf_regex_free(regex);
    }
}
