/*
 * remote_about: what is known of targets and families, from the request or from those before.
 */
#include <string.h>

#include "pdata/wire_find.h"
#include "remote_internal.h"

#define LITERAL(text) ((struct hf_slice){(const uint8_t *)(text), sizeof(text) - 1})

/* Of MetricMetadata, version 1; and of Metadata, version 2. */
enum { FAMILY_TYPE = 1, FAMILY_NAME = 2, FAMILY_HELP = 4, FAMILY_UNIT = 5 };
enum { METADATA_TYPE = 1, METADATA_HELP = 3, METADATA_UNIT = 4 };
/* Of a family that is remembered. */
enum { KEPT_TYPE = 1, KEPT_HELP = 2, KEPT_UNIT = 3 };

/* ---- what is remembered ---- */

uint64_t remote_target_key(struct hf_slice job, struct hf_slice instance)
{
    const struct hf_prom_label key = {job, instance};
    return hf_prom_label_hash(&key);
}

/* The labels of target_info, as they are kept. */
enum hf_status remote_keep_info(struct remote_work *work, struct remote_resource *resource)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    for (size_t i = 0; i < work->labels.count; i++) {
        const struct hf_prom_label *label = &work->labels.items[i];
        if (remote_is_attribute(label->name) && label->name.data[0] != '_') {
            struct hf_wire_message message = hf_wire_open(&writer, 1, label->value.size);
            hf_wire_put_bytes(&writer, KEPT_NAME, label->name);
            hf_wire_put_bytes(&writer, KEPT_VALUE, label->value);
            hf_wire_close(&writer, message);
        }
    }
    enum hf_status status = hf_wire_status(&writer);
    uint8_t *copy = status == HF_OK ? remote_take(work, bytes.size + 1) : NULL;
    if (copy != NULL && bytes.size != 0) {
        struct hf_slice text = hf_slice_of(memcpy(copy, bytes.data, bytes.size), bytes.size);
        resource->info = text;
        if (work->options->memory.targets != NULL) {
            hf_prom_memory_put(work->options->memory.targets,
                               remote_target_key(resource->job, resource->instance), text);
        }
    }
    hf_bytes_release(&bytes);
    return status == HF_OK && copy == NULL ? remote_no_room(work) : status;
}

enum hf_status remote_keep_family(struct remote_work *work, struct hf_slice family)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    struct hf_slice name = hf_wire_find_bytes(family, FAMILY_NAME);
    if (!hf_wire_is_whole(family)) {
        return remote_invalid(work, "the protobuf is malformed");
    }
    hf_wire_put_varint(&writer, KEPT_TYPE, hf_wire_find_bits(family, FAMILY_TYPE));
    hf_wire_put_bytes(&writer, KEPT_HELP, hf_wire_find_bytes(family, FAMILY_HELP));
    hf_wire_put_bytes(&writer, KEPT_UNIT, hf_wire_find_bytes(family, FAMILY_UNIT));
    enum hf_status status = hf_wire_status(&writer);
    if (status == HF_OK && name.size != 0) {
        hf_prom_memory_put(work->options->memory.families, hf_prom_hash(name, 0),
                           hf_slice_of(bytes.data, bytes.size));
    }
    hf_bytes_release(&bytes);
    return status;
}

static enum hf_expo_type type_of(uint64_t number)
{
    return number <= HF_EXPO_STATESET ? (enum hf_expo_type)number : HF_EXPO_UNKNOWN;
}

static enum hf_status find_family(struct remote_work *work, struct hf_slice name,
                                  struct remote_about *ret_about)
{
    struct hf_slice kept;
    enum hf_status status = hf_prom_memory_get(work->options->memory.families,
                                               hf_prom_hash(name, 0), &work->arena, &kept);
    ret_about->type = type_of(hf_wire_find_bits(kept, KEPT_TYPE));
    ret_about->help = hf_wire_find_bytes(kept, KEPT_HELP);
    ret_about->unit = hf_wire_find_bytes(kept, KEPT_UNIT);
    return status == HF_OK ? HF_OK : remote_no_room(work);
}

/* The family of a series of a histogram or summary has another name. */
static struct hf_slice family_name(struct hf_slice name)
{
    static const struct hf_slice suffixes[] = {LITERAL("_bucket"), LITERAL("_count"),
                                               LITERAL("_sum"), LITERAL("_total")};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (name.size > suffixes[i].size &&
            hf_prom_has_suffix(name, (const char *)suffixes[i].data, suffixes[i].size)) {
            return hf_slice_of(name.data, name.size - suffixes[i].size);
        }
    }
    return name;
}

/* ---- what is known of a series ---- */

enum hf_status remote_about_1(struct remote_work *work, struct hf_slice name,
                              struct remote_about *ret_about)
{
    *ret_about = (struct remote_about){0};
    if (work->options->memory.families == NULL) {
        return HF_OK;
    }
    enum hf_status status = find_family(work, name, ret_about);
    struct hf_slice family = family_name(name);
    if (status == HF_OK && ret_about->type == HF_EXPO_UNKNOWN && family.size != name.size) {
        status = find_family(work, family, ret_about);
        /* A gauge has no parts: "a_count" beside a gauge "a" is a metric of its own. */
        if (ret_about->type == HF_EXPO_GAUGE) {
            *ret_about = (struct remote_about){0};
        }
    }
    return status;
}

const char *remote_about_2(const struct remote_work *work, struct hf_slice series,
                           struct remote_about *ret_about)
{
    struct hf_slice metadata = hf_wire_find_bytes(series, SERIES_METADATA);
    uint64_t help = hf_wire_find_bits(metadata, METADATA_HELP);
    uint64_t unit = hf_wire_find_bits(metadata, METADATA_UNIT);
    *ret_about = (struct remote_about){.type = type_of(hf_wire_find_bits(metadata, METADATA_TYPE))};
    if (help >= work->symbol_count || unit >= work->symbol_count) {
        return help == 0 && unit == 0 ? NULL : "its help or unit refers to no symbol";
    }
    ret_about->help = work->symbols[help];
    ret_about->unit = work->symbols[unit];
    return NULL;
}
