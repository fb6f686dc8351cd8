#include "mounts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOUNTS_MAX 65536u
#define TEXTS_MAX (16u << 20)

void host_mounts_release(struct host_mounts *mounts)
{
    hf_arena_release(&mounts->arena);
    free(mounts->mounts);
    *mounts = (struct host_mounts){0};
}

static bool is_octal(const uint8_t *at)
{
    return at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' && at[2] >= '0' &&
           at[2] <= '7';
}

/* A copy with \040 and the like decoded; without data when there is no memory. */
static struct hf_slice keep(struct host_mounts *mounts, struct hf_slice word)
{
    uint8_t *copy = hf_arena_take(&mounts->arena, word.size);
    size_t size = 0;
    for (size_t i = 0; copy != NULL && i < word.size; i++) {
        if (word.data[i] == '\\' && i + 3 < word.size && is_octal(&word.data[i + 1])) {
            copy[size++] = (uint8_t)((word.data[i + 1] - '0') << 6 | (word.data[i + 2] - '0') << 3 |
                                     (word.data[i + 3] - '0'));
            i += 3;
        } else {
            copy[size++] = word.data[i];
        }
    }
    return copy != NULL ? hf_slice_of(copy, size) : HF_EMPTY_SLICE;
}

static bool has_option(struct hf_slice options, const char *option)
{
    while (options.size != 0) {
        const uint8_t *comma = memchr(options.data, ',', options.size);
        size_t size = comma != NULL ? (size_t)(comma - options.data) : options.size;
        if (hf_slice_is(hf_slice_of(options.data, size), option)) {
            return true;
        }
        size_t used = comma != NULL ? size + 1 : size;
        options = hf_slice_of(options.data + used, options.size - used);
    }
    return false;
}

/* /dev/mapper/x is a link to what the kernel calls it. */
static struct hf_slice resolve_mapper(struct host_mounts *mounts, const struct host *host,
                                      struct hf_slice device)
{
    char path[HOST_PATH_MAX + 256], target[PATH_MAX];
    if (!host_starts_with(device, "/dev/mapper/")) {
        return device;
    }
    snprintf(path, sizeof(path), "%s%.*s", host->dev, (int)(device.size - 4),
             (const char *)device.data + 4);
    return realpath(path, target) != NULL ? keep(mounts, hf_slice_text(target)) : device;
}

/* /dev/root stands for the device with these numbers. */
static struct hf_slice resolve_root(struct host_mounts *mounts, const struct host *host,
                                    struct hf_slice device, struct hf_slice numbers)
{
    char path[HOST_PATH_MAX + 64], target[PATH_MAX], name[NAME_MAX + 8];
    if (!hf_slice_is(device, "/dev/root") || numbers.size > 32) {
        return device;
    }
    snprintf(path, sizeof(path), "%s/dev/block/%.*s", host->sys, (int)numbers.size,
             (const char *)numbers.data);
    ssize_t size = readlink(path, target, sizeof(target) - 1);
    if (size <= 0) {
        return device;
    }
    target[size] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(name, sizeof(name), "/dev/%.255s", slash != NULL ? slash + 1 : target);
    return keep(mounts, hf_slice_text(name));
}

static struct host_mount *add_mount(struct host_mounts *mounts)
{
    if (mounts->count == mounts->capacity) {
        size_t capacity = mounts->capacity == 0 ? 32 : mounts->capacity * 2;
        struct host_mount *grown =
            capacity <= MOUNTS_MAX ? reallocarray(mounts->mounts, capacity, sizeof(*grown)) : NULL;
        if (grown == NULL) {
            errno = ENOMEM;
            return NULL;
        }
        mounts->mounts = grown;
        mounts->capacity = capacity;
    }
    return &mounts->mounts[mounts->count];
}

/* "id parent maj:min root point options [tags] - type device super-options". False: no such row. */
static bool read_row(struct host_mounts *mounts, const struct host *host, struct hf_slice line,
                     struct host_mount *mount)
{
    struct hf_slice numbers, point, options, word, type, device;
    if (!host_skip_words(&line, 2) || !host_next_word(&line, &numbers) ||
        !host_skip_words(&line, 1) || !host_next_word(&line, &point) ||
        !host_next_word(&line, &options)) {
        return false;
    }
    do {
        if (!host_next_word(&line, &word)) {
            return false;
        }
    } while (!hf_slice_is(word, "-"));
    if (!host_next_word(&line, &type) || !host_next_word(&line, &device)) {
        return false;
    }
    *mount = (struct host_mount){
        .point = keep(mounts, point), .type = keep(mounts, type), .device = keep(mounts, device)};
    mount->device = resolve_mapper(mounts, host, mount->device);
    mount->device = resolve_root(mounts, host, mount->device, numbers);
    mount->mode = has_option(options, "rw") ? "rw" : has_option(options, "ro") ? "ro" : "unknown";
    return mount->point.data != NULL && mount->type.data != NULL && mount->device.data != NULL;
}

/* Removes what is mounted a second time at the same point. */
static void remove_repeats(struct host_mounts *mounts)
{
    size_t kept = 0;
    for (size_t i = 0; i < mounts->count; i++) {
        const struct host_mount *mount = &mounts->mounts[i];
        size_t k = 0;
        while (k < kept && !(hf_slice_equal(mounts->mounts[k].point, mount->point) &&
                             hf_slice_equal(mounts->mounts[k].device, mount->device))) {
            k++;
        }
        if (k == kept) {
            mounts->mounts[kept++] = *mount;
        }
    }
    mounts->count = kept;
}

/* Removes what is no file system on a device. */
static bool remove_virtual(struct host_mounts *mounts, struct host *host)
{
    struct hf_slice text;
    size_t kept = 0;
    if (!host_read_proc(host, &text, "filesystems")) {
        return false;
    }
    for (size_t i = 0; i < mounts->count; i++) {
        const struct host_mount *mount = &mounts->mounts[i];
        struct hf_slice rest = text, line, first, second;
        bool is_real = false;
        while (!is_real && host_next_line(&rest, &line)) {
            bool has_first = host_next_word(&line, &first);
            bool is_virtual = has_first && host_next_word(&line, &second);
            is_real = has_first &&
                      (is_virtual ? hf_slice_is(second, "zfs") && hf_slice_is(mount->type, "zfs")
                                  : hf_slice_equal(first, mount->type));
        }
        if (is_real && !hf_slice_is(mount->device, "none")) {
            mounts->mounts[kept++] = *mount;
        }
    }
    mounts->count = kept;
    return true;
}

bool host_mounts_read(struct host_mounts *mounts, struct host *host, bool with_virtual)
{
    struct hf_slice text, line;
    mounts->count = 0;
    mounts->arena.limit = TEXTS_MAX;
    hf_arena_reset(&mounts->arena);
    if (!host_read_proc(host, &text, "1/mountinfo") &&
        !host_read_proc(host, &text, "self/mountinfo")) {
        return false;
    }
    while (host_next_line(&text, &line)) {
        struct host_mount *mount = add_mount(mounts);
        if (mount == NULL) {
            return false;
        }
        mounts->count += read_row(mounts, host, line, mount);
    }
    if (!with_virtual && !remove_virtual(mounts, host)) {
        return false;
    }
    remove_repeats(mounts);
    return true;
}
