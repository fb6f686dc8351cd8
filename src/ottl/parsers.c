/* Converters that read a text of some format. */
#include <string.h>

#include "function.h"
#include "json.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

CONVERTER(parse_json)
{
    struct hf_slice encoded;
    (void)call;
    if (!hf_ottl_read_json(run, arguments[0].bytes, &encoded)) {
        return false;
    }
    struct hf_any any = hf_any_read(encoded);
    if (any.type != HF_ANY_MAP && any.type != HF_ANY_ARRAY) {
        return hf_ottl_fail(run, "could not convert parsed value to JSON object");
    }
    *ret_value = hf_ottl_from_any(&any);
    return true;
}

/* ---- pairs of keys and values ---- */

static bool is_at(struct hf_slice text, size_t at, struct hf_slice part)
{
    return part.size <= text.size - at && memcmp(text.data + at, part.data, part.size) == 0;
}

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size > 0 && strchr(" \t\r\n\v\f", text.data[0]) != NULL && text.data[0] != 0) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && strchr(" \t\r\n\v\f", text.data[text.size - 1]) != NULL &&
           text.data[text.size - 1] != 0) {
        text.size--;
    }
    return text;
}

static bool put_pair(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice pair,
                     struct hf_slice delimiter)
{
    const uint8_t *found = memmem(pair.data, pair.size, delimiter.data, delimiter.size);
    struct hf_slice encoded;
    if (found == NULL) {
        return hf_ottl_fail(run, "a part of the text has no delimiter of key and value");
    }
    size_t before = (size_t)(found - pair.data);
    struct hf_slice key = trim(hf_slice_of(pair.data, before));
    struct hf_ottl_value value = hf_ottl_string(
        trim(hf_slice_of(found + delimiter.size, pair.size - before - delimiter.size)));
    return hf_ottl_encode(run, &value, &encoded) && hf_ottl_pairs_put(run, pairs, key, encoded);
}

/* The next pair without its quotation marks, copied behind `room`. False: a quotation does not end.
 */
static bool next_pair(struct hf_slice text, size_t *at, struct hf_slice delimiter, uint8_t *room,
                      size_t *ret_size)
{
    uint8_t quote = 0;
    bool escaped = false;
    *ret_size = 0;
    while (*at < text.size) {
        uint8_t byte = text.data[*at];
        if (quote == 0 && is_at(text, *at, delimiter)) {
            *at += delimiter.size;
            if (*ret_size > 0) {
                return true;
            }
            continue;
        }
        ++*at;
        if (!escaped && (quote == 0 ? byte == '"' || byte == '\'' : byte == quote)) {
            quote = quote == 0 ? byte : 0;
            continue;
        }
        escaped = !escaped && byte == '\\';
        room[(*ret_size)++] = byte;
    }
    return quote == 0;
}

CONVERTER(parse_key_value)
{
    struct hf_slice text = arguments[0].bytes;
    struct hf_slice delimiter = hf_ottl_literal_text(call, 1, "=");
    struct hf_slice pair_delimiter = hf_ottl_literal_text(call, 2, " ");
    struct hf_ottl_pairs pairs;
    size_t at = 0;
    if (text.size == 0) {
        return hf_ottl_fail(run, "cannot parse from empty target");
    }
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &pairs)) {
        return false;
    }
    while (at < text.size) {
        uint8_t *room = hf_ottl_take(run, text.size - at);
        size_t size;
        if (room == NULL) {
            return false;
        }
        if (!next_pair(text, &at, pair_delimiter, room, &size)) {
            return hf_ottl_fail(run, "never reached the end of a quoted value");
        }
        hf_arena_trim(&run->scratch, room, size);
        if (size > 0 && !put_pair(run, &pairs, hf_slice_of(room, size), delimiter)) {
            return false;
        }
    }
    return hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

/* ---- comma separated values ---- */

enum csv_mode { CSV_STRICT, CSV_LAZY, CSV_IGNORE };

/* One field at `at`, copied to `room`; `at` ends behind its delimiter. */
static bool csv_field(struct hf_ottl_run *run, struct hf_slice row, size_t *at,
                      struct hf_slice delimiter, enum csv_mode mode, uint8_t *room,
                      size_t *ret_size, bool *ret_more)
{
    bool is_quoted = mode != CSV_IGNORE && *at < row.size && row.data[*at] == '"';
    bool was_closed = false;
    *ret_size = 0;
    *ret_more = false;
    *at += is_quoted;
    while (*at < row.size) {
        uint8_t byte = row.data[*at];
        if ((!is_quoted || was_closed) && is_at(row, *at, delimiter)) {
            *at += delimiter.size;
            *ret_more = true;
            return true;
        }
        ++*at;
        if (is_quoted && !was_closed && byte == '"') {
            bool is_doubled = *at < row.size && row.data[*at] == '"';
            bool ends = *at == row.size || is_at(row, *at, delimiter);
            *at += is_doubled;
            was_closed = !is_doubled && ends;
            if (!is_doubled && !ends && mode == CSV_STRICT) {
                return hf_ottl_fail(run, "read csv line: extraneous or missing \" in quoted-field");
            }
            if (was_closed) {
                continue;
            }
        } else if (!is_quoted && byte == '"' && mode == CSV_STRICT) {
            return hf_ottl_fail(run, "read csv line: bare \" in non-quoted-field");
        }
        room[(*ret_size)++] = byte;
    }
    return !is_quoted || was_closed || mode == CSV_LAZY ||
           hf_ottl_fail(run, "read csv line: extraneous or missing \" in quoted-field");
}

static enum csv_mode csv_mode(const struct hf_ottl_call *call)
{
    struct hf_slice mode = hf_ottl_literal_text(call, 4, "strict");
    return hf_slice_is(mode, "lazyQuotes")     ? CSV_LAZY
           : hf_slice_is(mode, "ignoreQuotes") ? CSV_IGNORE
                                               : CSV_STRICT;
}

/* The next name of the header, up to its delimiter. False: there is none. */
static bool next_header(struct hf_slice *header, struct hf_slice delimiter, bool *has_more,
                        struct hf_slice *ret_name)
{
    if (!*has_more) {
        return false;
    }
    const uint8_t *found = memmem(header->data, header->size, delimiter.data, delimiter.size);
    *has_more = found != NULL;
    if (found == NULL) {
        *ret_name = *header;
        return true;
    }
    size_t size = (size_t)(found - header->data);
    *ret_name = hf_slice_of(header->data, size);
    *header = hf_slice_of(found + delimiter.size, header->size - size - delimiter.size);
    return true;
}

CONVERTER(parse_csv)
{
    struct hf_slice row = arguments[0].bytes, header = arguments[1].bytes, name;
    struct hf_slice delimiter = hf_ottl_literal_text(call, 2, ",");
    struct hf_slice header_delimiter = call->nodes[3] != NULL ? arguments[3].bytes : delimiter;
    struct hf_ottl_pairs pairs;
    size_t at = 0;
    bool more_fields = true, more_names = true;
    if (header.size == 0 || row.size == 0) {
        return hf_ottl_fail(run, header.size == 0 ? "headers must not be an empty string"
                                                  : "no csv lines found");
    }
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &pairs)) {
        return false;
    }
    while (more_fields) {
        uint8_t *room = hf_ottl_take(run, row.size - at + 1);
        struct hf_slice encoded;
        size_t size;
        if (room == NULL ||
            !csv_field(run, row, &at, delimiter, csv_mode(call), room, &size, &more_fields)) {
            return false;
        }
        struct hf_ottl_value field = hf_ottl_string(hf_slice_of(room, size));
        if (!next_header(&header, header_delimiter, &more_names, &name)) {
            return hf_ottl_fail(run, "wrong number of fields");
        }
        if (!hf_ottl_encode(run, &field, &encoded) ||
            !hf_ottl_pairs_put(run, &pairs, name, encoded)) {
            return false;
        }
    }
    if (more_names) {
        return hf_ottl_fail(run, "wrong number of fields");
    }
    return hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

static enum hf_status check_csv(struct hf_ottl_call *call, struct hf_ottl_fault *fault, size_t at)
{
    struct hf_slice delimiter = hf_ottl_literal_text(call, 2, ",");
    struct hf_slice mode = hf_ottl_literal_text(call, 4, "strict");
    bool is_known = hf_slice_is(mode, "strict") || hf_slice_is(mode, "lazyQuotes") ||
                    hf_slice_is(mode, "ignoreQuotes");
    if (delimiter.size != 1 || delimiter.data[0] >= 0x80) {
        return hf_ottl_refuse(fault, at, "the delimiter must be one character");
    }
    return is_known
               ? HF_OK
               : hf_ottl_refuse(fault, at, "the mode must be strict, lazyQuotes or ignoreQuotes");
}

/* ---- severities ---- */

static bool is_in_range(struct hf_slice encoded, int64_t number)
{
    struct hf_any range = hf_any_read(encoded);
    struct hf_slice least, most;
    if (range.type == HF_ANY_STRING) {
        bool is_class = range.bytes.size == 3 && range.bytes.data[0] >= '2' &&
                        range.bytes.data[0] <= '5' && range.bytes.data[1] == 'x' &&
                        range.bytes.data[2] == 'x';
        int64_t from = is_class ? 100 * (range.bytes.data[0] - '0') : 0;
        return is_class && number >= from && number <= from + 99;
    }
    if (!hf_any_look_up(&range, hf_slice_text("min"), &least) ||
        !hf_any_look_up(&range, hf_slice_text("max"), &most)) {
        return false;
    }
    return number >= hf_any_read(least).integer && number <= hf_any_read(most).integer;
}

static bool is_criterion(const struct hf_any *criterion, const struct hf_ottl_value *value)
{
    struct hf_slice found, one;
    if (value->type == HF_OTTL_INT) {
        return hf_any_look_up(criterion, hf_slice_text("range"), &found) &&
               is_in_range(found, value->integer);
    }
    if (!hf_any_look_up(criterion, hf_slice_text("equals"), &found)) {
        return false;
    }
    struct hf_any list = hf_any_read(found);
    struct hf_wire items = hf_any_items(&list);
    while (hf_any_next_value(&items, &one)) {
        struct hf_any text = hf_any_read(one);
        if (text.type == HF_ANY_STRING && hf_slice_equal(text.bytes, value->bytes)) {
            return true;
        }
    }
    return false;
}

CONVERTER(parse_severity)
{
    struct hf_any map = {.type = HF_ANY_MAP, .bytes = arguments[1].bytes};
    struct hf_wire levels = hf_any_items(&map);
    struct hf_any_pair level;
    struct hf_slice one;
    (void)call;
    if (arguments[0].type != HF_OTTL_STRING && arguments[0].type != HF_OTTL_INT) {
        return hf_ottl_fail(run, "could not map log level: unsupported value type: %s",
                            hf_ottl_type_name(arguments[0].type));
    }
    while (hf_any_next_pair(&levels, &level)) {
        struct hf_any list = hf_any_read(level.value);
        struct hf_wire criteria = hf_any_items(&list);
        while (hf_any_next_value(&criteria, &one)) {
            struct hf_any criterion = hf_any_read(one);
            if (criterion.type == HF_ANY_MAP && is_criterion(&criterion, &arguments[0])) {
                *ret_value = hf_ottl_string(level.key);
                return true;
            }
        }
    }
    return hf_ottl_fail(run, "could not map log level: no matching log level found");
}

#define LITERAL_OPTIONAL (HF_ARG_LITERAL | HF_ARG_OPTIONAL)

const struct hf_ottl_function hf_ottl_parsers[] = {
    {.name = "ParseJSON", .arguments = {{"target", HF_ARG_STRING}}, .run = parse_json},
    {.name = "ParseKeyValue",
     .arguments = {{"target", HF_ARG_STRING},
                   {"delimiter", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"pair_delimiter", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = parse_key_value,
     .check = hf_ottl_check_delimiters},
    {.name = "ParseCSV",
     .arguments = {{"target", HF_ARG_STRING},
                   {"header", HF_ARG_STRING},
                   {"delimiter", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"header_delimiter", HF_ARG_STRING | LITERAL_OPTIONAL},
                   {"mode", HF_ARG_STRING | LITERAL_OPTIONAL}},
     .run = parse_csv,
     .check = check_csv},
    {.name = "ParseSeverity",
     .arguments = {{"target", HF_ARG_ANY}, {"mapping", HF_ARG_MAP | HF_ARG_LITERAL}},
     .run = parse_severity},
    {.name = NULL},
};
