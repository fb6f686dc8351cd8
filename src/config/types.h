/*
 * types: the components that are built in, by their kind and type. Immutable; any thread, but for
 * the report: the loading thread.
 */
#pragma once

#include "load.h"

/* By its type or another spelling of it. `all` ends with NULL, and may be NULL; NULL: none. */
const struct hf_component *hf_types_find(const struct hf_component *const *all, enum hf_kind kind,
                                         const char *type);

struct hf_types_unknown {
    enum hf_kind kind;
    const char *type, *id; /* of an id as written */
    struct hf_yaml_place place;
};

/* Reports a type that is not built in, with the nearest one that is. */
void hf_types_report(struct hf_load *load, const struct hf_key_path *path,
                     const struct hf_types_unknown *unknown);
