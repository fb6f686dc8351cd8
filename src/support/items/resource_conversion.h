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
/* The same without the older keys: those of resource_constant_labels. */
extern const struct hf_field hf_resource_constant_fields[];

/* The two rows of an exporter of Prometheus' formats, whose configuration has both structs. */
/* clang-format off */
#define HF_RESOURCE_LABEL_FIELDS(conversion_at, constant_at)                                       \
    {.key = "resource_to_telemetry_conversion",                                                    \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = (conversion_at),                                                                    \
     .inner = hf_resource_conversion_fields,                                                       \
     .help = "Resource attributes as labels of every series; over those of the point."},           \
    {.key = "resource_constant_labels",                                                            \
     .type = HF_FIELD_STRUCT,                                                                      \
     .offset = (constant_at),                                                                      \
     .inner = hf_resource_constant_fields,                                                         \
     .help = "The newer name of resource_to_telemetry_conversion."}
/* clang-format on */

/* NULL or a sentence. */
const char *hf_resource_conversion_check(const struct hf_resource_conversion *conversion);
/* The one that counts: the newer name when it is on. */
const struct hf_resource_conversion *
hf_resource_labels_of(const struct hf_resource_conversion *conversion,
                      const struct hf_resource_conversion *constant);
/* service.name, service.namespace or service.instance.id: what job and instance are made of. */
bool hf_is_service_identity(struct hf_slice key);
/* The same of both keys. */
const char *hf_resource_labels_check(const struct hf_resource_conversion *conversion,
                                     const struct hf_resource_conversion *constant);
/* Is any of them converted? */
bool hf_resource_conversion_is_on(const struct hf_resource_conversion *conversion);
bool hf_resource_conversion_takes(const struct hf_resource_conversion *conversion,
                                  struct hf_slice key);
