/*
 * scan: which file is which. All paths are looked at; first those whose file is still the same,
 * then, among the files that lost theirs, those that the others are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tail_internal.h"
#include "util/time/clock.h"

/* How long a file without a path is remembered, and how many of them beside the others. */
#define LOST_NS (UINT64_C(24) * 3600 * HF_NS_PER_S)
#define LOST_MAX 1000u
/* A file that lost its path may be written to for as long: its writer has not opened the new one.
 */
#define WRITER_NS (UINT64_C(60) * HF_NS_PER_S)

static void say(struct hf_tail *tail, enum hf_log_level level, const char *path, const char *what)
{
    tail->ops->say(tail->user, level, path, what);
}

/* ---- is it still the same? ---- */

static void note_stat(struct file *file, const struct stat *now)
{
    file->device = (uint64_t)now->st_dev;
    file->inode = (uint64_t)now->st_ino;
    file->size = (uint64_t)now->st_size;
    file->modified = now->st_mtim;
}

static bool is_same_inode(const struct file *file, const struct stat *now)
{
    return file->device == (uint64_t)now->st_dev && file->inode == (uint64_t)now->st_ino;
}

static bool is_unchanged(const struct file *file, const struct stat *now)
{
    return file->size == (uint64_t)now->st_size && file->modified.tv_sec == now->st_mtim.tv_sec &&
           file->modified.tv_nsec == now->st_mtim.tv_nsec;
}

static void lose(struct hf_tail *tail, struct file *file)
{
    file->is_claimed = false;
    file->was_sought = false;
    file->lost_since_ns = tail->now_ns;
}

/* The file is shorter than what was read of it, and begins as before. */
static void note_truncation(struct hf_tail *tail, struct file *file)
{
    uint64_t size = file->size;
    if (file->is_gzip || size >= file->offset || tail->config->on_truncate == HF_TAIL_IGNORE) {
        return;
    }
    file->offset = tail->config->on_truncate == HF_TAIL_READ_WHOLE ? 0 : size;
    file->partial_bytes = 0;
    file->is_touched = true;
}

static void grow_fingerprint(struct hf_tail *tail, struct file *file)
{
    if (tail->head_size > file->fingerprint.size) {
        file->fingerprint = tail->prefixes[tail->head_size - 1];
    }
}

/* The same inode with other bytes: false when they are not the file's any more. */
static bool check_change(struct hf_tail *tail, struct file *file, const struct stat *now)
{
    if (!hf_tail_file_open(tail, file)) {
        return true; /* it is tried again */
    }
    if (!hf_tail_read_head(tail, file->fd, file->is_gzip)) {
        return true;
    }
    if (!hf_tail_head_matches(tail, file)) {
        file->is_replaced = true;
        hf_tail_file_close(tail, file);
        return false;
    }
    note_stat(file, now);
    grow_fingerprint(tail, file);
    note_truncation(tail, file);
    file->is_dirty = true;
    return true;
}

static bool is_still(struct hf_tail *tail, struct file *file, const struct stat *now)
{
    if (!is_same_inode(file, now)) {
        return false;
    }
    return is_unchanged(file, now) || check_change(tail, file, now);
}

bool hf_tail_look(struct hf_tail *tail, struct file *file)
{
    struct stat now;
    if (!file->is_claimed) {
        file->is_dirty = true;
        return true;
    }
    return stat(file->path, &now) == 0 && is_still(tail, file, &now);
}

/* ---- which one is it? ---- */

/* A file without a name has died: what its descriptor shows stays known when that is closed. */
static void note_death(struct file *file, const struct stat *now)
{
    if (now->st_nlink == 0) {
        file->is_dead = true;
        file->died = now->st_ctim;
    }
}

/* Was the file behind `fd` made after the lost one had died? Then it is another one, whatever it
 * begins with; one made before replaced it, or is a copy. Made in the same tick of the clock, it
 * may be either: lines twice are better than none. False where the file system does not tell when
 * files were made. */
static bool is_younger(struct file *lost, int fd)
{
    struct stat now;
    struct statx made;
    if (lost->fd >= 0 && !lost->is_dead && fstat(lost->fd, &now) == 0) {
        note_death(lost, &now);
    }
    if (!lost->is_dead || statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &made) != 0 ||
        (made.stx_mask & STATX_BTIME) == 0) {
        return false;
    }
    return made.stx_btime.tv_sec != lost->died.tv_sec
               ? made.stx_btime.tv_sec > lost->died.tv_sec
               : (long)made.stx_btime.tv_nsec >= lost->died.tv_nsec;
}

/* The file without a path that this one is: best the same inode. */
static struct file *find_lost(struct hf_tail *tail, const struct stat *now, int fd, bool is_gzip)
{
    struct file *found = hf_known_inode(&tail->known, (uint64_t)now->st_dev, (uint64_t)now->st_ino);
    while (found != NULL &&
           (found->is_claimed || found->is_replaced || !is_same_inode(found, now) ||
            !hf_tail_head_matches(tail, found) || is_younger(found, fd))) {
        found = found->next_inode;
    }
    if (found != NULL || tail->lost_count == 0) {
        return found;
    }
    for (size_t i = 0; i < tail->file_count; i++) {
        struct file *file = tail->files[i];
        if (file->is_claimed || !hf_tail_head_matches(tail, file) || is_younger(file, fd)) {
            continue;
        }
        /* A copy is whole. One that is shorter than what was read is another file. */
        uint64_t size = is_gzip ? tail->inflated.size : (uint64_t)now->st_size;
        if (size >= file->offset && (found == NULL || file->lost_since_ns > found->lost_since_ns)) {
            found = file;
        }
    }
    return found;
}

/* Without one every poll looks at all files. */
static void end_watch(struct hf_tail *tail)
{
    hf_tail_watch_close(tail->watch);
    tail->watch = NULL;
}

/* A file that is not read now may be when it has changed. */
static void watch_unread(struct hf_tail *tail, const struct place *place)
{
    if (tail->watch != NULL && !hf_tail_watch_unread(tail->watch, place->path)) {
        end_watch(tail);
    }
}

/* Is another path's file the same, or begins this one as that does? It may be a copy in the making,
 * or another file that has not written more yet. */
static bool is_double(struct hf_tail *tail, const struct place *place)
{
    const struct hf_fingerprint *whole = &tail->prefixes[tail->head_size - 1];
    const struct stat *now = &place->stat;
    const struct file *file =
        hf_known_inode(&tail->known, (uint64_t)now->st_dev, (uint64_t)now->st_ino);
    while (file != NULL && !(file->is_claimed && is_same_inode(file, now))) {
        file = file->next_inode;
    }
    if (file != NULL) {
        return true;
    }
    file = hf_known_bytes(&tail->known, whole);
    while (file != NULL && !(file->is_claimed && hf_fingerprint_equal(&file->fingerprint, whole))) {
        file = file->next_bytes;
    }
    if (file != NULL) {
        watch_unread(tail, place);
    }
    return file != NULL;
}

static void watch_file(struct hf_tail *tail, struct file *file)
{
    if (tail->watch != NULL && !hf_tail_watch_file(tail->watch, file->path, file)) {
        end_watch(tail);
    }
}

static struct file *begin_file(struct hf_tail *tail, const struct stat *now, bool is_gzip)
{
    struct file *file = hf_tail_file_add(tail);
    if (file == NULL || !hf_tail_take_slot(tail, file)) {
        return file;
    }
    uint64_t size = is_gzip ? tail->inflated.size : (uint64_t)now->st_size;
    bool at_end = tail->config->start_at == HF_TAIL_END && !tail->has_polled && !tail->has_loaded;
    file->offset = at_end ? size : 0;
    file->begin = file->offset;
    file->is_gzip = is_gzip;
    file->is_touched = true;
    return file;
}

/* The chains of `known`, when the first path of a scan has no file. */
static bool know_files(struct hf_tail *tail)
{
    if (tail->known.count != 0) {
        return true;
    }
    tail->lost_count = 0;
    for (size_t i = 0; i < tail->file_count; i++) {
        tail->lost_count += !tail->files[i]->is_claimed;
    }
    return hf_known_make(&tail->known, tail->files, tail->file_count, tail->place_count);
}

/* Finds or makes the file behind a path that has none; `fd` becomes its. */
static void claim(struct hf_tail *tail, struct place *place, int fd)
{
    bool is_gzip = hf_tail_is_gzip(tail, fd), was_lost = false;
    struct file *file = NULL;
    if (know_files(tail) && hf_tail_read_head(tail, fd, is_gzip) && tail->head_size != 0) {
        file = find_lost(tail, &place->stat, fd, is_gzip);
        was_lost = file != NULL;
        if (file == NULL && is_double(tail, place)) {
            close(fd);
            return;
        }
        if (file == NULL) {
            file = begin_file(tail, &place->stat, is_gzip);
        }
    }
    if (file == NULL || !hf_tail_file_set_path(tail, file, place->path)) {
        close(fd);
        return;
    }
    if (was_lost) {
        hf_known_remove(&tail->known, file);
        tail->lost_count--;
    }
    hf_tail_file_close(tail, file);
    if (tail->open_count < tail->open_max) {
        file->fd = fd;
        tail->open_count++;
    } else {
        close(fd); /* opened again when it is read */
    }
    file->is_gzip = is_gzip;
    file->is_claimed = true;
    file->is_replaced = false;
    file->is_dirty = true;
    file->read_ns = tail->now_ns;
    note_stat(file, &place->stat);
    grow_fingerprint(tail, file);
    hf_known_add(&tail->known, file);
    note_truncation(tail, file);
    place->file = file;
    watch_file(tail, file);
}

static void open_place(struct hf_tail *tail, struct place *place)
{
    if (!place->is_there || place->stat.st_size == 0) {
        return;
    }
    int fd = open(place->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        if (errno != ENOENT) {
            say(tail, HF_LOG_WARN, place->path, strerror(errno));
        }
        return;
    }
    if (fstat(fd, &place->stat) != 0 || !S_ISREG(place->stat.st_mode)) {
        close(fd);
        return;
    }
    claim(tail, place, fd);
}

/* ---- all paths ---- */

static void watch_folder(void *user, const char *folder)
{
    struct hf_tail *tail = user;
    if (tail->watch != NULL && !hf_tail_watch_folder(tail->watch, folder)) {
        end_watch(tail);
    }
}

static bool is_too_old(const struct hf_tail *tail, const struct place *place)
{
    uint64_t modified = (uint64_t)place->stat.st_mtim.tv_sec * HF_NS_PER_S;
    uint64_t age = tail->config->exclude_older_than_ns, now = hf_clock_unix_ns();
    return age != 0 && now > modified && now - modified > age && place->file == NULL;
}

/* Takes over the files of paths that were there before; both are sorted. */
static void keep_files(struct hf_tail *tail, struct place *places, size_t count)
{
    size_t j = 0;
    for (size_t i = 0; i < tail->place_count; i++) {
        struct place *old = &tail->places[i];
        int order = -1;
        while (j < count && (order = strcmp(places[j].path, old->path)) < 0) {
            j++;
        }
        if (j < count && order == 0) {
            places[j].file = old->file;
        } else if (old->file != NULL) {
            lose(tail, old->file);
        }
        free(old->path);
    }
    free(tail->places);
    tail->places = places;
    tail->place_count = count;
}

static bool list_places(struct hf_tail *tail)
{
    struct hf_paths paths = {0};
    if (hf_paths_find(&tail->config->include, &tail->config->exclude,
                      tail->watch != NULL ? watch_folder : NULL, tail, &paths) != HF_OK) {
        return false;
    }
    hf_tail_order_apply(tail->order, &paths);
    uint64_t most = tail->config->max_batches == 0
                        ? UINT64_MAX
                        : (uint64_t)tail->config->max_batches *
                              (uint64_t)(tail->config->max_concurrent_files / 2);
    struct place *places = calloc(paths.count + 1, sizeof(*places));
    if (places == NULL) {
        hf_paths_release(&paths);
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < paths.count; i++) {
        if (count < most) {
            places[count++].path = paths.items[i];
        } else {
            free(paths.items[i]);
        }
    }
    paths.count = 0;
    hf_paths_release(&paths);
    keep_files(tail, places, count);
    return true;
}

static void check_places(struct hf_tail *tail)
{
    for (size_t i = 0; i < tail->place_count; i++) {
        struct place *place = &tail->places[i];
        place->is_there = stat(place->path, &place->stat) == 0 && S_ISREG(place->stat.st_mode);
        if (place->file != NULL &&
            (!place->is_there || !is_still(tail, place->file, &place->stat))) {
            lose(tail, place->file);
            place->file = NULL;
        }
    }
}

static void claim_places(struct hf_tail *tail)
{
    for (size_t i = 0; i < tail->place_count && !tail->is_stopping; i++) {
        struct place *place = &tail->places[i];
        if (place->file == NULL && place->is_there && is_too_old(tail, place)) {
            watch_unread(tail, place);
        } else if (place->file == NULL) {
            open_place(tail, place);
        }
    }
    hf_known_release(&tail->known);
}

/* ---- files without a path ---- */

/* Opens the entry of that folder if it is the file. */
static bool open_if_same(struct hf_tail *tail, struct file *file, const char *folder,
                         const char *name)
{
    struct file looked = {.fd = -1};
    struct stat now;
    char path[PATH_MAX + 256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    looked.path = path;
    if (!hf_tail_file_open(tail, &looked)) {
        return false;
    }
    if (fstat(looked.fd, &now) != 0 || !is_same_inode(file, &now) ||
        !hf_tail_read_head(tail, looked.fd, file->is_gzip) || !hf_tail_head_matches(tail, file)) {
        hf_tail_file_close(tail, &looked);
        return false;
    }
    file->fd = looked.fd;
    return true;
}

/* Looks for the file by its inode in the folder of that path. */
static bool seek_beside(struct hf_tail *tail, struct file *file, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    int size = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    bool found = false;
    if (size >= PATH_MAX) {
        return false;
    }
    snprintf(folder, sizeof(folder), "%.*s", size, slash != NULL ? path : ".");
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        return false;
    }
    for (struct dirent *entry = readdir(stream); entry != NULL && !found; entry = readdir(stream)) {
        if ((uint64_t)entry->d_ino == file->inode) {
            found = open_if_same(tail, file, folder, entry->d_name);
        }
    }
    closedir(stream);
    return found;
}

/* Where a file was moved to that no pattern names: in the folder where it was, or where a link led
 * to it, as the logs of Docker's containers are found. */
static void seek_lost(struct hf_tail *tail, struct file *file)
{
    char target[PATH_MAX];
    file->was_sought = true;
    if (file->fd >= 0 || file->is_replaced || file->path == NULL || file->inode == 0) {
        return;
    }
    if (!seek_beside(tail, file, file->path) && realpath(file->path, target) != NULL &&
        strcmp(target, file->path) != 0) {
        seek_beside(tail, file, target);
    }
}

/* Its descriptor shows what is behind it now: the same bytes at first, and more than were read? */
static bool has_more(struct hf_tail *tail, struct file *file)
{
    struct stat now;
    if (fstat(file->fd, &now) != 0 || !hf_tail_read_head(tail, file->fd, file->is_gzip) ||
        !hf_tail_head_matches(tail, file)) {
        file->is_replaced = true;
        return false;
    }
    note_death(file, &now);
    if ((uint64_t)now.st_size > file->size) {
        file->lost_since_ns = tail->now_ns; /* its writer is still there */
    }
    file->size = (uint64_t)now.st_size;
    return file->is_gzip ? file->is_dirty : file->size > file->offset;
}

void hf_tail_drain_lost(struct hf_tail *tail)
{
    size_t lost = 0;
    for (size_t i = tail->file_count; i-- > 0 && !tail->is_stopping;) {
        struct file *file = tail->files[i];
        if (file->is_claimed) {
            continue;
        }
        lost++;
        if (!file->was_sought) {
            seek_lost(tail, file);
        }
        bool is_over = tail->now_ns - file->lost_since_ns > WRITER_NS;
        if (file->fd >= 0) {
            bool done = !has_more(tail, file) || hf_tail_read(tail, file, is_over);
            file->is_dirty = !done;
            if (file->is_replaced || (is_over && done)) {
                hf_tail_file_close(tail, file);
            }
        }
        if (file->fd < 0 && !file->is_touched &&
            (tail->now_ns - file->lost_since_ns > LOST_NS ||
             lost > LOST_MAX + 4 * tail->place_count)) {
            hf_tail_free_slot(tail, file);
            hf_tail_file_remove(tail, i);
        }
    }
}

void hf_tail_scan(struct hf_tail *tail)
{
    if (!list_places(tail)) {
        say(tail, HF_LOG_WARN, "", "no memory to look for files");
        return;
    }
    check_places(tail);
    claim_places(tail);
    tail->has_polled = true;
}
