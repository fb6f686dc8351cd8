/*
 * files: the files that a tail knows: their memory, their descriptors, their first bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tail_internal.h"

#define GZIP_TEXT_MAX ((size_t)256 << 20)

struct file *hf_tail_file_add(struct hf_tail *tail)
{
    if (tail->file_count == tail->file_capacity) {
        size_t capacity = tail->file_capacity != 0 ? tail->file_capacity * 2 : 64;
        struct file **files = reallocarray(tail->files, capacity, sizeof(*files));
        if (files == NULL) {
            return NULL;
        }
        tail->files = files;
        tail->file_capacity = capacity;
    }
    struct file *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        return NULL;
    }
    file->fd = -1;
    file->slot = NO_SLOT;
    file->seen.id = tail->next_id++;
    file->has_header = tail->header != NULL;
    tail->files[tail->file_count++] = file;
    return file;
}

void hf_tail_file_remove(struct hf_tail *tail, size_t index)
{
    struct file *file = tail->files[index];
    hf_tail_file_close(tail, file);
    if (tail->watch != NULL) {
        hf_tail_watch_forget(tail->watch, file);
    }
    tail->ops->closed(tail->user, &file->seen);
    tail->files[index] = tail->files[--tail->file_count];
    free(file->path);
    free(file);
}

bool hf_tail_file_set_path(struct hf_tail *tail, struct file *file, const char *path)
{
    if (file->path != NULL && strcmp(file->path, path) == 0) {
        return true;
    }
    char *copy = strdup(path);
    if (copy == NULL) {
        return false;
    }
    free(file->path);
    file->path = copy;
    file->seen.path = copy;
    tail->ops->named(tail->user, &file->seen);
    return true;
}

/* The descriptor to give up: of a file with a path that is read to its end, or else of any with a
 * path, the one that was used least recently. */
static struct file *find_idle(struct hf_tail *tail, const struct file *but)
{
    struct file *idle = NULL;
    for (size_t i = 0; i < tail->file_count; i++) {
        struct file *file = tail->files[i];
        if (file->fd < 0 || !file->is_claimed || file == but) {
            continue;
        }
        if (idle == NULL || file->is_dirty < idle->is_dirty ||
            (file->is_dirty == idle->is_dirty && file->read_ns < idle->read_ns)) {
            idle = file;
        }
    }
    return idle;
}

/* With that one up to an eighth of the descriptors, of files that were read in the same poll as it:
 * thousands of files are read without a search for each. */
static void close_idle(struct hf_tail *tail, struct file *idle, const struct file *but)
{
    uint64_t read_ns = idle->read_ns;
    size_t kept = idle->is_dirty ? tail->open_max : tail->open_max - tail->open_max / 8;
    hf_tail_file_close(tail, idle);
    for (size_t i = 0; i < tail->file_count && tail->open_count > kept; i++) {
        struct file *file = tail->files[i];
        if (file->is_claimed && file != but && !file->is_dirty && file->read_ns == read_ns) {
            hf_tail_file_close(tail, file);
        }
    }
}

bool hf_tail_file_open(struct hf_tail *tail, struct file *file)
{
    if (file->fd >= 0) {
        return true;
    }
    if (tail->open_count >= tail->open_max) {
        struct file *idle = find_idle(tail, file);
        if (idle == NULL) {
            errno = EMFILE;
            return false;
        }
        close_idle(tail, idle, file);
    }
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    tail->open_count += file->fd >= 0;
    return file->fd >= 0;
}

void hf_tail_file_close(struct hf_tail *tail, struct file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
        tail->open_count--;
    }
}

bool hf_tail_is_gzip(const struct hf_tail *tail, int fd)
{
    uint8_t magic[2];
    return tail->config->compression != HF_TAIL_PLAIN && pread(fd, magic, 2, 0) == 2 &&
           magic[0] == 0x1f && magic[1] == 0x8b;
}

/* The whole text of a gzip file, in tail->inflated. */
static bool inflate_file(struct hf_tail *tail, int fd)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || about.st_size <= 0 || (size_t)about.st_size > GZIP_TEXT_MAX) {
        return false;
    }
    struct hf_bytes packed = {0};
    bool good = hf_bytes_reserve(&packed, (size_t)about.st_size) == HF_OK;
    while (good && packed.size < (size_t)about.st_size) {
        ssize_t got = pread(fd, packed.data + packed.size, (size_t)about.st_size - packed.size,
                            (off_t)packed.size);
        good = got > 0;
        packed.size += good ? (size_t)got : 0;
    }
    tail->inflated_id = 0;
    good = good && hf_decode(HF_GZIP, hf_slice_of(packed.data, packed.size), GZIP_TEXT_MAX,
                             &tail->inflated) == HF_OK;
    hf_bytes_release(&packed);
    return good;
}

bool hf_tail_read_head(struct hf_tail *tail, int fd, bool is_gzip)
{
    size_t most = (size_t)tail->config->fingerprint_bytes;
    if (is_gzip) {
        if (!inflate_file(tail, fd)) {
            return false;
        }
        tail->head_size = tail->inflated.size < most ? tail->inflated.size : most;
        memcpy(tail->head, tail->inflated.data, tail->head_size);
    } else {
        ssize_t got = pread(fd, tail->head, most, 0);
        if (got < 0) {
            return false;
        }
        tail->head_size = (size_t)got;
    }
    hf_fingerprint_prefixes(hf_slice_of(tail->head, tail->head_size), tail->prefixes);
    return true;
}

bool hf_tail_head_matches(const struct hf_tail *tail, const struct file *file)
{
    uint32_t size = file->fingerprint.size;
    return size != 0 && size <= tail->head_size &&
           hf_fingerprint_equal(&file->fingerprint, &tail->prefixes[size - 1]);
}
