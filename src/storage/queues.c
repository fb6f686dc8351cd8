/*
 * queues: the queues in the data directory: opened once, with their limits and their events.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <holdfast/component.h>

#include "refusal.h"
#include "storage_internal.h"
#include "util/log/log.h"

#define QUEUES_MAX 1024
#define DEAD_LETTER_SEGMENT_BYTES (UINT64_C(16) << 20)
#define MIB 1048576.0
#define TAIL_BYTES ((size_t)8 << 20) /* of one queue, or of all of a pipeline with up to eight */
#define TAIL_BYTES_MIN ((size_t)1 << 20)

static void on_event(void *user, const struct wal_event *event)
{
    const struct open_queue *queue = user;
    char name[512];
    snprintf(name, sizeof(name), "%s/%s", queue->kind, queue->id);
    struct hf_log *log = queue->store->log;
    switch (event->kind) {
    case WAL_EVENT_DAMAGE:
        hf_log_keys(log, HF_LOG_ERROR, name, "damaged records are set aside; all others are served",
                    HF_LOG_KEYS(HF_LOG_NUMBER("records", event->records),
                                HF_LOG_NUMBER("bytes", event->bytes),
                                HF_LOG_TEXT("path", event->path)));
        break;
    case WAL_EVENT_CURSORS_LOST:
        hf_log_line(
            log, HF_LOG_WARN, name,
            "the cursors were damaged: sending starts again at the oldest record, which repeats "
            "some and loses none");
        break;
    case WAL_EVENT_WRITE_FAILED:
        hf_log_keys(log, HF_LOG_ERROR, name, "cannot write; clients are told to retry",
                    HF_LOG_KEYS(HF_LOG_TEXT("error", strerror(event->error))));
        break;
    case WAL_EVENT_WRITE_BACK:
        hf_log_line(log, HF_LOG_INFO, name, "writing works again");
        break;
    case WAL_EVENT_CURSORS_FAILED:
        hf_log_keys(log, event->is_refusing ? HF_LOG_ERROR : HF_LOG_WARN, name,
                    event->is_refusing
                        ? "cannot write the cursors of its exporters; data is refused until that "
                          "works again"
                        : "cannot write what was delivered; retrying, a kill before it works "
                          "causes repeats",
                    HF_LOG_KEYS(HF_LOG_TEXT("error", strerror(event->error))));
        break;
    case WAL_EVENT_CURSORS_BACK:
        hf_log_line(log, HF_LOG_INFO, name, "the cursors of its exporters are written again");
        break;
    case WAL_EVENT_DROPPED:
        hf_log_keys(
            log, HF_LOG_WARN, name, "full: the oldest records are dropped",
            HF_LOG_KEYS(HF_LOG_NUMBER("records", event->records),
                        HF_LOG_TEXT("exporter", event->consumer != NULL ? event->consumer
                                                                        : "a removed exporter")));
        break;
    }
}

static struct open_queue *find(struct hf_storage *store, const char *kind, const char *id)
{
    for (struct open_queue *queue = store->queues; queue != NULL; queue = queue->next) {
        if (strcmp(queue->kind, kind) == 0 && strcmp(queue->id, id) == 0) {
            return queue;
        }
    }
    return NULL;
}

struct open_queue *hf_storage_find_queue(struct hf_storage *store, const char *pipeline)
{
    pthread_mutex_lock(&store->mutex);
    struct open_queue *queue = find(store, HF_STORAGE_QUEUE, pipeline);
    pthread_mutex_unlock(&store->mutex);
    return queue;
}

void hf_storage_take_out(struct hf_storage *store, struct open_queue *queue)
{
    pthread_mutex_lock(&store->mutex);
    struct open_queue **link = &store->queues;
    while (*link != queue) {
        link = &(*link)->next;
    }
    *link = queue->next;
    store->count--;
    pthread_mutex_unlock(&store->mutex);
}

void hf_storage_close_queue(struct open_queue *queue)
{
    if (queue->reader != NULL) {
        wal_consumer_close(queue->reader);
    }
    wal_close(queue->wal);
    free(queue->id);
    free(queue);
}

/* With the mutex held. `options` has the limits. */
static enum wal_status open_queue_of_kind(struct hf_storage *store, const char *kind,
                                          const char *id, struct wal_options *options,
                                          struct open_queue **ret_queue)
{
    char escaped[3 * WAL_NAME_BYTES_MAX + 1];
    char path[PATH_BYTES_MAX];
    char damaged[PATH_BYTES_MAX];
    if (store->count >= QUEUES_MAX || strlen(id) > WAL_NAME_BYTES_MAX) {
        return WAL_TOO_LARGE;
    }
    hf_storage_escape(id, escaped);
    snprintf(path, sizeof(path), "%s/%s", store->directory, kind);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return errno == ENOSPC ? WAL_NO_SPACE : WAL_NO_RIGHT;
    }
    int unsynced = store->no_fsync ? 0 : hf_storage_sync_directory(store->directory);
    if (unsynced != 0) {
        errno = unsynced;
        return unsynced == EIO ? WAL_IO : WAL_NO_SPACE;
    }
    snprintf(path, sizeof(path), "%s/%s/%s", store->directory, kind, escaped);
    snprintf(damaged, sizeof(damaged), "%s/damaged/%s-%s", store->directory, kind, escaped);
    struct open_queue *queue = calloc(1, sizeof(*queue));
    if (queue == NULL || (queue->id = strdup(id)) == NULL) {
        free(queue);
        return WAL_NOMEM;
    }
    queue->kind = kind;
    queue->store = store;
    queue->limits = (struct wal_limits){options->max_bytes, options->drop_oldest};
    options->directory = path;
    options->damaged_directory = damaged;
    options->no_fsync = store->no_fsync;
    options->event = on_event;
    options->user = queue;
    enum wal_status status = wal_open(options, &queue->wal);
    if (status != WAL_OK) {
        free(queue->id);
        free(queue);
        return status;
    }
    queue->next = store->queues;
    store->queues = queue;
    store->count++;
    *ret_queue = queue;
    return WAL_OK;
}

void hf_storage_close_queues(struct hf_storage *store)
{
    while (store->queues != NULL) {
        struct open_queue *queue = store->queues;
        store->queues = queue->next;
        hf_storage_close_queue(queue);
    }
}

/* ---- pipelines ---- */

static struct wal_limits limits_of(const struct hf_storage *store,
                                   const struct hf_queue_options *options)
{
    uint64_t max_bytes = options->max_bytes != 0 ? options->max_bytes : store->max_bytes;
    return (struct wal_limits){
        .max_bytes = options->parts > 1 ? max_bytes / options->parts : max_bytes,
        .drop_oldest = options->drop_oldest,
    };
}

/* What a queue may keep in memory of its newest records; 0: the default. */
static size_t tail_bytes(unsigned parts)
{
    size_t part = parts > 1 ? TAIL_BYTES / parts : 0;
    return part != 0 && part < TAIL_BYTES_MIN ? TAIL_BYTES_MIN : part;
}

/* With the mutex held. */
static enum wal_status need_queue(struct hf_storage *store, const char *pipeline,
                                  const struct hf_queue_options *options,
                                  struct open_queue **ret_queue)
{
    struct open_queue *queue = find(store, HF_STORAGE_QUEUE, pipeline);
    enum wal_status status = WAL_OK;
    if (queue == NULL) {
        struct wal_limits limits = limits_of(store, options);
        struct wal_options made = {.max_bytes = limits.max_bytes,
                                   .tail_bytes = tail_bytes(options->parts),
                                   .drop_oldest = limits.drop_oldest};
        status = open_queue_of_kind(store, HF_STORAGE_QUEUE, pipeline, &made, &queue);
    }
    *ret_queue = queue;
    return status;
}

enum hf_status hf_storage_queue(struct hf_storage *store, const char *pipeline,
                                const struct hf_queue_options *options, struct wal **ret_wal,
                                char *reterr)
{
    struct open_queue *queue = NULL;
    pthread_mutex_lock(&store->mutex);
    enum wal_status status = need_queue(store, pipeline, options, &queue);
    pthread_mutex_unlock(&store->mutex);
    if (status != WAL_OK) {
        hf_storage_explain(status, store->directory, reterr);
        return hf_status_of_wal(status);
    }
    *ret_wal = queue->wal;
    return HF_OK;
}

/* Puts limits in force and logs those that a configuration changed. With the mutex held. */
static void limit(struct open_queue *queue, struct wal_limits limits, const char *section)
{
    struct wal_limits before = queue->is_asked ? queue->limits : limits;
    bool is_dead_letters = strcmp(queue->kind, HF_STORAGE_DEAD_LETTERS) == 0;
    struct hf_log *log = queue->store->log;
    struct wal_stat stat;
    wal_set_limits(queue->wal, &limits);
    queue->limits = limits;
    queue->is_asked = true;
    if (before.max_bytes != limits.max_bytes) {
        hf_log_line(log, HF_LOG_INFO, queue->id, "%s::max_bytes is now %.1f MiB; it was %.1f MiB",
                    section, (double)limits.max_bytes / MIB, (double)before.max_bytes / MIB);
    }
    if (before.drop_oldest != limits.drop_oldest) {
        hf_log_line(log, HF_LOG_INFO, queue->id, "%s::on_full is now %s", section,
                    limits.drop_oldest ? "drop_oldest"
                    : is_dead_letters  ? "hold"
                                       : "reject");
    }
    wal_stat(queue->wal, &stat);
    if (limits.max_bytes < before.max_bytes && stat.disk_bytes > limits.max_bytes) {
        hf_log_line(
            log, HF_LOG_WARN, queue->id, "%.1f MiB are stored, more than the new limit: %s",
            (double)stat.disk_bytes / MIB,
            limits.drop_oldest ? "the oldest are dropped as new data comes"
            : is_dead_letters
                ? "data that is refused for good stays in its queue until some are requeued or "
                  "dropped"
                : "clients are told to retry until enough is delivered; nothing is deleted");
    }
}

void hf_storage_limit_queue(struct hf_storage *store, const char *pipeline,
                            const struct hf_queue_options *options)
{
    pthread_mutex_lock(&store->mutex);
    struct open_queue *queue = find(store, HF_STORAGE_QUEUE, pipeline);
    if (queue != NULL) {
        limit(queue, limits_of(store, options), "sending_queue");
    }
    pthread_mutex_unlock(&store->mutex);
}

/* ---- dead letters ---- */

/* With the mutex held. */
static enum wal_status need_dead_letters(struct hf_storage *store, const char *exporter,
                                         const struct wal_limits *limits,
                                         struct open_queue **ret_queue)
{
    struct open_queue *queue = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    enum wal_status status = WAL_OK;
    if (queue == NULL) {
        struct wal_options made = {.max_bytes = limits->max_bytes,
                                   .segment_bytes = DEAD_LETTER_SEGMENT_BYTES,
                                   .drop_oldest = limits->drop_oldest};
        struct wal_consumer_options reader = {.name = HF_DEAD_LETTER_READER, .from_oldest = true};
        status = open_queue_of_kind(store, HF_STORAGE_DEAD_LETTERS, exporter, &made, &queue);
        if (status == WAL_OK && wal_consumer_open(queue->wal, &reader, &queue->reader) != WAL_OK) {
            queue->reader = NULL;
        }
    }
    *ret_queue = queue;
    return status;
}

struct wal *hf_storage_dead_letters(struct hf_storage *store, const char *exporter,
                                    const struct wal_limits *limits)
{
    struct open_queue *queue = NULL;
    pthread_mutex_lock(&store->mutex);
    enum wal_status status = need_dead_letters(store, exporter, limits, &queue);
    pthread_mutex_unlock(&store->mutex);
    if (status != WAL_OK) {
        hf_log_line(store->log, HF_LOG_ERROR, exporter, "cannot open the dead letters: %s",
                    wal_status_text(status));
        return NULL;
    }
    return queue->wal;
}

struct wal_consumer *hf_storage_dead_letter_reader(struct hf_storage *store, const char *exporter)
{
    pthread_mutex_lock(&store->mutex);
    const struct open_queue *queue = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    pthread_mutex_unlock(&store->mutex);
    return queue != NULL ? queue->reader : NULL;
}

void hf_storage_limit_dead_letters(struct hf_storage *store, const char *exporter,
                                   const struct wal_limits *limits)
{
    pthread_mutex_lock(&store->mutex);
    struct open_queue *dead_letters = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    struct open_queue *requeued = find(store, HF_STORAGE_REQUEUE, exporter);
    if (dead_letters != NULL) {
        limit(dead_letters, *limits, "sending_queue::dead_letter");
    }
    if (requeued != NULL) {
        requeued->limits.max_bytes = limits->max_bytes;
        wal_set_limits(requeued->wal, &requeued->limits);
    }
    pthread_mutex_unlock(&store->mutex);
}

/* ---- requeued dead letters ---- */

/* With the mutex held. Its consumer is stored before anything is in it, so that it has it all. */
static enum wal_status need_requeue(struct hf_storage *store, const char *exporter,
                                    struct open_queue **ret_queue)
{
    struct open_queue *queue = find(store, HF_STORAGE_REQUEUE, exporter);
    if (queue != NULL) {
        *ret_queue = queue;
        return WAL_OK;
    }
    const struct open_queue *dead_letters = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    struct wal_options made = {.max_bytes =
                                   dead_letters != NULL ? dead_letters->limits.max_bytes : 0,
                               .segment_bytes = DEAD_LETTER_SEGMENT_BYTES};
    struct wal_consumer_options sender = {.name = exporter, .from_oldest = true};
    struct wal_consumer *consumer = NULL;
    enum wal_status status = open_queue_of_kind(store, HF_STORAGE_REQUEUE, exporter, &made, &queue);
    if (status == WAL_OK) {
        status = wal_consumer_open(queue->wal, &sender, &consumer);
    }
    if (status != WAL_OK) {
        return status;
    }
    wal_consumer_close(consumer);
    for (struct hf_requeue_watch *watch = store->watches; watch != NULL; watch = watch->next) {
        if (strcmp(watch->exporter, exporter) == 0) {
            watch->made(watch->user, queue->wal);
        }
    }
    *ret_queue = queue;
    return WAL_OK;
}

enum hf_status hf_storage_requeue(struct hf_storage *store, const char *exporter,
                                  struct wal **ret_wal, char *reterr)
{
    struct open_queue *queue = NULL;
    pthread_mutex_lock(&store->mutex);
    enum wal_status status = need_requeue(store, exporter, &queue);
    pthread_mutex_unlock(&store->mutex);
    if (status != WAL_OK) {
        hf_storage_explain(status, store->directory, reterr);
        return hf_status_of_wal(status);
    }
    *ret_wal = queue->wal;
    return HF_OK;
}

struct wal *hf_storage_watch_requeue(struct hf_storage *store, struct hf_requeue_watch *watch)
{
    pthread_mutex_lock(&store->mutex);
    const struct open_queue *queue = find(store, HF_STORAGE_REQUEUE, watch->exporter);
    watch->next = store->watches;
    store->watches = watch;
    pthread_mutex_unlock(&store->mutex);
    return queue != NULL ? queue->wal : NULL;
}

void hf_storage_unwatch_requeue(struct hf_storage *store, struct hf_requeue_watch *watch)
{
    pthread_mutex_lock(&store->mutex);
    struct hf_requeue_watch **link = &store->watches;
    while (*link != NULL && *link != watch) {
        link = &(*link)->next;
    }
    if (*link == watch) {
        *link = watch->next;
    }
    pthread_mutex_unlock(&store->mutex);
}

bool hf_storage_is_watched(struct hf_storage *store, const char *exporter)
{
    pthread_mutex_lock(&store->mutex);
    const struct hf_requeue_watch *watch = store->watches;
    while (watch != NULL && strcmp(watch->exporter, exporter) != 0) {
        watch = watch->next;
    }
    pthread_mutex_unlock(&store->mutex);
    return watch != NULL;
}

/* ---- all of them ---- */

void hf_storage_each(struct hf_storage *store,
                     void (*visit)(void *user, const char *kind, const char *id, struct wal *wal),
                     void *user)
{
    /* Queues are only added in front, and stay while they are held: the walk needs no mutex. */
    hf_storage_hold(store);
    pthread_mutex_lock(&store->mutex);
    struct open_queue *queue = store->queues;
    pthread_mutex_unlock(&store->mutex);
    for (; queue != NULL; queue = queue->next) {
        visit(user, queue->kind, queue->id, queue->wal);
    }
    hf_storage_release(store);
}

/* With the mutex held. */
static enum wal_status need(struct hf_storage *store, const char *kind, const char *id)
{
    struct open_queue *queue = NULL;
    if (strcmp(kind, HF_STORAGE_DEAD_LETTERS) == 0) {
        /* Dead letters are added only after a configuration has set their limit. */
        return need_dead_letters(store, id, &(const struct wal_limits){0}, &queue);
    }
    return strcmp(kind, HF_STORAGE_REQUEUE) == 0
               ? need_requeue(store, id, &queue)
               : need_queue(store, id, &(const struct hf_queue_options){0}, &queue);
}

static bool open_kind(struct hf_storage *store, const char *kind)
{
    bool good = true;
    char path[PATH_BYTES_MAX];
    char id[WAL_NAME_BYTES_MAX + 1];
    char why[HF_ERROR_MAX];
    snprintf(path, sizeof(path), "%s/%s", store->directory, kind);
    DIR *directory = opendir(path);
    const struct dirent *found;
    while (directory != NULL && (found = readdir(directory)) != NULL) {
        if (found->d_name[0] == '.' || strlen(found->d_name) > WAL_NAME_BYTES_MAX) {
            continue;
        }
        hf_storage_unescape(found->d_name, id);
        pthread_mutex_lock(&store->mutex);
        enum wal_status status = need(store, kind, id);
        pthread_mutex_unlock(&store->mutex);
        if (status != WAL_OK) {
            hf_storage_explain(status, store->directory, why);
            hf_log_line(store->log, HF_LOG_ERROR, "store", "%s %s: %s", kind, id, why);
            good = false;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return good;
}

bool hf_storage_open_all(struct hf_storage *store)
{
    bool good = open_kind(store, HF_STORAGE_QUEUE);
    good = open_kind(store, HF_STORAGE_DEAD_LETTERS) && good;
    return open_kind(store, HF_STORAGE_REQUEUE) && good;
}

struct health {
    char *why;
    size_t room;
    bool any;
};

static void look(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct health *health = user;
    struct wal_stat stat;
    if (strcmp(kind, HF_STORAGE_QUEUE) != 0) {
        return;
    }
    wal_stat(wal, &stat);
    if (!stat.healthy && !health->any) {
        char why[HF_REFUSAL_MAX];
        hf_refusal_say(&stat, why);
        snprintf(health->why, health->room, "the queue of %.100s takes nothing: %s", id, why);
        health->any = true;
    }
}

bool hf_storage_is_healthy(struct hf_storage *store, char *ret_why, size_t room)
{
    struct health health = {.why = ret_why, .room = room};
    hf_storage_each(store, look, &health);
    return !health.any;
}
