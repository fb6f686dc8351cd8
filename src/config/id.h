/*
 * id: the ids of components, and the words for their kinds. Loading thread.
 */
#pragma once

#include "load.h"

struct hf_kind_words {
    const char *section, *noun;
};
extern const struct hf_kind_words hf_kind_words[HF_KIND_COUNT];

/* An id as written: its type, and "type/name" without blanks. */
struct hf_config_id {
    const char *type, *text;
};
/* False: not an id, reported; or out of memory. */
HF_MUST_USE bool hf_config_id_read(struct hf_load *load, struct hf_yaml_place place,
                                   const struct hf_key_path *path, const char *text,
                                   struct hf_config_id *ret_id);
