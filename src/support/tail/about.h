/*
 * about: what entries may tell of the file that they are from: its name, path, owner and
 * permissions. Any thread; no state.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct hf_tail_about {
    bool name, path, name_resolved, path_resolved, owner, group, permissions;
};

/* Calls `add` with each attribute that is wanted and known, until it fails. */
HF_MUST_USE enum hf_status hf_tail_about_each(const struct hf_tail_about *wanted, const char *path,
                                              enum hf_status (*add)(void *user, const char *key,
                                                                    const char *text),
                                              void *user);
