/*
 * component_fields: all keys of a component. Those that belong to the framework, as the delivery
 * keys of every exporter, stand in front of the component's own, and their struct stands behind the
 * component's in the same block of memory.
 */
#pragma once

#include <holdfast/component.h>

#include "load_memory.h"

struct hf_delivery_config;

/* Bytes of the block. */
size_t hf_component_block_size(const struct hf_component *component);

/* The delivery's struct in a block; NULL: the component has no delivery keys. */
const struct hf_delivery_config *hf_component_delivery(const struct hf_component *component,
                                                       const void *block);

/* The table of the block; NULL when there are no keys, or no memory. */
const struct hf_field *hf_component_fields(struct hf_config_memory *memory,
                                           const struct hf_component *component);
