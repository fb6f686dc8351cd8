#include "about.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOKUP_BYTES 4096u

struct sink {
    enum hf_status (*add)(void *user, const char *key, const char *text);
    void *user;
};

static enum hf_status add(const struct sink *sink, bool wanted, const char *key, const char *text)
{
    return wanted ? sink->add(sink->user, key, text) : HF_OK;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static enum hf_status add_resolved(const struct sink *sink, const struct hf_tail_about *wanted,
                                   const char *path)
{
    char resolved[PATH_MAX];
    if ((!wanted->name_resolved && !wanted->path_resolved) || realpath(path, resolved) == NULL) {
        return HF_OK;
    }
    enum hf_status status =
        add(sink, wanted->name_resolved, "log.file.name_resolved", name_of(resolved));
    return status == HF_OK ? add(sink, wanted->path_resolved, "log.file.path_resolved", resolved)
                           : status;
}

static enum hf_status add_owner(const struct sink *sink, const struct hf_tail_about *wanted,
                                const char *path)
{
    struct stat about;
    char buffer[LOOKUP_BYTES], permissions[8];
    struct passwd user, *found_user = NULL;
    struct group group, *found_group = NULL;
    if ((!wanted->owner && !wanted->group && !wanted->permissions) || stat(path, &about) != 0) {
        return HF_OK;
    }
    enum hf_status status = HF_OK;
    if (wanted->owner &&
        getpwuid_r(about.st_uid, &user, buffer, sizeof(buffer), &found_user) == 0 &&
        found_user != NULL) {
        status = add(sink, true, "log.file.owner.name", user.pw_name);
    }
    if (status == HF_OK && wanted->group &&
        getgrgid_r(about.st_gid, &group, buffer, sizeof(buffer), &found_group) == 0 &&
        found_group != NULL) {
        status = add(sink, true, "log.file.owner.group.name", group.gr_name);
    }
    snprintf(permissions, sizeof(permissions), "%03o", (unsigned)about.st_mode & 0777u);
    return status == HF_OK ? add(sink, wanted->permissions, "log.file.permissions", permissions)
                           : status;
}

enum hf_status hf_tail_about_each(const struct hf_tail_about *wanted, const char *path,
                                  enum hf_status (*add_one)(void *user, const char *key,
                                                            const char *text),
                                  void *user)
{
    const struct sink sink = {add_one, user};
    enum hf_status status = add(&sink, wanted->name, "log.file.name", name_of(path));
    if (status == HF_OK) {
        status = add(&sink, wanted->path, "log.file.path", path);
    }
    if (status == HF_OK) {
        status = add_resolved(&sink, wanted, path);
    }
    return status == HF_OK ? add_owner(&sink, wanted, path) : status;
}
