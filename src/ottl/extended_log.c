/* The converter ParseELF: the Extended Log Format of the W3C, a block of directives and lines. */
#include <string.h>
#include <strings.h>

#include "function.h"
#include "util/blank.h"

#define FIELDS_MAX 1000u

struct block {
    struct hf_ottl_run *run;
    struct hf_ottl_pairs pairs;   /* what comes out */
    struct hf_ottl_pairs entries; /* the values alone */
    struct hf_slice *fields;      /* of the last #Fields */
    size_t field_count;
    bool has_version;
};

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size > 0 && hf_is_space(text.data[0])) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && hf_is_space(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* The next line that is not empty, without blanks around it. False: there is none. */
static bool next_line(struct hf_slice *text, struct hf_slice *ret_line)
{
    while (text->size > 0) {
        size_t end = 0;
        while (end < text->size && text->data[end] != '\n' && text->data[end] != '\r') {
            end++;
        }
        *ret_line = trim(hf_slice_of(text->data, end));
        size_t more = end < text->size ? 1 : 0;
        *text = hf_slice_of(text->data + end + more, text->size - end - more);
        if (ret_line->size > 0) {
            return true;
        }
    }
    return false;
}

/* ---- directives ---- */

static bool is_named(struct hf_slice text, const char *name)
{
    return text.size == strlen(name) && strncasecmp((const char *)text.data, name, text.size) == 0;
}

static bool take_fields(struct block *block, struct hf_slice text)
{
    size_t most = text.size / 2 + 1;
    block->field_count = 0;
    block->fields = hf_ottl_take(block->run, most * sizeof(*block->fields));
    if (block->fields == NULL) {
        return false;
    }
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        while (at < text.size && !hf_is_space(text.data[at])) {
            at++;
        }
        if (at > start) {
            block->fields[block->field_count++] = hf_slice_of(text.data + start, at - start);
        }
        at++;
    }
    return block->field_count <= FIELDS_MAX ||
           hf_ottl_fail(block->run, "invalid ELF: more than %u fields", FIELDS_MAX);
}

static bool take_directive(struct block *block, struct hf_slice line)
{
    static const char *const names[][2] = {
        {"version", "elf.version"},       {"software", "elf.software"}, {"date", "elf.date"},
        {"start-date", "elf.start_date"}, {"end-date", "elf.end_date"}, {"remark", "elf.remark"}};
    struct hf_slice rest = hf_slice_of(line.data + 1, line.size - 1);
    const uint8_t *colon = memchr(rest.data, ':', rest.size);
    if (colon == NULL) {
        rest = trim(rest);
        bool is_fields = rest.size >= 6 && is_named(hf_slice_of(rest.data, 6), "fields");
        return !is_fields || hf_ottl_fail(block->run, "invalid ELF: malformed #Fields directive");
    }
    size_t size = (size_t)(colon - rest.data);
    struct hf_slice key = trim(hf_slice_of(rest.data, size));
    struct hf_slice text = trim(hf_slice_of(colon + 1, rest.size - size - 1));
    if (is_named(key, "fields")) {
        return take_fields(block, text);
    }
    block->has_version |= is_named(key, "version");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (is_named(key, names[i][0])) {
            struct hf_ottl_value value = hf_ottl_string(text);
            struct hf_slice encoded;
            return hf_ottl_encode(block->run, &value, &encoded) &&
                   hf_ottl_pairs_put(block->run, &block->pairs, hf_slice_text(names[i][1]),
                                     encoded);
        }
    }
    return true;
}

/* ---- lines of data ---- */

/* What stands in quotation marks, where two stand for one. */
static bool next_quoted(struct hf_ottl_run *run, struct hf_slice line, size_t *at,
                        struct hf_slice *ret_value)
{
    uint8_t *room = hf_ottl_take(run, line.size - *at + 1);
    size_t size = 0;
    if (room == NULL) {
        return false;
    }
    for (++*at; *at < line.size; ++*at) {
        if (line.data[*at] == '"') {
            if (*at + 1 >= line.size || line.data[*at + 1] != '"') {
                ++*at;
                *ret_value = hf_slice_of(room, size);
                return true;
            }
            ++*at;
        }
        room[size++] = line.data[*at];
    }
    return hf_ottl_fail(run, "invalid ELF: unterminated quoted value in a data line");
}

/* The next value of a line; `ret_is_there` false: there is none. */
static bool next_value(struct hf_ottl_run *run, struct hf_slice line, size_t *at,
                       struct hf_slice *ret_value, bool *ret_is_there)
{
    while (*at < line.size && (line.data[*at] == ' ' || line.data[*at] == '\t')) {
        ++*at;
    }
    *ret_is_there = *at < line.size;
    if (!*ret_is_there) {
        return true;
    }
    if (line.data[*at] == '"') {
        return next_quoted(run, line, at, ret_value);
    }
    size_t start = *at;
    while (*at < line.size && line.data[*at] != ' ' && line.data[*at] != '\t') {
        ++*at;
    }
    *ret_value = hf_slice_of(line.data + start, *at - start);
    return true;
}

static bool take_data(struct block *block, struct hf_slice line)
{
    struct hf_ottl_pairs pairs;
    struct hf_ottl_value map;
    struct hf_slice encoded, ignored;
    size_t at = 0;
    bool is_there = true;
    if (block->field_count == 0) {
        return hf_ottl_fail(block->run, "invalid ELF: data entry found before #Fields directive");
    }
    if (!hf_ottl_pairs_of(block->run, HF_EMPTY_SLICE, block->field_count, &pairs)) {
        return false;
    }
    for (size_t i = 0; i < block->field_count; i++) {
        struct hf_slice text = hf_slice_text("-");
        if (is_there && !next_value(block->run, line, &at, &text, &is_there)) {
            return false;
        }
        struct hf_ottl_value value = hf_ottl_string(text);
        if (!hf_ottl_encode(block->run, &value, &encoded) ||
            !hf_ottl_pairs_put(block->run, &pairs, block->fields[i], encoded)) {
            return false;
        }
    }
    /* Values without a field are dropped; but a quotation that does not end is a fault. */
    while (is_there) {
        if (!next_value(block->run, line, &at, &ignored, &is_there)) {
            return false;
        }
    }
    return hf_ottl_map_of_pairs(block->run, &pairs, &map) &&
           hf_ottl_encode(block->run, &map, &encoded) &&
           hf_ottl_pairs_add(block->run, &block->entries, HF_EMPTY_SLICE, encoded);
}

/* ---- the whole ---- */

static bool put_list(struct block *block, const char *key, const struct hf_slice *values,
                     size_t count)
{
    struct hf_ottl_value list;
    struct hf_slice encoded;
    return hf_ottl_list_of(block->run, values, count, &list) &&
           hf_ottl_encode(block->run, &list, &encoded) &&
           hf_ottl_pairs_put(block->run, &block->pairs, hf_slice_text(key), encoded);
}

static bool put_lists(struct block *block)
{
    size_t most =
        block->entries.count > block->field_count ? block->entries.count : block->field_count;
    struct hf_slice *values = hf_ottl_take(block->run, (most + 1) * sizeof(*values));
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < block->entries.count; i++) {
        values[i] = block->entries.items[i].value;
    }
    if (!put_list(block, "elf.entries", values, block->entries.count)) {
        return false;
    }
    for (size_t i = 0; i < block->field_count; i++) {
        struct hf_ottl_value name = hf_ottl_string(block->fields[i]);
        if (!hf_ottl_encode(block->run, &name, &values[i])) {
            return false;
        }
    }
    return put_list(block, "elf.fields", values, block->field_count);
}

static bool parse_elf(struct hf_ottl_run *run, const struct hf_ottl_call *call,
                      const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)
{
    struct block block = {.run = run};
    struct hf_slice text = arguments[0].bytes, line;
    (void)call;
    if (!hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &block.pairs) ||
        !hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 8, &block.entries)) {
        return false;
    }
    while (next_line(&text, &line)) {
        bool ok = line.data[0] == '#' ? take_directive(&block, line) : take_data(&block, line);
        if (!ok) {
            return false;
        }
    }
    if (!block.has_version) {
        return hf_ottl_fail(run, "invalid ELF: missing #Version directive");
    }
    return put_lists(&block) && hf_ottl_map_of_pairs(run, &block.pairs, ret_value);
}

const struct hf_ottl_function hf_ottl_extended_log[] = {
    {.name = "ParseELF",
     .arguments = {{"target", HF_ARG_STRING}},
     .run = parse_elf,
     .contexts = 1u << HF_PATH_LOG},
    {.name = NULL},
};
