/*
 * actions_run: applies the actions of a processor to the attributes of one batch.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "actions_internal.h"
#include "pdata/utf8.h"
#include "util/digest.h"
#include "util/regex/regex.h"

/* What a batch's context may take: it is cut from client metadata, which has a limit of its own. */
#define ARENA_LIMIT_BYTES (1u << 20)

/* ---- the client's context ---- */

static bool is_of_source(const struct hf_meta_entry *entry, const struct hf_source *source)
{
    if (entry->kind != source->kind) {
        return false;
    }
    switch (source->kind) {
    case HF_META_PEER:
        return true;
    case HF_META_AUTH:
        return hf_slice_is(entry->key, source->key);
    default:
        return entry->key.size == strlen(source->key) &&
               strncasecmp((const char *)entry->key.data, source->key, entry->key.size) == 0;
    }
}

/* "10.0.0.7:51234" and "[::1]:51234" without the port and the brackets; others as they are. */
static struct hf_slice address_of(struct hf_slice peer)
{
    const uint8_t *colon = peer.size == 0 ? NULL : memrchr(peer.data, ':', peer.size);
    if (colon == NULL) {
        return peer;
    }
    struct hf_slice host = {peer.data, (size_t)(colon - peer.data)};
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']') {
        return (struct hf_slice){host.data + 1, host.size - 2};
    }
    return host;
}

/* All values of a source, joined by `;`. False: it has none. */
static bool join_values(struct hf_slice meta, const struct hf_source *source, struct hf_bytes *out,
                        enum hf_status *ret_status)
{
    struct hf_meta_entry entry;
    size_t cursor = 0;
    bool found = false;
    enum hf_status status = HF_OK;
    out->size = 0;
    while (status == HF_OK && hf_meta_next(meta, &cursor, &entry)) {
        if (!is_of_source(&entry, source)) {
            continue;
        }
        if (found) {
            status = hf_bytes_append(out, hf_slice_text(";"));
        }
        found = true;
        if (status == HF_OK) {
            status = hf_bytes_append(out, source->kind == HF_META_PEER ? address_of(entry.value)
                                                                       : entry.value);
        }
    }
    *ret_status = status;
    return found;
}

static enum hf_status look_up(struct hf_actions_run *run, size_t index, struct hf_slice meta)
{
    enum hf_status status;
    bool found = join_values(meta, &run->actions->sources[index], &run->text, &status);
    struct hf_slice text = hf_slice_of(run->text.data, run->text.size);
    /* A header may hold any bytes; an attribute may not. Such a value counts as not there. */
    if (status != HF_OK || !found || !hf_utf8_is_valid(text)) {
        return status;
    }
    const size_t overhead = 11; /* tag and length */
    uint8_t *room = hf_arena_take(&run->arena, text.size + overhead);
    if (room == NULL) {
        return HF_NOMEM;
    }
    struct hf_bytes bytes = {.data = room, .capacity = text.size + overhead};
    struct hf_wire_writer writer = {.out = &bytes};
    hf_wire_put_bytes(&writer, 1, text);
    run->context[index] = hf_slice_of(room, bytes.size);
    return hf_wire_status(&writer);
}

enum hf_status hf_actions_begin(const struct hf_actions *actions, struct hf_slice meta,
                                struct hf_actions_run *ret_run)
{
    struct hf_actions_run run = {.actions = actions, .arena = {.limit = ARENA_LIMIT_BYTES}};
    enum hf_status status = HF_OK;
    if (actions->source_count != 0) {
        run.context = calloc(actions->source_count, sizeof(*run.context));
        status = run.context != NULL ? HF_OK : HF_NOMEM;
    }
    for (size_t i = 0; i < actions->source_count && status == HF_OK; i++) {
        status = look_up(&run, i, meta);
    }
    if (status != HF_OK) {
        hf_actions_end(&run);
        return status;
    }
    *ret_run = run;
    return HF_OK;
}

void hf_actions_end(struct hf_actions_run *run)
{
    free(run->context);
    hf_arena_release(&run->arena);
    hf_bytes_release(&run->text);
}

/* ---- the actions ---- */

static bool source_value(const struct hf_actions_run *run, const struct hf_action *action,
                         const struct hf_attributes *attributes, struct hf_slice *ret_value)
{
    struct hf_slice value = action->value;
    if (action->has_source) {
        value = run->context[action->source];
    } else if (action->from_attribute.data != NULL) {
        const struct hf_attribute *from = hf_attributes_find(attributes, action->from_attribute);
        if (from != NULL) {
            *ret_value = from->value; /* which may be empty and have no data */
            return true;
        }
    }
    if (value.data == NULL) {
        value = action->fallback;
    }
    *ret_value = value;
    return value.data != NULL;
}

static void set(const struct hf_actions_run *run, const struct hf_action *action,
                struct hf_attributes *attributes)
{
    struct hf_slice value;
    if (!source_value(run, action, attributes, &value)) {
        return;
    }
    bool exists = hf_attributes_find(attributes, action->key) != NULL;
    if (action->kind == HF_ACTION_UPSERT || exists == (action->kind == HF_ACTION_UPDATE)) {
        hf_attributes_set(attributes, action->key, value);
    }
}

/* What a value is hashed as: a text's bytes; numbers and booleans as little-endian bytes. */
static struct hf_slice hashed_bytes(const struct hf_any *any, uint8_t *room)
{
    uint64_t bits = (uint64_t)any->integer;
    size_t size = sizeof(bits);
    switch (any->type) {
    case HF_ANY_STRING:
        return any->bytes;
    case HF_ANY_BOOL:
        size = 1;
        break;
    case HF_ANY_INT:
        break;
    case HF_ANY_DOUBLE:
        memcpy(&bits, &any->number, sizeof(bits));
        break;
    default:
        return HF_EMPTY_SLICE;
    }
    for (size_t i = 0; i < size; i++) {
        room[i] = (uint8_t)(bits >> (8 * i));
    }
    return hf_slice_of(room, size);
}

static void hash(const struct hf_attribute *attribute, struct hf_attributes *attributes)
{
    uint8_t room[8];
    char hex[HF_SHA256_HEX_SIZE];
    struct hf_any any = hf_any_read(attribute->value);
    struct hf_slice bytes = hashed_bytes(&any, room);
    struct hf_slice text = HF_EMPTY_SLICE; /* of what has no bytes, or cannot be hashed: hidden */
    if (bytes.size != 0 && hf_digest_sha256(bytes, hex) == HF_OK) {
        text = hf_slice_of(hex, sizeof(hex));
    }
    hf_attributes_set(attributes, attribute->key, hf_attributes_string(attributes, text));
}

static void hash_matching(const struct hf_action *action, struct hf_attributes *attributes)
{
    const struct hf_attribute *named =
        action->has_key ? hf_attributes_find(attributes, action->key) : NULL;
    if (named != NULL) {
        hash(named, attributes);
    }
    for (size_t i = 0; action->regex != NULL && i < attributes->count; i++) {
        if (hf_regex_matches(action->regex, attributes->items[i].key)) {
            hash(&attributes->items[i], attributes);
        }
    }
}

static void remove_matching(const struct hf_action *action, struct hf_attributes *attributes)
{
    if (action->has_key) {
        hf_attributes_remove(attributes, action->key);
    }
    for (size_t i = 0; action->regex != NULL && i < attributes->count;) {
        if (hf_regex_matches(action->regex, attributes->items[i].key)) {
            hf_attributes_remove(attributes, attributes->items[i].key);
        } else {
            i++;
        }
    }
}

static void extract(const struct hf_action *action, struct hf_attributes *attributes)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX];
    const struct hf_attribute *from = hf_attributes_find(attributes, action->key);
    struct hf_any any = from != NULL ? hf_any_read(from->value) : (struct hf_any){.type = 0};
    if (any.type != HF_ANY_STRING || !hf_regex_find(action->regex, any.bytes, groups)) {
        return;
    }
    for (size_t i = 0; i < hf_regex_group_count(action->regex); i++) {
        hf_attributes_set(attributes, hf_slice_text(hf_regex_group_name(action->regex, i + 1)),
                          hf_attributes_string(attributes, groups[i]));
    }
}

#define NUMBER_TEXT_MAX 400 /* longer texts are not taken for numbers */

static bool number_text(struct hf_slice text, char *room)
{
    if (text.size == 0 || text.size >= NUMBER_TEXT_MAX || text.data[0] <= ' ' ||
        memchr(text.data, '\0', text.size) != NULL || memchr(text.data, '(', text.size) != NULL) {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    return true;
}

static bool to_int(const struct hf_any *any, int64_t *ret_integer)
{
    char text[NUMBER_TEXT_MAX];
    char *end = NULL;
    switch (any->type) {
    case HF_ANY_BOOL:
        *ret_integer = any->integer;
        return true;
    case HF_ANY_DOUBLE:
        /* The bounds are doubles exactly; NaN fails both. */
        if (!(any->number >= -0x1p63 && any->number < 0x1p63)) {
            return false;
        }
        *ret_integer = (int64_t)any->number;
        return true;
    case HF_ANY_STRING:
        if (!number_text(any->bytes, text)) {
            return false;
        }
        errno = 0;
        *ret_integer = strtoll(text, &end, 10);
        return errno == 0 && end != text && *end == '\0';
    default:
        return false;
    }
}

static bool to_double(const struct hf_any *any, double *ret_number)
{
    char text[NUMBER_TEXT_MAX];
    char *end = NULL;
    switch (any->type) {
    case HF_ANY_BOOL:
    case HF_ANY_INT:
        *ret_number = (double)any->integer;
        return true;
    case HF_ANY_STRING:
        if (!number_text(any->bytes, text)) {
            return false;
        }
        errno = 0;
        *ret_number = strtod(text, &end);
        /* Too small is as good as zero; too large is no number. */
        return end != text && *end == '\0' && (errno == 0 || (*ret_number > -1 && *ret_number < 1));
    default:
        return false;
    }
}

static void convert(struct hf_actions_run *run, const struct hf_action *action,
                    struct hf_attributes *attributes)
{
    const struct hf_attribute *attribute = hf_attributes_find(attributes, action->key);
    struct hf_any any =
        attribute != NULL ? hf_any_read(attribute->value) : (struct hf_any){.type = HF_ANY_EMPTY};
    int64_t integer;
    double number;
    if (attribute == NULL || any.type == action->to) {
        return;
    }
    if (action->to == HF_ANY_STRING) {
        run->text.size = 0;
        if (hf_any_text(attribute->value, &run->text) != HF_OK) {
            attributes->failed = true;
            return;
        }
        hf_attributes_set(
            attributes, action->key,
            hf_attributes_string(attributes, hf_slice_of(run->text.data, run->text.size)));
    } else if (action->to == HF_ANY_INT && to_int(&any, &integer)) {
        hf_attributes_set(attributes, action->key, hf_attributes_int(attributes, integer));
    } else if (action->to == HF_ANY_DOUBLE && to_double(&any, &number)) {
        hf_attributes_set(attributes, action->key, hf_attributes_double(attributes, number));
    }
}

void hf_actions_apply(struct hf_actions_run *run, struct hf_attributes *attributes)
{
    for (size_t i = 0; i < run->actions->count; i++) {
        const struct hf_action *action = &run->actions->items[i];
        switch (action->kind) {
        case HF_ACTION_INSERT:
        case HF_ACTION_UPDATE:
        case HF_ACTION_UPSERT:
            set(run, action, attributes);
            break;
        case HF_ACTION_DELETE:
            remove_matching(action, attributes);
            break;
        case HF_ACTION_HASH:
            hash_matching(action, attributes);
            break;
        case HF_ACTION_EXTRACT:
            extract(action, attributes);
            break;
        case HF_ACTION_CONVERT:
            convert(run, action, attributes);
            break;
        }
    }
}
