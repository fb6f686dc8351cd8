/*
 * resource_conversion: which attributes of a resource become attributes of its data points, by the
 * keys of resource_to_telemetry_conversion. Immutable after loading; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>

struct hf_resource_conversion {
    struct hf_string_list included, excluded; /* patterns with * and ? */
    bool enabled, exclude_service_attributes; /* the older keys */
};

extern const struct hf_field hf_resource_conversion_fields[];

/* NULL or a sentence. */
const char *hf_resource_conversion_check(const struct hf_resource_conversion *conversion);
/* Is any of them converted? */
bool hf_resource_conversion_is_on(const struct hf_resource_conversion *conversion);
bool hf_resource_conversion_takes(const struct hf_resource_conversion *conversion,
                                  struct hf_slice key);
