#include "paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES_MAX 4096u
#define DEPTH_MAX 64u /* folders within each other that ** looks into */
#define FILES_MAX 1000000u

struct search {
    struct hf_paths *paths;
    hf_paths_folder *folder;
    void *user;
    enum hf_status status;
};

/* ---- matching ---- */

static bool match_class(const char **pattern, char c)
{
    const char *p = *pattern + 1;
    bool negated = *p == '!' || *p == '^';
    bool found = false;
    p += negated;
    for (bool first = true; *p != '\0' && (first || *p != ']'); first = false) {
        char low = *p == '\\' && p[1] != '\0' ? *++p : *p;
        char high = low;
        p++;
        if (*p == '-' && p[1] != ']' && p[1] != '\0') {
            high = p[1] == '\\' && p[2] != '\0' ? *(p += 2) : *++p;
            p++;
        }
        found = found || (c >= low && c <= high);
    }
    *pattern = *p == ']' ? p + 1 : p;
    return found != negated && c != '/';
}

static bool match_here(const char *pattern, const char *end, const char *path);

/* Tries each alternative of {a,b} with the rest behind it. */
static bool match_braces(const char *pattern, const char *end, const char *path)
{
    const char *close = pattern;
    unsigned depth = 0;
    for (; close < end; close++) {
        depth += *close == '{';
        if (*close == '}' && --depth == 0) {
            break;
        }
    }
    char joined[PATH_BYTES_MAX];
    size_t rest = close < end ? (size_t)(end - close - 1) : 0;
    const char *from = pattern + 1;
    depth = 0;
    for (const char *at = from; at <= close && close < end; at++) {
        depth += *at == '{';
        depth -= *at == '}' && at != close;
        if (at != close && (*at != ',' || depth != 0)) {
            continue;
        }
        size_t size = (size_t)(at - from);
        if (size + rest < sizeof(joined)) {
            memcpy(joined, from, size);
            memcpy(joined + size, close + 1, rest);
            if (match_here(joined, joined + size + rest, path)) {
                return true;
            }
        }
        from = at + 1;
    }
    return false;
}

/* Is it ** as a whole part of the path? */
static bool is_any_folders(const char *pattern, const char *end)
{
    return end - pattern >= 2 && pattern[0] == '*' && pattern[1] == '*' &&
           (end - pattern == 2 || pattern[2] == '/');
}

static bool match_stars(const char *pattern, const char *end, const char *path, bool at_part)
{
    if (at_part && is_any_folders(pattern, end)) {
        const char *rest = end - pattern > 2 ? pattern + 3 : end;
        if (rest == end) {
            return true;
        }
        for (; path != NULL; path = strchr(path, '/'), path = path != NULL ? path + 1 : NULL) {
            if (match_here(rest, end, path)) {
                return true;
            }
        }
        return false;
    }
    while (pattern < end && *pattern == '*') {
        pattern++;
    }
    for (;; path++) {
        if (match_here(pattern, end, path)) {
            return true;
        }
        if (*path == '\0' || *path == '/') {
            return false;
        }
    }
}

static bool match_here(const char *pattern, const char *end, const char *path)
{
    bool at_part = true;
    for (; pattern < end; at_part = pattern[-1] == '/') {
        if (*pattern == '*') {
            return match_stars(pattern, end, path, at_part);
        }
        if (*pattern == '{') {
            return match_braces(pattern, end, path);
        }
        if (*path == '\0') {
            return false;
        }
        if (*pattern == '[') {
            if (!match_class(&pattern, *path++)) {
                return false;
            }
            continue;
        }
        if (*pattern == '?') {
            if (*path == '/') {
                return false;
            }
        } else {
            pattern += *pattern == '\\' && pattern + 1 < end;
            if (*pattern != *path) {
                return false;
            }
        }
        pattern++;
        path++;
    }
    return *path == '\0';
}

bool hf_paths_match(const char *pattern, const char *path)
{
    return match_here(pattern, pattern + strlen(pattern), path);
}

const char *hf_paths_check(const char *pattern)
{
    unsigned braces = 0;
    if (*pattern == '\0' || strlen(pattern) >= PATH_BYTES_MAX) {
        return "a pattern of 1 to 4095 characters";
    }
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '\\' && *++p == '\0') {
            return "a pattern that does not end in a backslash";
        }
        if (*p == '[' && strchr(p + 2 > p && p[1] != '\0' ? p + 2 : p, ']') == NULL) {
            return "a pattern whose [ has a ]";
        }
        if (*p == '}' && braces == 0) {
            return "a pattern whose } has a {";
        }
        braces += *p == '{';
        braces -= *p == '}';
    }
    return braces == 0 ? NULL : "a pattern whose { has a }";
}

/* ---- searching ---- */

static void add_path(struct search *search, const char *path)
{
    struct hf_paths *paths = search->paths;
    if (paths->count == FILES_MAX) {
        return;
    }
    if (paths->count == paths->capacity) {
        size_t capacity = paths->capacity != 0 ? paths->capacity * 2 : 64;
        char **items = reallocarray(paths->items, capacity, sizeof(*items));
        if (items == NULL) {
            search->status = HF_NOMEM;
            return;
        }
        paths->items = items;
        paths->capacity = capacity;
    }
    char *copy = strdup(path);
    if (copy == NULL) {
        search->status = HF_NOMEM;
        return;
    }
    paths->items[paths->count++] = copy;
}

static void search_part(struct search *search, const char *folder, const char *pattern,
                        unsigned depth);

/* Appends a name; false: the path would be too long. */
static bool join(const char *folder, const char *name, char *out)
{
    size_t size = strlen(folder), more = strlen(name);
    bool slash = size != 0 && folder[size - 1] != '/';
    if (size + slash + more >= PATH_BYTES_MAX) {
        return false;
    }
    memcpy(out, folder, size);
    out[size] = '/';
    memcpy(out + size + slash, name, more + 1);
    return true;
}

static bool is_folder(const char *path, const struct dirent *entry, bool follow)
{
    struct stat stat_of;
    if (entry->d_type == DT_DIR) {
        return true;
    }
    if (entry->d_type != DT_UNKNOWN && (entry->d_type != DT_LNK || !follow)) {
        return false;
    }
    int error = follow ? stat(path, &stat_of) : lstat(path, &stat_of);
    return error == 0 && S_ISDIR(stat_of.st_mode);
}

static bool is_file(const char *path, unsigned char type)
{
    struct stat stat_of;
    return type == DT_REG || ((type == DT_LNK || type == DT_UNKNOWN) && stat(path, &stat_of) == 0 &&
                              S_ISREG(stat_of.st_mode));
}

/* The entries of `folder` that match `part`; `rest` is the pattern behind it, NULL: they are the
 * files. With `any`, ** stands there: `rest` is also tried in each folder, and `part` again. */
static void search_folder(struct search *search, const char *folder, const char *part,
                          const char *rest, unsigned depth)
{
    char path[PATH_BYTES_MAX];
    bool any = strcmp(part, "**") == 0;
    if (search->folder != NULL) {
        search->folder(search->user, folder[0] != '\0' ? folder : ".");
    }
    DIR *stream = opendir(folder[0] != '\0' ? folder : ".");
    if (stream == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !join(folder, name, path) ||
            (!any && !hf_paths_match(part, name))) {
            continue;
        }
        if (any && is_folder(path, entry, false)) {
            char again[PATH_BYTES_MAX];
            if (rest != NULL && strlen(rest) + 4 < sizeof(again)) {
                memcpy(again, "**/", 3);
                memcpy(again + 3, rest, strlen(rest) + 1);
                search_part(search, path, again, depth + 1);
            } else if (rest == NULL) {
                search_part(search, path, "**", depth + 1);
            }
        } else if (rest == NULL) {
            if (is_file(path, entry->d_type)) {
                add_path(search, path);
            }
        } else if (!any && is_folder(path, entry, true)) {
            search_part(search, path, rest, depth + 1);
        }
    }
    closedir(stream);
}

/* The end of the first part: a slash in braces is none. */
static size_t part_size(const char *pattern)
{
    unsigned braces = 0;
    size_t size = 0;
    for (; pattern[size] != '\0' && (pattern[size] != '/' || braces != 0); size++) {
        braces += pattern[size] == '{';
        braces -= pattern[size] == '}' && braces != 0;
    }
    return size;
}

static void search_part(struct search *search, const char *folder, const char *pattern,
                        unsigned depth)
{
    char part[PATH_BYTES_MAX], path[PATH_BYTES_MAX];
    struct stat stat_of;
    size_t size = part_size(pattern);
    const char *rest = pattern[size] == '/' ? pattern + size + 1 : NULL;
    if (search->status != HF_OK || depth > DEPTH_MAX || size >= sizeof(part)) {
        return;
    }
    memcpy(part, pattern, size);
    part[size] = '\0';
    if (strcmp(part, "**") == 0) {
        if (rest != NULL) {
            search_part(search, folder, rest, depth); /* no folder at all */
        }
        search_folder(search, folder, part, rest, depth);
    } else if (strpbrk(part, "*?[{\\") != NULL) {
        search_folder(search, folder, part, rest, depth);
    } else if (join(folder, part, path)) {
        if (rest != NULL) {
            search_part(search, path, rest, depth);
            return;
        }
        if (search->folder != NULL) {
            search->folder(search->user, folder[0] != '\0' ? folder : ".");
        }
        if (stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode)) {
            add_path(search, path);
        }
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_excluded(const struct hf_string_list *exclude, const char *path)
{
    for (size_t i = 0; i < exclude->count; i++) {
        if (hf_paths_match(exclude->items[i], path)) {
            return true;
        }
    }
    return false;
}

/* Sorts, and drops what is excluded or there twice. */
static void tidy(struct hf_paths *paths, const struct hf_string_list *exclude)
{
    size_t kept = 0;
    if (paths->count == 0) {
        return;
    }
    qsort(paths->items, paths->count, sizeof(paths->items[0]), compare);
    for (size_t i = 0; i < paths->count; i++) {
        char *path = paths->items[i];
        if ((kept != 0 && strcmp(paths->items[kept - 1], path) == 0) ||
            is_excluded(exclude, path)) {
            free(path);
        } else {
            paths->items[kept++] = path;
        }
    }
    paths->count = kept;
}

enum hf_status hf_paths_find(const struct hf_string_list *include,
                             const struct hf_string_list *exclude, hf_paths_folder *folder,
                             void *user, struct hf_paths *ret_paths)
{
    struct hf_paths paths = {0};
    struct search search = {.paths = &paths, .folder = folder, .user = user};
    for (size_t i = 0; i < include->count; i++) {
        const char *pattern = include->items[i];
        bool rooted = pattern[0] == '/';
        search_part(&search, rooted ? "/" : "", pattern + rooted, 0);
    }
    if (search.status != HF_OK) {
        hf_paths_release(&paths);
        return search.status;
    }
    tidy(&paths, exclude);
    *ret_paths = paths;
    return HF_OK;
}

void hf_paths_release(struct hf_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        free(paths->items[i]);
    }
    free(paths->items);
    *paths = (struct hf_paths){0};
}
