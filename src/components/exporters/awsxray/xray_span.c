#include "xray_span.h"

#include <stdio.h>
#include <string.h>

#include "bulk/pair.h"
#include "pdata/any.h"
#include "pdata/json_value.h"
#include "util/hash.h"

enum hf_status xray_span_read(struct xray_span *span)
{
    struct hf_wire wire = hf_wire_of(span->bytes);
    struct hf_slice pair;
    size_t room = 0;
    while (hf_wire_each(&wire, HF_BULK_SPAN_ATTRIBUTES, &pair)) {
        room++;
    }
    span->attributes = hf_arena_take(span->arena, (room + 1) * sizeof(*span->attributes));
    span->count = 0;
    if (span->attributes == NULL) {
        return HF_NOMEM;
    }
    wire = hf_wire_of(span->bytes);
    while (hf_wire_each(&wire, HF_BULK_SPAN_ATTRIBUTES, &pair)) {
        struct xray_attribute *made = &span->attributes[span->count];
        *made = (struct xray_attribute){.is_taken = false};
        span->count += hf_bulk_pair_read(pair, &made->key, &made->value) ? 1 : 0;
    }
    return HF_OK;
}

struct xray_attribute *xray_find(const struct xray_span *span, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < span->count; i++) {
        struct xray_attribute *one = &span->attributes[i];
        if (one->key.size == size && memcmp(one->key.data, key, size) == 0) {
            return one;
        }
    }
    return NULL;
}

struct hf_slice xray_string(struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    return any.type == HF_ANY_STRING && any.bytes.size != 0 ? any.bytes : hf_slice_text("");
}

struct hf_slice xray_text(const struct xray_span *span, const char *key)
{
    const struct xray_attribute *found = xray_find(span, key);
    return found != NULL ? xray_string(found->value) : HF_EMPTY_SLICE;
}

struct hf_slice xray_resource_text(const struct xray_span *span, const char *key)
{
    struct hf_slice value;
    return hf_bulk_pair_find(span->resource, HF_BULK_RESOURCE_ATTRIBUTES, key, &value)
               ? xray_string(value)
               : HF_EMPTY_SLICE;
}

bool xray_is_aws_sdk(const struct xray_span *span)
{
    return hf_slice_is(xray_text(span, "rpc.system"), "aws-api");
}

void xray_make_id(struct xray_span *span, char ret_id[XRAY_ID_SIZE + 1])
{
    struct hf_hash hash = hf_hash_pair(span->span.trace_id, span->span.span_id);
    hash = hf_hash_mix(hash, (struct hf_hash){span->made_ids++, span->role});
    snprintf(ret_id, XRAY_ID_SIZE + 1, "%016llx", (unsigned long long)(hash.low | 1));
}

void xray_put_text(struct hf_json_writer *writer, const char *key, struct hf_slice text)
{
    if (text.size != 0) {
        hf_json_write_key(writer, hf_slice_text(key));
        hf_json_write_text(writer, text);
    }
}

void xray_put_or_null(struct hf_json_writer *writer, const char *key, struct hf_slice text)
{
    hf_json_write_key(writer, hf_slice_text(key));
    if (text.size != 0) {
        hf_json_write_text(writer, text);
    } else {
        hf_json_write_null(writer);
    }
}

void xray_put_bool(struct hf_json_writer *writer, const char *key, bool value)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_bool(writer, value);
}

void xray_put_number(struct hf_json_writer *writer, const char *key, double value)
{
    char room[HF_JSON_DIGITS_MAX];
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_made(writer, hf_slice_of(room, hf_json_print_double(value, room)));
}
