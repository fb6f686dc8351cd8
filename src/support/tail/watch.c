#include "watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define WATCHES_MAX (1u << 20)
#define EVENT_BYTES (64u * 1024)
#define NAME_EVENTS                                                                                \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

struct hf_tail_watch {
    int fd;
    void **files; /* by watch descriptor; the watch itself stands for a folder or an unread file */
    size_t count;
    char events[EVENT_BYTES] __attribute__((aligned(8)));
};

/* ext2-4, tmpfs, xfs, btrfs, f2fs, zfs: their writes are all made on this machine. Overlays are not
 * among them: a file that is copied up is another one. */
static const unsigned long local[] = {0xEF53,     0x01021994, 0x58465342,
                                      0x9123683E, 0xF2F52010, 0x2FC12FC1};

static bool is_local(const char *path)
{
    struct statfs about;
    if (statfs(path, &about) != 0) {
        return errno == ENOENT;
    }
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        if ((unsigned long)about.f_type == local[i]) {
            return true;
        }
    }
    return false;
}

enum hf_status hf_tail_watch_open(struct hf_tail_watch **ret_watch)
{
    struct hf_tail_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return HF_NOMEM;
    }
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        free(watch);
        return HF_IO;
    }
    *ret_watch = watch;
    return HF_OK;
}

void hf_tail_watch_close(struct hf_tail_watch *watch)
{
    if (watch != NULL) {
        close(watch->fd);
        free(watch->files);
        free(watch);
    }
}

static bool add(struct hf_tail_watch *watch, const char *path, uint32_t mask, void *what)
{
    if (!is_local(path)) {
        return false;
    }
    int at = inotify_add_watch(watch->fd, path, mask);
    if (at < 0 || (size_t)at >= WATCHES_MAX) {
        return false;
    }
    if ((size_t)at >= watch->count) {
        size_t count = (size_t)at * 2 + 64;
        void **files = reallocarray(watch->files, count, sizeof(*files));
        if (files == NULL) {
            return false;
        }
        for (size_t i = watch->count; i < count; i++) {
            files[i] = NULL;
        }
        watch->files = files;
        watch->count = count;
    }
    watch->files[at] = what;
    return true;
}

bool hf_tail_watch_folder(struct hf_tail_watch *watch, const char *path)
{
    return add(watch, path, NAME_EVENTS | IN_ONLYDIR, watch);
}

bool hf_tail_watch_file(struct hf_tail_watch *watch, const char *path, void *file)
{
    return add(watch, path, IN_MODIFY, file);
}

bool hf_tail_watch_unread(struct hf_tail_watch *watch, const char *path)
{
    return add(watch, path, IN_MODIFY, watch);
}

void hf_tail_watch_forget(struct hf_tail_watch *watch, const void *file)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->files[i] == file) {
            watch->files[i] = NULL;
            inotify_rm_watch(watch->fd, (int)i);
        }
    }
}

bool hf_tail_watch_read(struct hf_tail_watch *watch, void (*changed)(void *user, void *file),
                        void *user)
{
    bool names = false;
    for (;;) {
        ssize_t size = read(watch->fd, watch->events, sizeof(watch->events));
        if (size <= 0) {
            return names;
        }
        for (size_t at = 0; at < (size_t)size;) {
            const struct inotify_event *event = (const void *)(watch->events + at);
            at += sizeof(*event) + event->len;
            void *what =
                event->wd >= 0 && (size_t)event->wd < watch->count ? watch->files[event->wd] : NULL;
            if ((event->mask & IN_Q_OVERFLOW) != 0 || what == watch) {
                names = true;
            } else if (what != NULL) {
                changed(user, what);
            }
        }
    }
}
