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

#include "storage_internal.h"
#include "util/log.h"

#define QUEUES_MAX 1024
#define DEAD_LETTER_SEGMENT_BYTES (UINT64_C(16) << 20)
#define MIB 1048576.0

static void on_event(void *user, const struct wal_event *event)
{
    const struct entry *entry = user;
    char name[512];
    snprintf(name, sizeof(name), "%s/%s", entry->kind, entry->id);
    struct hf_log *log = entry->store->log;
    switch (event->kind) {
    case WAL_EVENT_DAMAGE:
        hf_log_line(log, HF_LOG_ERROR, name,
                    "damaged: %llu records, %llu bytes set aside%s%s; all others are served",
                    (unsigned long long)event->records, (unsigned long long)event->bytes,
                    event->path != NULL ? " in " : "", event->path != NULL ? event->path : "");
        break;
    case WAL_EVENT_CURSORS_LOST:
        hf_log_line(
            log, HF_LOG_WARN, name,
            "the cursors were damaged: sending starts again at the oldest record, which repeats "
            "some and loses none");
        break;
    case WAL_EVENT_WRITE_FAILED:
        hf_log_line(log, HF_LOG_ERROR, name, "cannot write: %s; senders are told to try again",
                    strerror(event->error));
        break;
    case WAL_EVENT_WRITE_BACK:
        hf_log_line(log, HF_LOG_INFO, name, "writing works again");
        break;
    case WAL_EVENT_CURSORS_FAILED:
        hf_log_line(log, event->is_refusing ? HF_LOG_ERROR : HF_LOG_WARN, name,
                    event->is_refusing
                        ? "cannot make the places of its exporters durable: %s; this error is "
                          "tried again until it is over, nothing is taken before"
                        : "cannot write what was delivered: %s; tried again until it works, a kill "
                          "before that repeats it",
                    strerror(event->error));
        break;
    case WAL_EVENT_CURSORS_BACK:
        hf_log_line(log, HF_LOG_INFO, name, "the places of its exporters are written again");
        break;
    case WAL_EVENT_DROPPED:
        hf_log_line(log, HF_LOG_WARN, name, "full: dropped the %llu oldest records of %s",
                    (unsigned long long)event->records,
                    event->consumer != NULL ? event->consumer : "a removed exporter");
        break;
    }
}

static struct entry *find(struct hf_storage *store, const char *kind, const char *id)
{
    for (struct entry *entry = store->entries; entry != NULL; entry = entry->next) {
        if (strcmp(entry->kind, kind) == 0 && strcmp(entry->id, id) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* With the mutex held. `options` has the limits. */
static enum wal_status open_entry(struct hf_storage *store, const char *kind, const char *id,
                                  struct wal_options *options, struct entry **ret_entry)
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
    struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL || (entry->id = strdup(id)) == NULL) {
        free(entry);
        return WAL_NOMEM;
    }
    entry->kind = kind;
    entry->store = store;
    entry->limits = (struct wal_limits){options->max_bytes, options->drop_oldest};
    options->directory = path;
    options->damaged_directory = damaged;
    options->no_fsync = store->no_fsync;
    options->event = on_event;
    options->user = entry;
    enum wal_status status = wal_open(options, &entry->wal);
    if (status != WAL_OK) {
        free(entry->id);
        free(entry);
        return status;
    }
    entry->next = store->entries;
    store->entries = entry;
    store->count++;
    *ret_entry = entry;
    return WAL_OK;
}

void hf_storage_close_queues(struct hf_storage *store)
{
    while (store->entries != NULL) {
        struct entry *entry = store->entries;
        store->entries = entry->next;
        if (entry->reader != NULL) {
            wal_consumer_close(entry->reader);
        }
        wal_close(entry->wal);
        free(entry->id);
        free(entry);
    }
}

/* ---- pipelines ---- */

static struct wal_limits limits_of(const struct hf_storage *store,
                                   const struct hf_queue_options *options)
{
    return (struct wal_limits){
        .max_bytes = options->max_bytes != 0 ? options->max_bytes : store->max_bytes,
        .drop_oldest = options->drop_oldest,
    };
}

/* With the mutex held. */
static enum wal_status need_queue(struct hf_storage *store, const char *pipeline,
                                  const struct hf_queue_options *options, struct entry **ret_entry)
{
    struct entry *entry = find(store, HF_STORAGE_QUEUE, pipeline);
    enum wal_status status = WAL_OK;
    if (entry == NULL) {
        struct wal_limits limits = limits_of(store, options);
        struct wal_options made = {.max_bytes = limits.max_bytes,
                                   .drop_oldest = limits.drop_oldest};
        status = open_entry(store, HF_STORAGE_QUEUE, pipeline, &made, &entry);
    }
    *ret_entry = entry;
    return status;
}

enum hf_status hf_storage_queue(struct hf_storage *store, const char *pipeline,
                                const struct hf_queue_options *options, struct wal **ret_wal,
                                char *reterr)
{
    struct entry *entry = NULL;
    pthread_mutex_lock(&store->mutex);
    enum wal_status status = need_queue(store, pipeline, options, &entry);
    pthread_mutex_unlock(&store->mutex);
    if (status != WAL_OK) {
        hf_storage_explain(status, store->directory, reterr);
        return hf_status_of_wal(status);
    }
    *ret_wal = entry->wal;
    return HF_OK;
}

/* Puts limits in force and logs those that a configuration changed. With the mutex held. */
static void limit(struct entry *entry, struct wal_limits limits, const char *section)
{
    struct wal_limits before = entry->is_asked ? entry->limits : limits;
    bool is_dead_letters = strcmp(entry->kind, HF_STORAGE_DEAD_LETTERS) == 0;
    struct hf_log *log = entry->store->log;
    struct wal_stat stat;
    wal_set_limits(entry->wal, &limits);
    entry->limits = limits;
    entry->is_asked = true;
    if (before.max_bytes != limits.max_bytes) {
        hf_log_line(log, HF_LOG_INFO, entry->id, "%s::max_bytes is now %.1f MiB; it was %.1f MiB",
                    section, (double)limits.max_bytes / MIB, (double)before.max_bytes / MIB);
    }
    if (before.drop_oldest != limits.drop_oldest) {
        hf_log_line(log, HF_LOG_INFO, entry->id, "%s::on_full is now %s", section,
                    limits.drop_oldest ? "drop_oldest"
                    : is_dead_letters  ? "hold"
                                       : "reject");
    }
    wal_stat(entry->wal, &stat);
    if (limits.max_bytes < before.max_bytes && stat.disk_bytes > limits.max_bytes) {
        hf_log_line(log, HF_LOG_WARN, entry->id, "%.1f MiB are stored, more than the new limit: %s",
                    (double)stat.disk_bytes / MIB,
                    limits.drop_oldest ? "the oldest are dropped as new data comes"
                    : is_dead_letters
                        ? "what is refused stays in its queue until some are requeued or dropped"
                        : "senders are told to come back until enough is delivered; nothing is "
                          "deleted");
    }
}

void hf_storage_limit_queue(struct hf_storage *store, const char *pipeline,
                            const struct hf_queue_options *options)
{
    pthread_mutex_lock(&store->mutex);
    struct entry *entry = find(store, HF_STORAGE_QUEUE, pipeline);
    if (entry != NULL) {
        limit(entry, limits_of(store, options), "sending_queue");
    }
    pthread_mutex_unlock(&store->mutex);
}

/* ---- dead letters ---- */

/* With the mutex held. */
static enum wal_status need_dead_letters(struct hf_storage *store, const char *exporter,
                                         const struct wal_limits *limits, struct entry **ret_entry)
{
    struct entry *entry = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    enum wal_status status = WAL_OK;
    if (entry == NULL) {
        struct wal_options made = {.max_bytes = limits->max_bytes,
                                   .segment_bytes = DEAD_LETTER_SEGMENT_BYTES,
                                   .drop_oldest = limits->drop_oldest};
        struct wal_consumer_options reader = {.name = HF_DEAD_LETTER_READER, .from_oldest = true};
        status = open_entry(store, HF_STORAGE_DEAD_LETTERS, exporter, &made, &entry);
        if (status == WAL_OK && wal_consumer_open(entry->wal, &reader, &entry->reader) != WAL_OK) {
            entry->reader = NULL;
        }
    }
    *ret_entry = entry;
    return status;
}

struct wal *hf_storage_dead_letters(struct hf_storage *store, const char *exporter,
                                    const struct wal_limits *limits)
{
    struct entry *entry = NULL;
    pthread_mutex_lock(&store->mutex);
    enum wal_status status = need_dead_letters(store, exporter, limits, &entry);
    pthread_mutex_unlock(&store->mutex);
    if (status != WAL_OK) {
        hf_log_line(store->log, HF_LOG_ERROR, exporter, "cannot open the dead letters: %s",
                    wal_status_text(status));
        return NULL;
    }
    return entry->wal;
}

struct wal_consumer *hf_storage_dead_letter_reader(struct hf_storage *store, const char *exporter)
{
    pthread_mutex_lock(&store->mutex);
    const struct entry *entry = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    pthread_mutex_unlock(&store->mutex);
    return entry != NULL ? entry->reader : NULL;
}

void hf_storage_limit_dead_letters(struct hf_storage *store, const char *exporter,
                                   const struct wal_limits *limits)
{
    pthread_mutex_lock(&store->mutex);
    struct entry *dead_letters = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    struct entry *requeued = find(store, HF_STORAGE_REQUEUE, exporter);
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
                                    struct entry **ret_entry)
{
    struct entry *entry = find(store, HF_STORAGE_REQUEUE, exporter);
    if (entry != NULL) {
        *ret_entry = entry;
        return WAL_OK;
    }
    const struct entry *dead_letters = find(store, HF_STORAGE_DEAD_LETTERS, exporter);
    struct wal_options made = {.max_bytes =
                                   dead_letters != NULL ? dead_letters->limits.max_bytes : 0,
                               .segment_bytes = DEAD_LETTER_SEGMENT_BYTES};
    struct wal_consumer_options sender = {.name = exporter, .from_oldest = true};
    struct wal_consumer *consumer = NULL;
    enum wal_status status = open_entry(store, HF_STORAGE_REQUEUE, exporter, &made, &entry);
    if (status == WAL_OK) {
        status = wal_consumer_open(entry->wal, &sender, &consumer);
    }
    if (status != WAL_OK) {
        return status;
    }
    wal_consumer_close(consumer);
    for (struct hf_requeue_watch *watch = store->watches; watch != NULL; watch = watch->next) {
        if (strcmp(watch->exporter, exporter) == 0) {
            watch->made(watch->user, entry->wal);
        }
    }
    *ret_entry = entry;
    return WAL_OK;
}

enum hf_status hf_storage_requeue(struct hf_storage *store, const char *exporter,
                                  struct wal **ret_wal, char *reterr)
{
    struct entry *entry = NULL;
    pthread_mutex_lock(&store->mutex);
    enum wal_status status = need_requeue(store, exporter, &entry);
    pthread_mutex_unlock(&store->mutex);
    if (status != WAL_OK) {
        hf_storage_explain(status, store->directory, reterr);
        return hf_status_of_wal(status);
    }
    *ret_wal = entry->wal;
    return HF_OK;
}

struct wal *hf_storage_watch_requeue(struct hf_storage *store, struct hf_requeue_watch *watch)
{
    pthread_mutex_lock(&store->mutex);
    const struct entry *entry = find(store, HF_STORAGE_REQUEUE, watch->exporter);
    watch->next = store->watches;
    store->watches = watch;
    pthread_mutex_unlock(&store->mutex);
    return entry != NULL ? entry->wal : NULL;
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
    /* Entries are only ever put in front and live until the store closes, so the walk needs no
     * lock. */
    pthread_mutex_lock(&store->mutex);
    struct entry *entry = store->entries;
    pthread_mutex_unlock(&store->mutex);
    for (; entry != NULL; entry = entry->next) {
        visit(user, entry->kind, entry->id, entry->wal);
    }
}

/* With the mutex held. */
static enum wal_status need(struct hf_storage *store, const char *kind, const char *id)
{
    struct entry *entry = NULL;
    if (strcmp(kind, HF_STORAGE_DEAD_LETTERS) == 0) {
        /* Dead letters are added only after a configuration has set their limit. */
        return need_dead_letters(store, id, &(const struct wal_limits){0}, &entry);
    }
    return strcmp(kind, HF_STORAGE_REQUEUE) == 0
               ? need_requeue(store, id, &entry)
               : need_queue(store, id, &(const struct hf_queue_options){0}, &entry);
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
        bool has_error = stat.refusal_error != 0;
        snprintf(health->why, health->room, "the queue of %.100s takes nothing: %s%s%s", id,
                 stat.refusal, has_error ? ": " : "",
                 has_error ? strerror(stat.refusal_error) : "");
        health->any = true;
    }
}

bool hf_storage_is_healthy(struct hf_storage *store, char *ret_why, size_t room)
{
    struct health health = {.why = ret_why, .room = room};
    hf_storage_each(store, look, &health);
    return !health.any;
}
