/*
 * filelog_config: the keys of the filelog receiver.
 */
#pragma once

#include <holdfast/field.h>

#include "support/lines/log_entries.h"
#include "support/tail/tail.h"

struct filelog_config {
    struct hf_tail_config tail;
    const char *id, *output, *storage;
    bool include_name, include_path, include_name_resolved, include_path_resolved;
    bool include_owner, include_group, include_permissions, include_number, include_offset;
    struct hf_log_entries_config entries;
    struct hf_value header_operators;
    struct {
        bool enabled;
        uint64_t initial_ns, max_ns, max_elapsed_ns;
    } retry;
};

extern const struct hf_field filelog_fields[];
