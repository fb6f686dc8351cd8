/*
 * config: the keys of receiver_creator. Immutable once loaded.
 */
#pragma once

#include <holdfast/field.h>

/* One receiver that may be started for an endpoint. */
struct creator_template {
    const char *rule;
    struct hf_value config;
    struct hf_string_map attributes;
};

/* The kinds of endpoints, in the order of their resource attributes below. */
enum {
    CREATOR_POD = 0,
    CREATOR_PORT,
    CREATOR_POD_CONTAINER,
    CREATOR_SERVICE,
    CREATOR_INGRESS,
    CREATOR_NODE,
    CREATOR_HOST_PORT,
    CREATOR_CONTAINER,
    CREATOR_TYPES
};
extern const char *const creator_types[]; /* "pod", ...; ends with NULL */

struct creator_discovery {
    bool enabled;
    struct hf_string_list ignored;
    struct hf_string_map annotations;
    struct hf_value filelog;
};

struct creator_config {
    struct hf_string_list observers;
    struct hf_struct_map templates; /* struct creator_template */
    struct hf_string_map attributes[CREATOR_TYPES];
    struct creator_discovery discovery;
};

/* The resource attributes of a type of endpoints when the configuration names no others: pairs of
 * key and expression, NULL at the end. */
const struct hf_string_pair *creator_default_attributes(unsigned type);

extern const struct hf_field creator_fields[];
const char *creator_check(const void *config);
