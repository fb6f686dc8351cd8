#include "file_groups.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/any.h"
#include "pdata/attributes.h"

#define NUMBER_RESOURCE_ATTRIBUTES 1u

/* ---- paths ---- */

/* Goes one part up, within what stands behind `floor`. */
static size_t drop_part(const char *room, size_t floor, size_t end)
{
    while (end > floor && room[end - 1] != '/') {
        end--;
    }
    return end > floor ? end - 1 : end;
}

/* Adds the parts of `value` to `room` from `floor` on. Returns the new end; SIZE_MAX: no room. */
static size_t add_value(struct hf_slice value, char *room, size_t floor, size_t size)
{
    size_t end = floor;
    for (size_t at = 0; at < value.size;) {
        const uint8_t *part = value.data + at;
        const uint8_t *slash = memchr(part, '/', value.size - at);
        size_t length = slash != NULL ? (size_t)(slash - part) : value.size - at;
        at += length + 1;
        if (length == 0 || (length == 1 && part[0] == '.')) {
            continue;
        }
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            end = drop_part(room, floor, end);
            continue;
        }
        if (length + 1 >= size - end) {
            return SIZE_MAX;
        }
        if (end > floor) {
            room[end++] = '/';
        }
        for (size_t i = 0; i < length; i++) {
            room[end++] = part[i] < ' ' || part[i] == 0x7F ? '_' : (char)part[i];
        }
    }
    return end;
}

/* Every part from the directory of the star on is a name, and not too long a one. */
static bool is_safe(const char *path, size_t star)
{
    const char *part = path + star;
    while (part > path && part[-1] != '/') {
        part--;
    }
    for (;;) {
        size_t length = strcspn(part, "/");
        bool dots = (length == 1 && part[0] == '.') || (length == 2 && memcmp(part, "..", 2) == 0);
        if (length == 0 || length > NAME_MAX || dots) {
            return false;
        }
        if (part[length] == '\0') {
            return true;
        }
        part += length + 1;
    }
}

bool hf_file_group_path(const char *pattern, struct hf_slice value, char *room, size_t size)
{
    size_t star = strcspn(pattern, "*");
    const char *rest = pattern + star + 1;
    if (star + 1 >= size) {
        return false;
    }
    memcpy(room, pattern, star);
    size_t end = add_value(value, room, star, size);
    if (end == SIZE_MAX || strlen(rest) >= size - end) {
        return false;
    }
    memcpy(room + end, rest, strlen(rest) + 1);
    return is_safe(room, star);
}

/* ---- the table ---- */

static struct hf_file_group *look_up(const struct hf_file_groups *groups, const char *path)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (strcmp(groups->items[i].path, path) == 0) {
            return &groups->items[i];
        }
    }
    return NULL;
}

static void close_group(struct hf_file_group *group)
{
    hf_file_output_close(group->output);
    hf_bytes_release(&group->raw);
    hf_bytes_release(&group->pending);
    free(group->path);
    *group = (struct hf_file_group){.output = NULL};
}

/* A place for one more: a new one, or that of the file that was used longest ago. NULL: none. */
static struct hf_file_group *take_place(struct hf_file_groups *groups)
{
    struct hf_file_group *oldest = NULL;
    if (groups->count < groups->open_max) {
        return &groups->items[groups->count++];
    }
    for (size_t i = 0; i < groups->count; i++) {
        struct hf_file_group *group = &groups->items[i];
        if (group->raw.size == 0 && group->pending.size == 0 &&
            (oldest == NULL || group->last_used < oldest->last_used)) {
            oldest = group;
        }
    }
    if (oldest != NULL) {
        close_group(oldest);
    }
    return oldest;
}

/* No other file can get that name, whatever time passes. */
static bool is_about_the_name(int error)
{
    return error == ENOTDIR || error == EISDIR || error == ENAMETOOLONG || error == ELOOP ||
           error == EILSEQ || error == EINVAL;
}

static enum hf_status open_group(struct hf_file_groups *groups, const char *path,
                                 struct hf_file_group **ret_group,
                                 struct hf_file_output_found *ret_found, char *reterr)
{
    char *copy = strdup(path);
    struct hf_file_output_options options = groups->options;
    struct hf_file_output *output = NULL;
    struct hf_file_group *group = copy != NULL ? take_place(groups) : NULL;
    if (group == NULL) {
        free(copy);
        snprintf(reterr, HF_FILE_ERROR_MAX, "out of memory");
        return copy != NULL ? HF_BUSY : HF_NOMEM;
    }
    options.path = copy;
    enum hf_status status = hf_file_output_open(&options, &output, ret_found, reterr);
    if (status != HF_OK) {
        status = status == HF_IO && is_about_the_name(errno) ? HF_INVALID : status;
        free(copy);
        /* The last one moves into the gap. */
        *group = groups->items[--groups->count];
        groups->items[groups->count] = (struct hf_file_group){.output = NULL};
        return status;
    }
    *group = (struct hf_file_group){.output = output, .path = copy, .last_used = ++groups->uses};
    *ret_group = group;
    return HF_OK;
}

enum hf_status hf_file_groups_open(struct hf_file_groups *groups, size_t open_max,
                                   struct hf_file_output_found *ret_found, char *reterr)
{
    struct hf_file_group *single = NULL;
    *ret_found = (struct hf_file_output_found){0};
    groups->open_max = groups->attribute != NULL ? open_max : 1;
    groups->items = calloc(groups->open_max, sizeof(*groups->items));
    if (groups->items == NULL) {
        snprintf(reterr, HF_FILE_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    if (groups->attribute != NULL) {
        return HF_OK;
    }
    enum hf_status status = open_group(groups, groups->options.path, &single, ret_found, reterr);
    return status == HF_INVALID ? HF_IO : status;
}

void hf_file_groups_close(struct hf_file_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        close_group(&groups->items[i]);
    }
    free(groups->items);
    groups->items = NULL;
    groups->count = 0;
}

enum hf_status hf_file_groups_find(struct hf_file_groups *groups, struct hf_slice resource,
                                   struct hf_file_group **ret_group,
                                   struct hf_file_output_found *ret_found, char *reterr)
{
    char path[PATH_MAX];
    struct hf_slice value;
    *ret_found = (struct hf_file_output_found){0};
    if (!hf_attribute_of(resource, NUMBER_RESOURCE_ATTRIBUTES, hf_slice_text(groups->attribute),
                         &value)) {
        return HF_NOT_FOUND;
    }
    struct hf_any any = hf_any_read(value);
    if (any.type != HF_ANY_STRING) {
        return HF_NOT_FOUND;
    }
    if (!hf_file_group_path(groups->options.path, any.bytes, path, sizeof(path))) {
        return HF_INVALID;
    }
    struct hf_file_group *group = look_up(groups, path);
    if (group == NULL) {
        return open_group(groups, path, ret_group, ret_found, reterr);
    }
    group->last_used = ++groups->uses;
    *ret_group = group;
    return HF_OK;
}

/* ---- writing ---- */

static void forget_pending(struct hf_file_group *group)
{
    group->pending.size = 0;
    group->mark = 0;
    if (group->pending.capacity > HF_FILE_BYTES_KEPT) {
        hf_bytes_release(&group->pending);
    }
}

enum hf_status hf_file_groups_write(struct hf_file_groups *groups, char *reterr)
{
    enum hf_status status = HF_OK;
    size_t done = 0;
    while (done < groups->count && status == HF_OK) {
        struct hf_file_group *group = &groups->items[done];
        if (group->pending.size > 0) {
            status = hf_file_output_write(
                group->output, hf_slice_of(group->pending.data, group->pending.size), reterr);
        }
        done += status == HF_OK;
    }
    for (size_t i = 0; status != HF_OK && i < done; i++) {
        if (groups->items[i].pending.size > 0) {
            hf_file_output_take_back(groups->items[i].output);
        }
    }
    for (size_t i = 0; i < groups->count; i++) {
        forget_pending(&groups->items[i]);
    }
    return status;
}
