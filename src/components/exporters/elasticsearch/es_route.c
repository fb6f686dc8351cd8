#include "es_route.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/wire_find.h"

#define NS_PER_S UINT64_C(1000000000)
#define DATE_MAX 128u

/* ---- attributes ---- */

static const struct special_name {
    const char *key;
    size_t offset;
    bool is_hidden;
} names[] = {
    {"elasticsearch.index", offsetof(struct es_special, index), true},
    {"data_stream.dataset", offsetof(struct es_special, dataset), true},
    {"data_stream.namespace", offsetof(struct es_special, namespace), true},
    {"data_stream.type", offsetof(struct es_special, type), true},
    {"elasticsearch.document_id", offsetof(struct es_special, id), true},
    {"elasticsearch.document_pipeline", offsetof(struct es_special, pipeline), true},
    {"elasticsearch.mapping.hints", offsetof(struct es_special, hints), true},
    {"elastic.mapping.mode", offsetof(struct es_special, mode), false},
};

/* Nearly no key begins with these letters, so that most are told by the first. */
static const struct special_name *find_name(struct hf_slice key)
{
    if (key.size < 16 || (key.data[0] != 'd' && key.data[0] != 'e')) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (hf_slice_is(key, names[i].key)) {
            return &names[i];
        }
    }
    return NULL;
}

bool es_special_is_hidden(struct hf_slice key)
{
    const struct special_name *name = find_name(key);
    return name != NULL && name->is_hidden;
}

struct es_special es_special_read(struct hf_slice owner, uint32_t number)
{
    struct es_special special = {0};
    struct hf_wire wire = hf_wire_of(owner);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire) && hf_wire_step(&wire, &field)) {
        struct hf_slice key, value;
        if (field.number != number || !hf_bulk_pair_read(field.bytes, &key, &value)) {
            continue;
        }
        const struct special_name *name = find_name(key);
        if (name != NULL) {
            memcpy((char *)&special + name->offset, &value, sizeof(value));
        }
    }
    return special;
}

/* ---- data streams ---- */

static struct hf_slice first_of(const struct es_route_input *input, size_t offset)
{
    const struct es_special *levels[] = {input->item, input->scope, input->resource};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        struct hf_slice value;
        memcpy(&value, (const char *)levels[i] + offset, sizeof(value));
        if (value.size != 0) {
            return value;
        }
    }
    return HF_EMPTY_SLICE;
}

/* Lower case, what no index may have as '_', at most 100 bytes with the suffix; not within a
 * character. */
static void put_part(struct hf_slice text, const char *refused, const char *suffix,
                     char room[ES_STREAM_PART_MAX])
{
    size_t most = ES_STREAM_PART_MAX - 1 - strlen(suffix), size = 0;
    for (size_t i = 0; i < text.size && size < most; i++) {
        char letter = (char)text.data[i];
        bool is_refused = letter == '\0' || strchr(refused, letter) != NULL;
        room[size++] = is_refused ? '_' : (char)tolower((unsigned char)letter);
    }
    while (size < text.size && size > 0 && (text.data[size] & 0xc0) == 0x80) {
        size--; /* the byte behind is the middle of a character */
    }
    snprintf(room + size, ES_STREAM_PART_MAX - size, "%s", suffix);
}

/* "…/receiver/hostmetricsreceiver/…" gives hostmetricsreceiver. */
static struct hf_slice receiver_of(struct hf_slice scope)
{
    static const char before[] = "/receiver/";
    static const char behind[] = "receiver";
    const uint8_t *at =
        scope.size != 0 ? memmem(scope.data, scope.size, before, sizeof(before) - 1) : NULL;
    if (at == NULL) {
        return HF_EMPTY_SLICE;
    }
    at += sizeof(before) - 1;
    size_t size = 0, left = (size_t)(scope.data + scope.size - at), whole = 0;
    while (size < left && (isalnum(at[size]) || at[size] == '_')) {
        size++;
        if (size >= sizeof(behind) - 1 &&
            memcmp(at + size - (sizeof(behind) - 1), behind, sizeof(behind) - 1) == 0) {
            whole = size;
        }
    }
    return hf_slice_of(at, whole);
}

static enum hf_status text_of(struct hf_slice value, const char *otherwise, struct hf_bytes *text)
{
    text->size = 0;
    return value.size != 0 ? hf_any_text(value, text)
                           : hf_bytes_append(text, hf_slice_text(otherwise));
}

static enum hf_status make_type(struct es_route *route, const struct es_route_input *input,
                                struct hf_bytes *text)
{
    route->type = input->type;
    struct hf_slice value = first_of(input, offsetof(struct es_special, type));
    if (input->mode != ES_BODYMAP || value.size == 0) {
        return HF_OK;
    }
    enum hf_status status = text_of(value, "", text);
    struct hf_slice type = hf_slice_of(text->data, text->size);
    if (status != HF_OK || (!hf_slice_is(type, "logs") && !hf_slice_is(type, "metrics"))) {
        return status == HF_OK ? HF_INVALID : status;
    }
    snprintf(route->type_room, sizeof(route->type_room), "%.*s", (int)type.size,
             (const char *)type.data);
    route->type = route->type_room;
    return HF_OK;
}

static enum hf_status make_stream(struct es_route *route, const struct es_route_input *input)
{
    struct hf_slice dataset = first_of(input, offsetof(struct es_special, dataset));
    struct hf_slice receiver = dataset.size == 0 ? receiver_of(input->scope_name) : HF_EMPTY_SLICE;
    struct hf_bytes text = {0};
    enum hf_status status = make_type(route, input, &text);
    if (status == HF_OK) {
        status = text_of(dataset, "generic", &text);
    }
    if (status == HF_OK) {
        put_part(receiver.size != 0 ? receiver : hf_slice_of(text.data, text.size),
                 "-\\/*?\"<>| ,#:", input->mode == ES_OTEL ? ".otel" : "", route->dataset);
        status = text_of(first_of(input, offsetof(struct es_special, namespace)), "default", &text);
    }
    if (status == HF_OK) {
        put_part(hf_slice_of(text.data, text.size), "\\/*?\"<>| ,#:", "", route->namespace);
        char index[3 * ES_STREAM_PART_MAX];
        snprintf(index, sizeof(index), "%s-%s-%s", route->type, route->dataset, route->namespace);
        route->is_stream = true;
        status = hf_bytes_append(&route->index, hf_slice_text(index));
    }
    hf_bytes_release(&text);
    return status;
}

static enum hf_status add_date(struct es_route *route, const struct es_route_input *input)
{
    char date[DATE_MAX];
    time_t seconds = (time_t)(input->received_ns / NS_PER_S);
    struct tm parts;
    size_t size = localtime_r(&seconds, &parts) != NULL
                      ? strftime(date, sizeof(date), input->logstash->date_format, &parts)
                      : 0;
    enum hf_status status =
        hf_bytes_append(&route->index, hf_slice_text(input->logstash->prefix_separator));
    return status == HF_OK ? hf_bytes_append(&route->index, hf_slice_of(date, size)) : status;
}

enum hf_status es_route_make(struct es_route *route, const struct es_route_input *input)
{
    enum hf_status status;
    struct hf_slice index = first_of(input, offsetof(struct es_special, index));
    route->index.size = 0;
    route->is_stream = false;
    if (input->fixed != NULL && input->fixed[0] != '\0') {
        status = hf_bytes_append(&route->index, hf_slice_text(input->fixed));
    } else if (index.size != 0) {
        status = hf_any_text(index, &route->index);
    } else {
        status = make_stream(route, input);
    }
    if (status == HF_OK && input->logstash->enabled) {
        status = add_date(route, input);
        route->is_stream = false;
    }
    return status;
}

void es_route_release(struct es_route *route)
{
    hf_bytes_release(&route->index);
}
