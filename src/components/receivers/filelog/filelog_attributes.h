/*
 * filelog_attributes: what entries tell of their file. Owned by the receiver's thread.
 */
#pragma once

#include "filelog_config.h"
#include "logs/entry.h"

/* The attributes of one file, as its entries get them. */
struct filelog_file {
    struct hf_arena arena;
    struct hf_expr_map *attributes;
    uint64_t id;
    bool is_renamed; /* its attributes are made again when the next line comes */
};

struct filelog_file *filelog_file_new(const struct hf_tail_file *seen);
void filelog_file_free(struct filelog_file *file);

/* The file has another path: its attributes are made new; those of its header are kept. HF_NOMEM.
 */
HF_MUST_USE enum hf_status filelog_file_name(struct filelog_file *file,
                                             const struct filelog_config *config, const char *path);
/* Attributes that its header told. HF_NOMEM. */
HF_MUST_USE enum hf_status filelog_file_add(struct filelog_file *file,
                                            const struct hf_expr_map *attributes);
