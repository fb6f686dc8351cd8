#include "component_fields.h"

#include <stdalign.h>
#include <string.h>

#include "util/delivery_config.h"

#define DELIVERY_FIELDS 3

static bool has_delivery(const struct hf_component *component)
{
    return component->exporter != NULL && !component->exporter->has_no_delivery_keys;
}

static size_t delivery_offset(const struct hf_component *component)
{
    size_t align = alignof(max_align_t);
    return (component->config_size + align - 1) / align * align;
}

size_t hf_component_block_size(const struct hf_component *component)
{
    return has_delivery(component) ? delivery_offset(component) + sizeof(struct hf_delivery_config)
                                   : component->config_size;
}

const struct hf_delivery_config *hf_component_delivery(const struct hf_component *component,
                                                       const void *block)
{
    return has_delivery(component)
               ? (const void *)((const char *)block + delivery_offset(component))
               : NULL;
}

static void put_delivery_fields(const struct hf_component *component, struct hf_field *fields)
{
    const char *timeout = component->exporter->timeout;
    memcpy(fields, hf_delivery_fields, DELIVERY_FIELDS * sizeof(*fields));
    for (size_t i = 0; i < DELIVERY_FIELDS; i++) {
        fields[i].offset += delivery_offset(component);
    }
    if (timeout != NULL) {
        fields[0].default_text = timeout;
    }
}

const struct hf_field *hf_component_fields(struct hf_config_memory *memory,
                                           const struct hf_component *component)
{
    size_t count = 0;
    if (!has_delivery(component)) {
        return component->fields;
    }
    while (component->fields != NULL && component->fields[count].type != HF_FIELD_END) {
        count++;
    }
    struct hf_field *fields = hf_config_array(memory, DELIVERY_FIELDS + count + 1, sizeof(*fields));
    if (fields != NULL) {
        put_delivery_fields(component, fields);
        if (count != 0) {
            memcpy(fields + DELIVERY_FIELDS, component->fields, count * sizeof(*fields));
        }
        fields[DELIVERY_FIELDS + count].type = HF_FIELD_END;
    }
    return fields;
}
