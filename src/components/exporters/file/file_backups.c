#include "file_backups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAMP_FORMAT "%Y-%m-%dT%H-%M-%S"
#define STAMP_SIZE 19u              /* 2026-01-31T12-00-00 */
#define MARK_SIZE (STAMP_SIZE + 4u) /* and .000: tells files of one second apart */
#define REASON "-size"              /* as newer releases of the Go collector have it */
#define MOVE_TRIES 1000u
#define LISTED_MAX 100000u

/* "dir/traces.json": where the name and its extension begin. */
struct parts {
    const char *name;
    size_t stem_size; /* of the name, without the extension */
    const char *extension;
};

static struct parts split(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct parts parts = {.name = slash != NULL ? slash + 1 : path};
    const char *dot = strrchr(parts.name, '.');
    parts.extension = dot != NULL && dot != parts.name ? dot : parts.name + strlen(parts.name);
    parts.stem_size = (size_t)(parts.extension - parts.name);
    return parts;
}

/* The directory part of `path`; "." when it has none. Cut to `size`. */
static void directory_of(const char *path, char *room, size_t size)
{
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    snprintf(room, size, "%.*s", length, slash == NULL ? "." : path);
}

static void write_stamp(const struct hf_file_backups *backups, time_t when,
                        char room[STAMP_SIZE + 1])
{
    struct tm parts = {0};
    if (backups->localtime) {
        localtime_r(&when, &parts);
    } else {
        gmtime_r(&when, &parts);
    }
    room[0] = 0;
    (void)strftime(room, STAMP_SIZE + 1, STAMP_FORMAT, &parts);
}

bool hf_file_backups_move(const struct hf_file_backups *backups)
{
    struct parts parts = split(backups->path);
    char stamp[STAMP_SIZE + 1];
    char target[PATH_MAX];
    write_stamp(backups, backups->now, stamp);
    for (unsigned i = 0; i < MOVE_TRIES; i++) {
        int size = snprintf(target, sizeof(target), "%.*s-%s.%03u" REASON "%s",
                            (int)(parts.name - backups->path + (ptrdiff_t)parts.stem_size),
                            backups->path, stamp, i, parts.extension);
        if (size < 0 || size >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return false;
        }
        if (renameat2(AT_FDCWD, backups->path, AT_FDCWD, target, RENAME_NOREPLACE) == 0 ||
            errno == ENOENT) {
            return true;
        }
        if (errno != EEXIST) {
            return false;
        }
    }
    return false;
}

/* Is it one of ours? Digits stand where the stamp has them; older ones have no reason. */
static bool is_backup(const struct parts *parts, const char *name)
{
    static const char shape[] = "-0000-00-00T00-00-00.000";
    size_t size = strlen(name), behind = parts->stem_size + 1 + MARK_SIZE;
    if (size < behind || memcmp(name, parts->name, parts->stem_size) != 0) {
        return false;
    }
    behind += strncmp(name + behind, REASON, strlen(REASON)) == 0 ? strlen(REASON) : 0;
    if (strcmp(name + behind, parts->extension) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        char have = name[parts->stem_size + i];
        bool digit = have >= '0' && have <= '9';
        if (shape[i] == '0' ? !digit : have != shape[i]) {
            return false;
        }
    }
    return true;
}

struct names {
    char **items;
    size_t count, capacity;
};

static void add_name(struct names *names, const char *name)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        char **items =
            capacity > LISTED_MAX ? NULL : realloc(names->items, capacity * sizeof(*items));
        if (items == NULL) {
            return; /* the next rotation removes what this one forgets */
        }
        names->items = items;
        names->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy != NULL) {
        names->items[names->count++] = copy;
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void hf_file_backups_trim(const struct hf_file_backups *backups)
{
    struct parts parts = split(backups->path);
    struct names names = {0};
    char directory[PATH_MAX];
    char oldest[STAMP_SIZE + 1] = "";
    directory_of(backups->path, directory, sizeof(directory));
    DIR *listing = backups->max_backups == 0 && backups->max_days == 0 ? NULL : opendir(directory);
    if (listing == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (is_backup(&parts, entry->d_name)) {
            add_name(&names, entry->d_name);
        }
    }
    if (backups->max_days > 0) {
        write_stamp(backups, backups->now - (time_t)backups->max_days * 86400, oldest);
    }
    if (names.count > 0) { /* qsort wants no NULL */
        qsort(names.items, names.count, sizeof(*names.items), compare_names);
    }
    for (size_t i = 0; i < names.count; i++) {
        /* Stamps sort as the times do. */
        const char *stamp = names.items[i] + parts.stem_size + 1;
        bool too_many = backups->max_backups > 0 && names.count - i > backups->max_backups;
        if (too_many || strncmp(stamp, oldest, STAMP_SIZE) < 0) {
            (void)unlinkat(dirfd(listing), names.items[i], 0);
        }
        free(names.items[i]);
    }
    free(names.items);
    closedir(listing);
}
