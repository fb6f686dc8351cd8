#include "bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/digest.h"

void hf_bulk_source(const char *directory, const char *exporter,
                    char ret_source[HF_BULK_SOURCE_SIZE + 1])
{
    char host[256] = "", text[4096], hex[HF_SHA256_HEX_SIZE];
    if (gethostname(host, sizeof(host) - 1) != 0) {
        host[0] = '\0';
    }
    int size = snprintf(text, sizeof(text), "%s\n%s\n%s", host, directory != NULL ? directory : "",
                        exporter);
    size_t used = size > 0 && (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1;
    memset(hex, '0', sizeof(hex));
    if (hf_digest_sha256(hf_slice_of(text, used), hex) != HF_OK) {
        memset(hex, '0', sizeof(hex)); /* names are then told apart by time and number alone */
    }
    memcpy(ret_source, hex, HF_BULK_SOURCE_SIZE);
    ret_source[HF_BULK_SOURCE_SIZE] = '\0';
}

/* ---- names ---- */

/* FNV-1a: a short name of the queue, which a pipeline's id may be of any length. */
static uint32_t hash_queue(const char *queue)
{
    uint32_t hash = 2166136261u;
    for (; queue != NULL && *queue != '\0'; queue++) {
        hash = (hash ^ (uint8_t)*queue) * 16777619u;
    }
    return hash;
}

static void name_range(struct hf_bulk *bulk)
{
    bulk->prefix_size = 0;
    if (bulk->range >= bulk->export->range_count) {
        return;
    }
    const struct hf_export_range *range = &bulk->export->ranges[bulk->range];
    int size = snprintf(bulk->prefix, sizeof(bulk->prefix), "%s%08x-%llx-%llx-", bulk->source,
                        hash_queue(bulk->export->queue), (unsigned long long)range->sequence,
                        (unsigned long long)range->received_ns);
    bulk->prefix_size = size > 0 && (size_t)size < sizeof(bulk->prefix) ? (size_t)size : 0;
}

void hf_bulk_begin(struct hf_bulk *bulk, const struct hf_export *export, const char *source,
                   struct hf_bytes *out)
{
    bulk->writer = (struct hf_json_writer){.out = out};
    bulk->count = 0;
    bulk->tie_count = 0;
    bulk->item = UINT32_MAX; /* before the first */
    bulk->left = 0;
    bulk->left_out = 0;
    bulk->why = NULL;
    bulk->failed = false;
    bulk->export = export;
    bulk->range = 0;
    bulk->range_start = 0;
    snprintf(bulk->source, sizeof(bulk->source), "%s", source);
    name_range(bulk);
}

static void step_range(struct hf_bulk *bulk)
{
    const struct hf_export *export = bulk->export;
    while (bulk->range < export->range_count &&
           bulk->item - bulk->range_start >= export->ranges[bulk->range].count) {
        bulk->range_start += export->ranges[bulk->range].count;
        bulk->range++;
        name_range(bulk);
    }
}

bool hf_bulk_next_item(struct hf_bulk *bulk)
{
    if (bulk->bytes_max != 0 && bulk->count != 0 && bulk->writer.out->size >= bulk->bytes_max) {
        uint32_t behind = bulk->item + 1;
        bulk->left = bulk->export->items > behind ? bulk->export->items - behind : 0;
        return false;
    }
    bulk->item++;
    step_range(bulk);
    return true;
}

void hf_bulk_leave_out(struct hf_bulk *bulk, const char *why)
{
    bulk->left_out++;
    bulk->why = why;
}

uint64_t hf_bulk_received_ns(const struct hf_bulk *bulk)
{
    return bulk->range < bulk->export->range_count ? bulk->export->ranges[bulk->range].received_ns
                                                   : bulk->export->bodies[0].received_ns;
}

static size_t print_hex(uint32_t value, char *room)
{
    static const char digits[] = "0123456789abcdef";
    char reversed[8];
    size_t size = 0, written = 0;
    do {
        reversed[size++] = digits[value & 15];
        value >>= 4;
    } while (value != 0);
    while (size > 0) {
        room[written++] = reversed[--size];
    }
    return written;
}

struct hf_slice hf_bulk_id(struct hf_bulk *bulk, uint32_t part, char room[HF_BULK_ID_MAX])
{
    if (bulk->prefix_size == 0 || bulk->range >= bulk->export->range_count) {
        return HF_EMPTY_SLICE;
    }
    uint32_t place = bulk->export->ranges[bulk->range].first + (bulk->item - bulk->range_start);
    memcpy(room, bulk->prefix, bulk->prefix_size);
    size_t size = bulk->prefix_size;
    size += print_hex(place, room + size);
    if (part != 0) {
        room[size++] = '-';
        size += print_hex(part, room + size);
    }
    return hf_slice_of(room, size);
}

/* ---- documents ---- */

static void add_tie(struct hf_bulk *bulk, uint32_t document, uint32_t item)
{
    if (bulk->tie_count == bulk->tie_capacity) {
        size_t capacity = bulk->tie_capacity != 0 ? 2 * bulk->tie_capacity : 1024;
        struct hf_bulk_tie *ties = reallocarray(bulk->ties, capacity, sizeof(*ties));
        if (ties == NULL) {
            bulk->failed = true;
            return;
        }
        bulk->ties = ties;
        bulk->tie_capacity = capacity;
    }
    bulk->ties[bulk->tie_count++] = (struct hf_bulk_tie){document, item};
}

void hf_bulk_share_document(struct hf_bulk *bulk, uint32_t item)
{
    add_tie(bulk, bulk->count - 1, item);
}

void hf_bulk_begin_document_of(struct hf_bulk *bulk, uint32_t item,
                               const struct hf_bulk_action *action)
{
    struct hf_json_writer *writer = &bulk->writer;
    add_tie(bulk, bulk->count++, item);
    hf_json_write_open(writer, '{');
    hf_json_write_key(writer, hf_slice_text(action->verb));
    hf_json_write_open(writer, '{');
    HF_JSON_WRITE_KEY(writer, "_index");
    hf_json_write_text(writer, action->index);
    if (action->id.size != 0) {
        HF_JSON_WRITE_KEY(writer, "_id");
        hf_json_write_text(writer, action->id);
    }
    if (action->pipeline.size != 0) {
        HF_JSON_WRITE_KEY(writer, "pipeline");
        hf_json_write_text(writer, action->pipeline);
    }
    if (action->templates.size != 0) {
        HF_JSON_WRITE_KEY(writer, "dynamic_templates");
        hf_json_write_made(writer, action->templates);
    }
    if (action->needs_no_stream) {
        HF_JSON_WRITE_KEY(writer, "require_data_stream");
        hf_json_write_bool(writer, false);
    }
    hf_json_write_bytes(writer, "}}\n", 3);
}

void hf_bulk_begin_document(struct hf_bulk *bulk, const struct hf_bulk_action *action)
{
    hf_bulk_begin_document_of(bulk, bulk->item, action);
}

void hf_bulk_end_document(struct hf_bulk *bulk)
{
    hf_json_write_bytes(&bulk->writer, "\n", 1);
}

enum hf_status hf_bulk_status(const struct hf_bulk *bulk)
{
    return bulk->failed ? HF_NOMEM : hf_json_write_status(&bulk->writer);
}

void hf_bulk_release(struct hf_bulk *bulk)
{
    free(bulk->ties);
    *bulk = (struct hf_bulk){0};
}
