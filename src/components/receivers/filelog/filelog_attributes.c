#include "filelog_attributes.h"

#include <stdlib.h>

#include "support/tail/about.h"

#define FILE_BYTES ((size_t)256 * 1024)

struct filelog_file *filelog_file_new(const struct hf_tail_file *seen)
{
    struct filelog_file *file = calloc(1, sizeof(*file));
    if (file != NULL) {
        file->id = seen->id;
        file->arena.limit = FILE_BYTES;
    }
    return file;
}

void filelog_file_free(struct filelog_file *file)
{
    if (file != NULL) {
        hf_arena_release(&file->arena);
        free(file);
    }
}

static enum hf_status set(void *user, const char *key, const char *text)
{
    struct filelog_file *file = user;
    struct hf_slice copy = hf_expr_copy_text(&file->arena, hf_slice_text(text));
    return copy.data == NULL ? HF_NOMEM
                             : hf_expr_map_set(&file->arena, file->attributes, hf_slice_text(key),
                                               hf_expr_string(copy));
}

enum hf_status filelog_file_name(struct filelog_file *file, const struct filelog_config *config,
                                 const char *path)
{
    file->is_renamed = false;
    if (file->attributes == NULL) {
        file->attributes = hf_expr_map_new(&file->arena, 4);
    }
    if (file->attributes == NULL) {
        return HF_NOMEM;
    }
    const struct hf_tail_about about = {.name = config->include_name,
                                        .path = config->include_path,
                                        .name_resolved = config->include_name_resolved,
                                        .path_resolved = config->include_path_resolved,
                                        .owner = config->include_owner,
                                        .group = config->include_group,
                                        .permissions = config->include_permissions};
    return hf_tail_about_each(&about, path, set, file);
}

enum hf_status filelog_file_add(struct filelog_file *file, const struct hf_expr_map *attributes)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < attributes->count && status == HF_OK; i++) {
        const struct hf_expr_pair *pair = &attributes->pairs[i];
        struct hf_slice key = hf_expr_copy_text(&file->arena, pair->key);
        struct hf_expr_value value;
        status =
            key.data != NULL ? hf_expr_value_copy(&file->arena, &pair->value, &value) : HF_NOMEM;
        if (status == HF_OK) {
            status = hf_expr_map_set(&file->arena, file->attributes, key, value);
        }
    }
    return status;
}
