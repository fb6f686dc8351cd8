/*
 * journald_config: the keys of the journald receiver.
 */
#pragma once

#include <holdfast/field.h>

#include "support/lines/log_entries.h"

struct journald_config {
    const char *directory, *name_space, *root, *grep, *priority;
    struct hf_string_list files, units, identifiers;
    struct hf_value matches; /* a list of maps */
    int64_t start_at;        /* 0: end, 1: beginning */
    bool is_dmesg, merges, converts_bytes, converts_names, keeps_original;
    struct hf_log_entries_config entries;
};

extern const struct hf_field journald_fields[];
const char *journald_check(const void *config);

/* "info", "4", "err..warning": the numbers of both ends. False: it is none. */
bool journald_priorities(const char *text, int *ret_first, int *ret_last);
