#include "history.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/checksum.h"

#define MAGIC "HFRING1"
#define NAME_MAX_BYTES 248u

struct row {
    char name[NAME_MAX_BYTES];  /* zero bytes behind it; "": free */
    uint32_t checksum, padding; /* of the name */
    struct hf_console_point points[HF_CONSOLE_HISTORY_POINTS];
};

struct file {
    char magic[8];
    struct row rows[HF_CONSOLE_HISTORY_QUEUES];
};

struct hf_console_history {
    pthread_mutex_t lock;
    int fd; /* below 0: in memory only */
    struct file *file;
};

static uint32_t checksum_of(const struct hf_console_point *point)
{
    const uint64_t values[] = {point->minute, point->items, point->disk_bytes};
    return hf_crc32c(0, values, sizeof(values));
}

static uint32_t name_checksum(const struct row *row)
{
    return hf_crc32c(0, row->name, sizeof(row->name));
}

/* What is not whole is forgotten. */
static void check(struct file *file)
{
    for (size_t i = 0; i < HF_CONSOLE_HISTORY_QUEUES; i++) {
        struct row *row = &file->rows[i];
        bool is_named = row->name[0] != '\0' && row->name[NAME_MAX_BYTES - 1] == '\0' &&
                        row->checksum == name_checksum(row);
        if (!is_named) {
            memset(row, 0, sizeof(*row));
            continue;
        }
        for (size_t at = 0; at < HF_CONSOLE_HISTORY_POINTS; at++) {
            struct hf_console_point *point = &row->points[at];
            if (point->checksum != checksum_of(point)) {
                *point = (struct hf_console_point){0};
            }
        }
    }
}

static bool put(const struct hf_console_history *history, const void *from, size_t size)
{
    off_t at = (off_t)((const char *)from - (const char *)history->file);
    return history->fd < 0 || pwrite(history->fd, from, size, at) == (ssize_t)size;
}

static bool load(struct hf_console_history *history)
{
    struct file *file = history->file;
    struct stat status;
    if (fstat(history->fd, &status) != 0) {
        return false;
    }
    if (status.st_size == 0) {
        memcpy(file->magic, MAGIC, sizeof(file->magic));
        return ftruncate(history->fd, (off_t)sizeof(*file)) == 0 &&
               put(history, file->magic, sizeof(file->magic));
    }
    bool is_whole = status.st_size == (off_t)sizeof(*file) &&
                    pread(history->fd, file, sizeof(*file), 0) == (ssize_t)sizeof(*file) &&
                    memcmp(file->magic, MAGIC, sizeof(file->magic)) == 0;
    if (is_whole) {
        check(file);
    } else {
        memset(file, 0, sizeof(*file)); /* megabytes: no compound literal on the stack */
    }
    return is_whole;
}

enum hf_status hf_console_history_open(const char *path, struct hf_console_history **ret_history,
                                       bool *ret_is_kept)
{
    struct hf_console_history *history = calloc(1, sizeof(*history));
    struct file *file = calloc(1, sizeof(*file));
    if (history == NULL || file == NULL) {
        free(history);
        free(file);
        return HF_NOMEM;
    }
    pthread_mutex_init(&history->lock, NULL);
    history->file = file;
    history->fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (history->fd >= 0 && !load(history)) {
        close(history->fd);
        history->fd = -1;
    }
    *ret_is_kept = history->fd >= 0;
    *ret_history = history;
    return HF_OK;
}

void hf_console_history_close(struct hf_console_history *history)
{
    if (history == NULL) {
        return;
    }
    if (history->fd >= 0) {
        close(history->fd);
    }
    pthread_mutex_destroy(&history->lock);
    free(history->file);
    free(history);
}

static struct row *find(const struct hf_console_history *history, const char *queue)
{
    for (size_t i = 0; i < HF_CONSOLE_HISTORY_QUEUES; i++) {
        struct row *row = &history->file->rows[i];
        if (strncmp(row->name, queue, NAME_MAX_BYTES) == 0 && row->name[0] != '\0') {
            return row;
        }
    }
    return NULL;
}

static uint32_t newest(const struct row *row)
{
    uint32_t minute = 0;
    for (size_t i = 0; i < HF_CONSOLE_HISTORY_POINTS; i++) {
        minute = row->points[i].minute > minute ? row->points[i].minute : minute;
    }
    return minute;
}

/* A free row, or that of the queue that is gone for longest. */
static struct row *take(const struct hf_console_history *history, const char *queue)
{
    struct row *oldest = &history->file->rows[0];
    uint32_t oldest_minute = UINT32_MAX;
    for (size_t i = 0; i < HF_CONSOLE_HISTORY_QUEUES && oldest_minute != 0; i++) {
        struct row *row = &history->file->rows[i];
        uint32_t minute = row->name[0] == '\0' ? 0 : newest(row);
        if (minute < oldest_minute) {
            oldest = row;
            oldest_minute = minute;
        }
    }
    memset(oldest, 0, sizeof(*oldest));
    memcpy(oldest->name, queue, strlen(queue));
    oldest->checksum = name_checksum(oldest);
    return put(history, oldest, sizeof(*oldest)) ? oldest : NULL;
}

void hf_console_history_record(struct hf_console_history *history, const char *queue,
                               const struct hf_console_point *point)
{
    if (point->minute == 0 || queue[0] == '\0' || strlen(queue) >= NAME_MAX_BYTES) {
        return;
    }
    pthread_mutex_lock(&history->lock);
    struct row *row = find(history, queue);
    row = row != NULL ? row : take(history, queue);
    if (row != NULL) {
        struct hf_console_point *at = &row->points[point->minute % HF_CONSOLE_HISTORY_POINTS];
        if (at->minute != point->minute) {
            *at = *point;
            at->checksum = checksum_of(at);
            (void)put(history, at,
                      sizeof(*at)); /* a full disk: the chart has a gap after a restart */
        }
    }
    pthread_mutex_unlock(&history->lock);
}

size_t hf_console_history_read(struct hf_console_history *history, const char *queue,
                               uint32_t now_minute,
                               struct hf_console_point ret_points[HF_CONSOLE_HISTORY_POINTS])
{
    size_t count = 0;
    pthread_mutex_lock(&history->lock);
    const struct row *row = find(history, queue);
    for (uint32_t i = 1; i <= HF_CONSOLE_HISTORY_POINTS && row != NULL; i++) {
        uint32_t minute = now_minute - HF_CONSOLE_HISTORY_POINTS + i;
        const struct hf_console_point *point = &row->points[minute % HF_CONSOLE_HISTORY_POINTS];
        if (point->minute == minute) {
            ret_points[count++] = *point;
        }
    }
    pthread_mutex_unlock(&history->lock);
    return count;
}
