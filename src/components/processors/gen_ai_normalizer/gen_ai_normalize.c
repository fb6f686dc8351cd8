#include "gen_ai_normalize.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen_ai_messages.h"
#include "pdata/any.h"

#define NUMBER_TEXT_MAX 64u

/* ---- the type that the conventions have ---- */

/* The whole text is a number, without spaces around it. */
static bool copy_number(struct hf_slice text, char room[NUMBER_TEXT_MAX])
{
    if (text.size == 0 || text.size >= NUMBER_TEXT_MAX || text.data[0] <= ' ') {
        return false;
    }
    snprintf(room, NUMBER_TEXT_MAX, "%.*s", (int)text.size, (const char *)text.data);
    return strlen(room) == text.size;
}

static bool to_int(struct gen_ai_run *run, const struct hf_any *any, struct hf_slice *value)
{
    char room[NUMBER_TEXT_MAX], *end = room;
    int64_t integer = 0;
    switch (any->type) {
    case HF_ANY_INT:
        return true;
    case HF_ANY_DOUBLE:
        if (!(fabs(any->number) < 9.2e18) || trunc(any->number) != any->number) {
            return false;
        }
        integer = (int64_t)any->number;
        break;
    case HF_ANY_STRING:
        if (!copy_number(any->bytes, room)) {
            return false;
        }
        errno = 0;
        integer = strtoll(room, &end, 10);
        if (*end != '\0' || errno != 0) {
            return false;
        }
        break;
    default:
        return false;
    }
    *value = hf_any_make_int(&run->maker, integer);
    return true;
}

static bool to_double(struct gen_ai_run *run, const struct hf_any *any, struct hf_slice *value)
{
    char room[NUMBER_TEXT_MAX], *end = room;
    double number = 0;
    switch (any->type) {
    case HF_ANY_DOUBLE:
        return true;
    case HF_ANY_INT:
        number = (double)any->integer;
        break;
    case HF_ANY_STRING:
        if (!copy_number(any->bytes, room)) {
            return false;
        }
        number = strtod(room, &end);
        if (*end != '\0') {
            return false;
        }
        break;
    default:
        return false;
    }
    *value = hf_any_make_double(&run->maker, number);
    return true;
}

static bool to_string(struct gen_ai_run *run, const struct hf_any *any, struct hf_slice *value)
{
    switch (any->type) {
    case HF_ANY_STRING:
        return true;
    case HF_ANY_BOOL:
    case HF_ANY_INT:
    case HF_ANY_DOUBLE:
        *value = hf_any_make_string(&run->maker, gen_ai_text(run, *value));
        return true;
    default:
        return false;
    }
}

static bool to_strings(struct gen_ai_run *run, const struct hf_any *any, struct hf_slice *value)
{
    struct hf_slice item;
    if (any->type == HF_ANY_STRING) {
        *value = hf_any_make_list(&run->maker, value, 1);
        return true;
    }
    struct hf_wire items = hf_any_items(any);
    while (hf_any_next_value(&items, &item)) {
        if (hf_any_read(item).type != HF_ANY_STRING) {
            return false;
        }
    }
    return any->type == HF_ANY_ARRAY;
}

/* False: the value cannot be of that type. */
static bool convert(struct gen_ai_run *run, enum gen_ai_type type, struct hf_slice *value)
{
    struct hf_any any = hf_any_read(*value);
    switch (type) {
    case GEN_AI_INT:
        return to_int(run, &any, value);
    case GEN_AI_DOUBLE:
        return to_double(run, &any, value);
    case GEN_AI_STRING:
        return to_string(run, &any, value);
    case GEN_AI_STRINGS:
        return to_strings(run, &any, value);
    case GEN_AI_ANY:
        break;
    }
    return true;
}

/* ---- one attribute after the other ---- */

static bool rename_one(struct gen_ai_run *run, const struct gen_ai_rules *rules,
                       const struct gen_ai_mapping *mapping, struct hf_attributes *attributes)
{
    struct hf_slice from = hf_slice_text(mapping->from), to = hf_slice_text(mapping->to);
    const struct hf_attribute *found = hf_attributes_find(attributes, from);
    if (found == NULL || (!rules->overwrites && hf_attributes_find(attributes, to) != NULL)) {
        return false;
    }
    struct hf_slice value = found->value;
    if (!convert(run, gen_ai_type_of(mapping->to), &value)) {
        return false;
    }
    struct hf_any any = hf_any_read(value);
    const char *becomes = any.type == HF_ANY_STRING
                              ? gen_ai_value_find(&rules->source, mapping->to, any.bytes)
                              : NULL;
    if (becomes != NULL) {
        value = hf_any_make_string(&run->maker, hf_slice_text(becomes));
    }
    hf_attributes_set(attributes, to, value);
    if (rules->removes) {
        hf_attributes_remove(attributes, from);
    }
    return true;
}

bool gen_ai_normalize(struct gen_ai_run *run, const struct gen_ai_rules *rules,
                      struct hf_attributes *attributes)
{
    bool has_written = rules->source.has_messages && gen_ai_join_messages(run, rules, attributes);
    /* What is there at first, in that order: renaming changes the list. */
    size_t count = 0;
    const struct gen_ai_mapping **mappings =
        hf_arena_take(hf_document_arena(run->document), attributes->count * sizeof(*mappings) + 1);
    if (mappings == NULL) {
        run->status = HF_NOMEM;
        return has_written;
    }
    for (size_t i = 0; i < attributes->count; i++) {
        mappings[count] = gen_ai_mapping_find(&rules->source, attributes->items[i].key);
        count += mappings[count] != NULL;
    }
    for (size_t i = 0; i < count; i++) {
        has_written |= rename_one(run, rules, mappings[i], attributes);
    }
    run->status = attributes->failed || run->maker.failed ? HF_NOMEM : run->status;
    return has_written;
}
