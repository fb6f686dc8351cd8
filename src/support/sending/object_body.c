#include "object_body.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pdata/any.h"
#include "pdata/any_make.h"
#include "pdata/attributes.h"
#include "pdata/document.h"
#include "pdata/json.h"
#include "pdata/json_write.h"
#include "pdata/message.h"
#include "pdata/walk.h"
#include "util/time/clock.h"

#define WHY_MAX 256

const char *const hf_object_formats[HF_OBJECT_FORMAT_COUNT + 1] = {"otlp_json", "otlp_proto",
                                                                   "sumo_ic", "body", NULL};

const char *hf_object_extension(enum hf_object_format format)
{
    static const char *const extensions[HF_OBJECT_FORMAT_COUNT] = {
        [HF_OBJECT_OTLP_JSON] = "json",
        [HF_OBJECT_OTLP_PROTO] = "binpb",
        [HF_OBJECT_SUMO_IC] = "json",
        [HF_OBJECT_BODY] = "txt",
    };
    return extensions[format];
}

bool hf_object_is_for_logs_only(enum hf_object_format format)
{
    return format == HF_OBJECT_SUMO_IC || format == HF_OBJECT_BODY;
}

/* Field numbers of OTLP. */
enum { RESOURCE_ATTRIBUTES = 1, RECORD_BODY = 5, RECORD_ATTRIBUTES = 6, RECORD_OBSERVED = 11 };

static enum hf_status write_bodies(struct hf_document *document, struct hf_bytes *out)
{
    struct hf_place place = {.document = document};
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_place_next_item(&place)) {
        status = hf_any_text(hf_message_any(place.item, RECORD_BODY), out);
        status = status == HF_OK ? hf_bytes_append(out, hf_slice_text("\n")) : status;
    }
    return status;
}

/* ---- Sumo Logic ---- */

static const char *const sources[] = {"_sourceCategory", "_sourceHost", "_sourceName"};
enum { SOURCE_CATEGORY = 0, SOURCE_HOST, SOURCE_NAME, SOURCE_COUNT };

struct sumo_resource {
    struct hf_slice values[SOURCE_COUNT]; /* as AnyValue */
    struct hf_slice fields;               /* its other attributes, as a map */
};

/* The attributes but for some keys, and one more pair, as a map. */
static struct hf_slice map_of(struct hf_any_maker *maker, const struct hf_attributes *attributes,
                              const char *const *but, size_t but_count,
                              const struct hf_any_pair *more)
{
    size_t count = 0, all = attributes != NULL ? attributes->count : 0;
    struct hf_any_pair *pairs = hf_arena_take(maker->arena, (all + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        maker->failed = true;
        return HF_EMPTY_SLICE;
    }
    for (size_t i = 0; i < all; i++) {
        bool is_left_out = more != NULL && hf_slice_equal(attributes->items[i].key, more->key);
        for (size_t j = 0; j < but_count; j++) {
            is_left_out = is_left_out || hf_slice_is(attributes->items[i].key, but[j]);
        }
        if (!is_left_out) {
            pairs[count++] =
                (struct hf_any_pair){attributes->items[i].key, attributes->items[i].value};
        }
    }
    if (more != NULL) {
        pairs[count++] = *more;
    }
    return hf_any_make_map(maker, pairs, count);
}

static enum hf_status read_resource(struct hf_any_maker *maker, struct hf_message *resource,
                                    struct sumo_resource *ret, char *reterr)
{
    const struct hf_attributes *attributes = hf_message_attributes(resource, RESOURCE_ATTRIBUTES);
    for (size_t i = 0; i < SOURCE_COUNT; i++) {
        const struct hf_attribute *found =
            attributes != NULL ? hf_attributes_find(attributes, hf_slice_text(sources[i])) : NULL;
        if (found == NULL) {
            snprintf(reterr, WHY_MAX, "%s attribute does not exist", sources[i]);
            return HF_INVALID;
        }
        ret->values[i] = found->value;
    }
    ret->fields = map_of(maker, attributes, sources, SOURCE_COUNT, NULL);
    return maker->failed ? HF_NOMEM : HF_OK;
}

/* As Go prints a time: 2006-01-02 15:04:05.999999999 +0000 UTC, the fraction without zeros. */
static void put_date(struct hf_json_writer *writer, uint64_t time_ns)
{
    char text[64], fraction[16] = "";
    time_t seconds = (time_t)(time_ns / HF_NS_PER_S);
    struct tm parts;
    if (time_ns % HF_NS_PER_S != 0) {
        int size = snprintf(fraction, sizeof(fraction), ".%09u", (unsigned)(time_ns % HF_NS_PER_S));
        while (size > 0 && fraction[size - 1] == '0') {
            fraction[--size] = '\0';
        }
    }
    gmtime_r(&seconds, &parts);
    size_t size = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(text + size, sizeof(text) - size, "%s +0000 UTC", fraction);
    hf_json_write_text(writer, hf_slice_text(text));
}

/* A value as text, in quotes. */
static enum hf_status put_source(struct hf_json_writer *writer, struct hf_slice value)
{
    struct hf_bytes text = {0};
    enum hf_status status = hf_any_text(value, &text);
    hf_json_write_text(writer, hf_slice_of(text.data, text.size));
    hf_bytes_release(&text);
    return status;
}

static enum hf_status write_sumo_record(struct hf_any_maker *maker, struct hf_message *record,
                                        const struct sumo_resource *resource, struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    const struct hf_any_pair body = {hf_slice_text("log"), hf_message_any(record, RECORD_BODY)};
    struct hf_slice message =
        map_of(maker, hf_message_attributes(record, RECORD_ATTRIBUTES), NULL, 0, &body);
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "date");
    put_date(&writer, hf_message_u64(record, RECORD_OBSERVED));
    HF_JSON_WRITE_KEY(&writer, "sourceName");
    enum hf_status status = put_source(&writer, resource->values[SOURCE_NAME]);
    HF_JSON_WRITE_KEY(&writer, "sourceHost");
    status = status == HF_OK ? put_source(&writer, resource->values[SOURCE_HOST]) : status;
    HF_JSON_WRITE_KEY(&writer, "sourceCategory");
    status = status == HF_OK ? put_source(&writer, resource->values[SOURCE_CATEGORY]) : status;
    HF_JSON_WRITE_KEY(&writer, "fields");
    status = status == HF_OK ? hf_any_text(resource->fields, out) : status;
    writer.behind_value = true;
    HF_JSON_WRITE_KEY(&writer, "message");
    status = status == HF_OK ? hf_any_text(message, out) : status;
    hf_json_write_close(&writer, '}');
    hf_json_write_bytes(&writer, "\n", 1);
    status = status == HF_OK ? hf_json_write_status(&writer) : status;
    return maker->failed ? HF_NOMEM : status;
}

static enum hf_status write_sumo(struct hf_document *document, struct hf_bytes *out, char *reterr)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_place place = {.document = document};
    struct sumo_resource resource = {.fields = HF_EMPTY_SLICE};
    const struct hf_message *group = NULL;
    enum hf_status status = HF_OK;
    while (status == HF_OK && hf_place_next_item(&place)) {
        if (place.resource_group != group) {
            group = place.resource_group;
            status = read_resource(&maker, hf_place_resource(&place), &resource, reterr);
        }
        if (status == HF_OK) {
            status = write_sumo_record(&maker, place.item, &resource, out);
        }
    }
    return status;
}

enum hf_status hf_object_write(enum hf_object_format format, enum hf_signal signal,
                               struct hf_slice raw, struct hf_bytes *out, char *reterr)
{
    if (format == HF_OBJECT_OTLP_PROTO) {
        return hf_bytes_append(out, raw);
    }
    if (format == HF_OBJECT_OTLP_JSON) {
        return hf_json_from_proto(signal, raw, out);
    }
    struct hf_document *document = hf_document_borrow(signal, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status =
        format == HF_OBJECT_BODY ? write_bodies(document, out) : write_sumo(document, out, reterr);
    status = status == HF_OK ? hf_document_status(document) : status;
    hf_document_return(document);
    return status;
}

enum hf_status hf_object_build(struct hf_payload *payload, enum hf_object_format format,
                               const struct hf_export *export, enum hf_coding coding, char *reterr)
{
    struct hf_slice raw;
    switch (format) {
    case HF_OBJECT_OTLP_PROTO:
        return hf_payload_build(payload, export->bodies, export->body_count, coding, 0, true);
    case HF_OBJECT_OTLP_JSON:
        return hf_payload_build_json(payload, export->signal, export->bodies, export->body_count,
                                     coding, 0);
    default:
        break;
    }
    enum hf_status status = hf_payload_read(payload, export->bodies, export->body_count, &raw);
    if (status == HF_OK) {
        status = hf_object_write(format, export->signal, raw, &payload->bytes, reterr);
    }
    return status == HF_OK ? hf_payload_seal(payload, coding, 0) : status;
}
