/*
 * parse_text: json_parser, regex_parser, key_value_parser, csv_parser, json_array_parser.
 */
#include <ctype.h>
#include <stdlib.h>

#include "expr/value_json.h"
#include "operator.h"
#include "util/regex/regex.h"

static bool take_text(struct run *run, const struct hf_expr_value *from, struct hf_slice *ret)
{
    if (from->type != HF_EXPR_STRING && from->type != HF_EXPR_BYTES) {
        operator_failed(run, "what is parsed is no text");
        return false;
    }
    *ret = from->text;
    return true;
}

static bool out_of_memory(struct run *run)
{
    operator_failed(run, "out of memory");
    return false;
}

/* ---- json_parser ---- */

struct json_state {
    bool parse_ints;
};

static enum hf_status open_json(struct operator* operator, const struct hf_value * config,
                                char *reterr)
{
    struct json_state *state = operator->state;
    (void)reterr;
    state->parse_ints = bool_of(config, "parse_ints", false);
    return HF_OK;
}

static bool parse_json(struct run *run, struct hf_log_entry *entry,
                       const struct hf_expr_value *from, struct hf_expr_value *ret_value)
{
    const struct json_state *state = run->operator->state;
    struct hf_slice text;
    if (!take_text(run, from, &text)) {
        return false;
    }
    if (!hf_expr_json_read(entry->arena, text, state->parse_ints, ret_value) ||
        ret_value->type != HF_EXPR_MAP) {
        operator_failed(run, "the text is no JSON object");
        return false;
    }
    return true;
}

/* ---- regex_parser ---- */

struct regex_state {
    struct hf_regex *regex;
};

static enum hf_status open_regex(struct operator* operator, const struct hf_value * config,
                                 char *reterr)
{
    struct regex_state *state = operator->state;
    char why[HF_REGEX_ERROR_MAX];
    const char *pattern = text_of(config, "regex", NULL);
    if (pattern == NULL) {
        return invalid(reterr, "regex is required");
    }
    enum hf_status status = hf_regex_new(pattern, &state->regex, why);
    if (status == HF_INVALID) {
        return invalid(reterr, "regex: %s", why);
    }
    bool named = false;
    for (size_t i = 1; status == HF_OK && i <= hf_regex_group_count(state->regex); i++) {
        named = named || hf_regex_group_name(state->regex, i) != NULL;
    }
    return status != HF_OK || named ? status : invalid(reterr, "regex: a named group is needed");
}

static void close_regex(struct operator* operator)
{
    hf_regex_free(((struct regex_state *)operator->state)->regex);
}

static bool parse_regex(struct run *run, struct hf_log_entry *entry,
                        const struct hf_expr_value *from, struct hf_expr_value *ret_value)
{
    const struct regex_state *state = run->operator->state;
    struct hf_slice groups[HF_REGEX_GROUPS_MAX], text;
    if (!take_text(run, from, &text)) {
        return false;
    }
    if (!hf_regex_find(state->regex, text, groups)) {
        operator_failed(run, "the regular expression does not match");
        return false;
    }
    size_t count = hf_regex_group_count(state->regex);
    struct hf_expr_map *map = hf_expr_map_new(entry->arena, count);
    if (map == NULL) {
        return out_of_memory(run);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = hf_regex_group_name(state->regex, i + 1);
        if (name != NULL && hf_expr_map_set(entry->arena, map, hf_slice_text(name),
                                            hf_expr_string(groups[i])) != HF_OK) {
            return out_of_memory(run);
        }
    }
    *ret_value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    return true;
}

/* ---- key_value_parser ---- */

#define BLANKS " \t\r\n\v\f"

struct pair_state {
    struct hf_slice delimiter, between;
};

static enum hf_status open_pairs(struct operator* operator, const struct hf_value * config,
                                 char *reterr)
{
    struct pair_state *state = operator->state;
    state->delimiter = hf_slice_text(text_of(config, "delimiter", "="));
    state->between = hf_slice_text(text_of(config, "pair_delimiter", " "));
    if (state->between.size == 0) {
        state->between = hf_slice_text(" ");
    }
    if (state->delimiter.size == 0 || hf_slice_equal(state->delimiter, state->between)) {
        return invalid(reterr, "delimiter and pair_delimiter must differ and not be empty");
    }
    return HF_OK;
}

static struct hf_slice trim(struct hf_slice text, const char *set)
{
    while (text.size != 0 && strchr(set, text.data[0]) != NULL && text.data[0] != '\0') {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size != 0 && text.data[text.size - 1] != '\0' &&
           strchr(set, text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    return text;
}

/*
 * One pair from the front of `rest`, up to a delimiter outside quotes, without its quotes. One
 * that a backslash precedes is none. NULL, or what is wrong.
 */
static const char *take_pair(struct hf_arena *arena, struct hf_slice *rest, struct hf_slice between,
                             struct hf_slice *ret_pair)
{
    uint8_t *out = hf_arena_take(arena, rest->size + 1);
    uint8_t quote = 0;
    size_t at = 0, size = 0;
    if (out == NULL) {
        return "out of memory";
    }
    for (bool is_escaped = false; at < rest->size; at++) {
        uint8_t c = rest->data[at];
        if (quote == 0 && rest->size - at >= between.size &&
            memcmp(rest->data + at, between.data, between.size) == 0) {
            break;
        }
        if (!is_escaped && (quote != 0 ? c == quote : c == '"' || c == '\'')) {
            quote = quote != 0 ? 0 : c;
            continue;
        }
        is_escaped = !is_escaped && c == '\\';
        out[size++] = c;
    }
    *ret_pair = hf_slice_of(out, size);
    size_t used = at + between.size < rest->size ? at + between.size : rest->size;
    *rest = hf_slice_of(rest->data + used, rest->size - used);
    return quote != 0 ? "a quoted text has no end" : NULL;
}

static bool add_pair(struct run *run, struct hf_log_entry *entry, struct hf_expr_map *map,
                     struct hf_slice pair)
{
    const struct pair_state *state = run->operator->state;
    const uint8_t *found =
        memmem(pair.data, pair.size, state->delimiter.data, state->delimiter.size);
    if (found == NULL) {
        operator_failed(run, "a pair has no delimiter: %.*s",
                        (int)(pair.size < 100 ? pair.size : 100), (const char *)pair.data);
        return false;
    }
    size_t size = (size_t)(found - pair.data);
    struct hf_slice key = trim(hf_slice_of(pair.data, size), BLANKS);
    struct hf_slice value =
        trim(hf_slice_of(found + state->delimiter.size, pair.size - size - state->delimiter.size),
             BLANKS);
    return hf_expr_map_set(entry->arena, map, key, hf_expr_string(value)) == HF_OK ||
           out_of_memory(run);
}

static bool parse_pairs(struct run *run, struct hf_log_entry *entry,
                        const struct hf_expr_value *from, struct hf_expr_value *ret_value)
{
    const struct pair_state *state = run->operator->state;
    struct hf_slice text, pair;
    struct hf_expr_map *map = hf_expr_map_new(entry->arena, 8);
    if (!take_text(run, from, &text)) {
        return false;
    }
    if (text.size == 0) {
        operator_failed(run, "the text is empty");
        return false;
    }
    while (map != NULL && text.size != 0) {
        const char *wrong = take_pair(entry->arena, &text, state->between, &pair);
        if (wrong != NULL) {
            operator_failed(run, "%s", wrong);
            return false;
        }
        if (pair.size != 0 && !add_pair(run, entry, map, pair)) {
            return false;
        }
    }
    *ret_value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    return map != NULL || out_of_memory(run);
}

/* ---- csv_parser ---- */

#define COLUMNS_MAX 512u

struct csv_state {
    struct hf_slice header;
    bool has_attribute, lazy_quotes, ignore_quotes;
    struct hf_log_field attribute; /* whose text is the header */
    uint8_t delimiter, header_delimiter;
};

static enum hf_status open_csv(struct operator* operator, const struct hf_value * config,
                               char *reterr)
{
    struct csv_state *state = operator->state;
    const char *header = text_of(config, "header", NULL);
    const char *attribute = text_of(config, "header_attribute", NULL);
    const char *delimiter = text_of(config, "delimiter", ",");
    const char *header_delimiter = text_of(config, "header_delimiter", delimiter);
    if ((header == NULL) == (attribute == NULL)) {
        return invalid(reterr, "header or header_attribute is required, and not both");
    }
    if (strlen(delimiter) != 1 || strlen(header_delimiter) != 1) {
        return invalid(reterr, "delimiter and header_delimiter are one character");
    }
    state->lazy_quotes = bool_of(config, "lazy_quotes", false);
    state->ignore_quotes = bool_of(config, "ignore_quotes", false);
    if (state->lazy_quotes && state->ignore_quotes) {
        return invalid(reterr, "lazy_quotes and ignore_quotes are not used together");
    }
    state->delimiter = (uint8_t)delimiter[0];
    state->header_delimiter = (uint8_t)header_delimiter[0];
    state->header = header != NULL ? hf_slice_text(header) : HF_EMPTY_SLICE;
    if (attribute != NULL) {
        state->attribute.root = HF_LOG_ATTRIBUTES;
        state->attribute.keys[0] = hf_slice_text(attribute);
        state->attribute.count = 1;
        state->has_attribute = true;
    }
    return HF_OK;
}

/* One column in quotes, without them; `*at` is behind the first quote. */
static bool take_quoted(struct hf_arena *arena, struct hf_slice text, size_t *at, uint8_t delimiter,
                        bool lazy, struct hf_slice *ret)
{
    uint8_t *out = hf_arena_take(arena, text.size - *at + 1);
    size_t size = 0;
    if (out == NULL) {
        return false;
    }
    for (; *at < text.size; (*at)++) {
        uint8_t c = text.data[*at];
        bool last = *at + 1 == text.size;
        if (c != '"') {
            out[size++] = c;
        } else if (!last && text.data[*at + 1] == '"') {
            out[size++] = c;
            (*at)++;
        } else if (last || text.data[*at + 1] == delimiter) {
            (*at)++;
            *ret = hf_slice_of(out, size);
            return true;
        } else if (lazy) {
            out[size++] = c;
        } else {
            return false;
        }
    }
    *ret = hf_slice_of(out, size);
    return lazy;
}

/* The columns of one row; SIZE_MAX: it is no row. */
static size_t split_row(const struct csv_state *state, struct hf_arena *arena, struct hf_slice text,
                        uint8_t delimiter, struct hf_slice *columns)
{
    size_t count = 0, at = 0;
    for (;;) {
        if (count == COLUMNS_MAX) {
            return SIZE_MAX;
        }
        if (!state->ignore_quotes && at < text.size && text.data[at] == '"') {
            at++;
            if (!take_quoted(arena, text, &at, delimiter, state->lazy_quotes, &columns[count])) {
                return SIZE_MAX;
            }
        } else {
            const uint8_t *end =
                at < text.size ? memchr(text.data + at, delimiter, text.size - at) : NULL;
            size_t size = end != NULL ? (size_t)(end - text.data) - at : text.size - at;
            columns[count] = hf_slice_of(text.data + at, size);
            if (!state->ignore_quotes && !state->lazy_quotes && size != 0 &&
                memchr(columns[count].data, '"', size) != NULL) {
                return SIZE_MAX;
            }
            at += size;
        }
        count++;
        if (at >= text.size) {
            return count;
        }
        at++;
    }
}

static bool parse_csv(struct run *run, struct hf_log_entry *entry, const struct hf_expr_value *from,
                      struct hf_expr_value *ret_value)
{
    const struct csv_state *state = run->operator->state;
    struct hf_slice names[COLUMNS_MAX], columns[COLUMNS_MAX], text, header = state->header;
    if (!take_text(run, from, &text)) {
        return false;
    }
    if (state->has_attribute) {
        const struct hf_expr_value *value = hf_log_field_get(&state->attribute, entry);
        if (value == NULL || value->type != HF_EXPR_STRING) {
            operator_failed(run, "the attribute of the header is no text");
            return false;
        }
        header = value->text;
    }
    const struct csv_state plain = {.ignore_quotes = true};
    size_t name_count = split_row(&plain, entry->arena, header, state->header_delimiter, names);
    size_t count = split_row(state, entry->arena, text, state->delimiter, columns);
    if (count != name_count || count == SIZE_MAX) {
        operator_failed(run, "the row has another number of columns than its header");
        return false;
    }
    struct hf_expr_map *map = hf_expr_map_new(entry->arena, count);
    for (size_t i = 0; map != NULL && i < count; i++) {
        if (hf_expr_map_set(entry->arena, map, names[i], hf_expr_string(columns[i])) != HF_OK) {
            map = NULL;
        }
    }
    *ret_value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    return map != NULL || out_of_memory(run);
}

/* ---- json_array_parser: behind csv_parser, whose header it has too ---- */

static enum hf_status open_json_array(struct operator* operator, const struct hf_value * config,
                                      char *reterr)
{
    struct csv_state *state = operator->state;
    (void)reterr;
    state->header = hf_slice_text(text_of(config, "header", ""));
    return HF_OK;
}

/* The elements by the names of the header. */
static bool name_elements(struct run *run, struct hf_log_entry *entry, struct hf_slice header,
                          struct hf_expr_value *value)
{
    static const struct csv_state plain = {.ignore_quotes = true};
    struct hf_slice names[COLUMNS_MAX];
    size_t count = split_row(&plain, entry->arena, header, ',', names);
    if (count != value->list->count) {
        operator_failed(run, "the array has another number of elements than its header");
        return false;
    }
    struct hf_expr_map *map = hf_expr_map_new(entry->arena, count);
    for (size_t i = 0; map != NULL && i < count; i++) {
        if (hf_expr_map_set(entry->arena, map, names[i], value->list->items[i]) != HF_OK) {
            map = NULL;
        }
    }
    *value = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = map};
    return map != NULL || out_of_memory(run);
}

static bool parse_json_array(struct run *run, struct hf_log_entry *entry,
                             const struct hf_expr_value *from, struct hf_expr_value *ret_value)
{
    const struct csv_state *state = run->operator->state;
    struct hf_slice text;
    if (!take_text(run, from, &text)) {
        return false;
    }
    if (!hf_expr_json_read(entry->arena, text, true, ret_value) ||
        ret_value->type != HF_EXPR_LIST) {
        operator_failed(run, "the text is no JSON array");
        return false;
    }
    return state->header.size == 0 || name_elements(run, entry, state->header, ret_value);
}

static const char *const json_keys[] = {"parse_ints", NULL};
static const char *const json_array_keys[] = {"header", NULL};
static const char *const regex_keys[] = {"regex", "cache", NULL};
static const char *const pair_keys[] = {"delimiter", "pair_delimiter", NULL};
static const char *const csv_keys[] = {
    "header",      "header_attribute", "delimiter", "header_delimiter",
    "lazy_quotes", "ignore_quotes",    NULL};

const struct operator_kind operator_json_parser = {
    .type = "json_parser",
    .keys = json_keys,
    .size = sizeof(struct json_state),
    .is_parser = true,
    .open = open_json,
    .parse = parse_json,
};

const struct operator_kind operator_json_array_parser = {
    .type = "json_array_parser",
    .keys = json_array_keys,
    .size = sizeof(struct csv_state),
    .is_parser = true,
    .open = open_json_array,
    .parse = parse_json_array,
};

const struct operator_kind operator_regex_parser = {
    .type = "regex_parser",
    .keys = regex_keys,
    .size = sizeof(struct regex_state),
    .is_parser = true,
    .open = open_regex,
    .close = close_regex,
    .parse = parse_regex,
};

const struct operator_kind operator_key_value_parser = {
    .type = "key_value_parser",
    .keys = pair_keys,
    .size = sizeof(struct pair_state),
    .is_parser = true,
    .open = open_pairs,
    .parse = parse_pairs,
};

const struct operator_kind operator_csv_parser = {
    .type = "csv_parser",
    .keys = csv_keys,
    .size = sizeof(struct csv_state),
    .is_parser = true,
    .open = open_csv,
    .parse = parse_csv,
};
