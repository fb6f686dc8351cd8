#include "filelog_attributes.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_BYTES ((size_t)256 * 1024)
#define LOOKUP_BYTES 4096u

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

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static enum hf_status set(struct filelog_file *file, bool wanted, const char *key, const char *text)
{
    if (!wanted) {
        return HF_OK;
    }
    struct hf_slice copy = hf_log_copy_text(&file->arena, hf_slice_text(text));
    return copy.data == NULL ? HF_NOMEM
                             : hf_log_map_set(&file->arena, file->attributes, hf_slice_text(key),
                                              hf_log_string(copy));
}

static enum hf_status set_resolved(struct filelog_file *file, const struct filelog_config *config,
                                   const char *path)
{
    if (!config->include_name_resolved && !config->include_path_resolved) {
        return HF_OK;
    }
    char resolved[PATH_MAX];
    if (realpath(path, resolved) == NULL) {
        return HF_OK;
    }
    enum hf_status status =
        set(file, config->include_name_resolved, "log.file.name_resolved", name_of(resolved));
    return status == HF_OK
               ? set(file, config->include_path_resolved, "log.file.path_resolved", resolved)
               : status;
}

static enum hf_status set_owner(struct filelog_file *file, const struct filelog_config *config,
                                const char *path)
{
    struct stat about;
    char buffer[LOOKUP_BYTES], permissions[8];
    struct passwd user, *found_user = NULL;
    struct group group, *found_group = NULL;
    if ((!config->include_owner && !config->include_group && !config->include_permissions) ||
        stat(path, &about) != 0) {
        return HF_OK;
    }
    enum hf_status status = HF_OK;
    if (config->include_owner &&
        getpwuid_r(about.st_uid, &user, buffer, sizeof(buffer), &found_user) == 0 &&
        found_user != NULL) {
        status = set(file, true, "log.file.owner.name", user.pw_name);
    }
    if (status == HF_OK && config->include_group &&
        getgrgid_r(about.st_gid, &group, buffer, sizeof(buffer), &found_group) == 0 &&
        found_group != NULL) {
        status = set(file, true, "log.file.owner.group.name", group.gr_name);
    }
    snprintf(permissions, sizeof(permissions), "%03o", (unsigned)about.st_mode & 0777u);
    return status == HF_OK
               ? set(file, config->include_permissions, "log.file.permissions", permissions)
               : status;
}

enum hf_status filelog_file_name(struct filelog_file *file, const struct filelog_config *config,
                                 const char *path)
{
    file->is_renamed = false;
    if (file->attributes == NULL) {
        file->attributes = hf_log_map_new(&file->arena, 4);
    }
    if (file->attributes == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = set(file, config->include_name, "log.file.name", name_of(path));
    if (status == HF_OK) {
        status = set(file, config->include_path, "log.file.path", path);
    }
    if (status == HF_OK) {
        status = set_resolved(file, config, path);
    }
    return status == HF_OK ? set_owner(file, config, path) : status;
}

enum hf_status filelog_file_add(struct filelog_file *file, const struct hf_log_map *attributes)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < attributes->count && status == HF_OK; i++) {
        const struct hf_log_pair *pair = &attributes->pairs[i];
        struct hf_slice key = hf_log_copy_text(&file->arena, pair->key);
        struct hf_log_value value;
        status =
            key.data != NULL ? hf_log_value_copy(&file->arena, &pair->value, &value) : HF_NOMEM;
        if (status == HF_OK) {
            status = hf_log_map_set(&file->arena, file->attributes, key, value);
        }
    }
    return status;
}
