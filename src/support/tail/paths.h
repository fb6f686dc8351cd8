/*
 * paths: the files that `include` names and `exclude` does not: patterns of whole paths with *, ?,
 * [...], {a,b} and ** for any number of folders. Symbolic links are followed, but not by **. Owned
 * by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

struct hf_paths {
    char **items; /* sorted, each once */
    size_t count, capacity;
};

/* Called for each folder that a pattern looks into, existing or not. */
typedef void hf_paths_folder(void *user, const char *folder);

/* All files that are there now; a folder that cannot be read has none. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_paths_find(const struct hf_string_list *include,
                                         const struct hf_string_list *exclude,
                                         hf_paths_folder *folder, void *user,
                                         struct hf_paths *ret_paths);
void hf_paths_release(struct hf_paths *paths);

/* Does the whole path match the pattern? */
bool hf_paths_match(const char *pattern, const char *path);

/* NULL for a pattern that can be used, else what is wrong with it. */
const char *hf_paths_check(const char *pattern);
