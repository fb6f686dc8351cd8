/*
 * store_queues: the queues in the data directory.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../util/log.h"
#include "store_internal.h"

#define QUEUES_MAX 1024

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
    case WAL_EVENT_DROPPED:
        hf_log_line(log, HF_LOG_WARN, name, "full: dropped the %llu oldest records of %s",
                    (unsigned long long)event->records,
                    event->consumer != NULL ? event->consumer : "a removed exporter");
        break;
    }
}

static struct entry *find(struct hf_store *store, const char *kind, const char *id)
{
    for (struct entry *entry = store->entries; entry != NULL; entry = entry->next) {
        if (strcmp(entry->kind, kind) == 0 && strcmp(entry->id, id) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* With the mutex held. */
static enum wal_status open_entry(struct hf_store *store, const char *kind, const char *id,
                                  struct wal_options *options, struct entry **ret_entry)
{
    char escaped[3 * WAL_NAME_BYTES_MAX + 1];
    char path[PATH_BYTES_MAX];
    char damaged[PATH_BYTES_MAX];
    if (store->count >= QUEUES_MAX || strlen(id) > WAL_NAME_BYTES_MAX) {
        return WAL_TOO_LARGE;
    }
    hf_store_escape(id, escaped);
    snprintf(path, sizeof(path), "%s/%s", store->directory, kind);
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return errno == ENOSPC ? WAL_NO_SPACE : WAL_NO_RIGHT;
    }
    if (!store->no_fsync) {
        hf_store_sync_directory(store->directory);
    }
    snprintf(path, sizeof(path), "%s/%s/%s", store->directory, kind, escaped);
    snprintf(damaged, sizeof(damaged), "%s/damaged", store->directory);
    struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL || (entry->id = strdup(id)) == NULL) {
        free(entry);
        return WAL_NOMEM;
    }
    entry->kind = kind;
    entry->store = store;
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

void hf_store_close_queues(struct hf_store *store)
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

enum hf_status hf_store_queue(struct hf_store *store, const char *pipeline,
                              const struct hf_queue_options *options, struct wal **ret_wal,
                              char *reterr)
{
    pthread_mutex_lock(&store->mutex);
    enum wal_status status = WAL_OK;
    struct entry *entry = find(store, "queue", pipeline);
    if (entry == NULL) {
        struct wal_options made = {
            .max_bytes = options->max_bytes != 0 ? options->max_bytes : store->max_bytes,
            .drop_oldest = options->drop_oldest,
        };
        status = open_entry(store, "queue", pipeline, &made, &entry);
        if (status == WAL_OK) {
            entry->max_bytes = options->max_bytes;
        }
    } else if (options->max_bytes != 0 && options->max_bytes != entry->max_bytes) {
        hf_log_line(
            store->log, HF_LOG_WARN, pipeline,
            "sending_queue::max_bytes has changed; the new limit counts from the next start");
    }
    pthread_mutex_unlock(&store->mutex);
    if (status != WAL_OK) {
        hf_store_explain(status, store->directory, reterr);
        return hf_status_of_wal(status);
    }
    *ret_wal = entry->wal;
    return HF_OK;
}

struct wal *hf_store_dead_letters(struct hf_store *store, const char *exporter, uint64_t max_bytes)
{
    pthread_mutex_lock(&store->mutex);
    struct entry *entry = find(store, "deadletter", exporter);
    if (entry == NULL) {
        struct wal_options made = {
            .max_bytes = max_bytes, .segment_bytes = 16u << 20, .drop_oldest = true};
        enum wal_status status = open_entry(store, "deadletter", exporter, &made, &entry);
        struct wal_consumer_options reader = {.name = HF_DEAD_LETTER_READER, .from_oldest = true};
        if (status == WAL_OK && wal_consumer_open(entry->wal, &reader, &entry->reader) != WAL_OK) {
            entry->reader = NULL;
        }
        if (status != WAL_OK) {
            entry = NULL;
            hf_log_line(store->log, HF_LOG_ERROR, exporter, "cannot open the dead letters: %s",
                        wal_status_text(status));
        }
    }
    pthread_mutex_unlock(&store->mutex);
    return entry != NULL ? entry->wal : NULL;
}

void hf_store_each(struct hf_store *store,
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

#define DEAD_LETTER_BYTES_MAX (UINT64_C(1) << 30)

static bool open_kind(struct hf_store *store, const char *kind)
{
    bool good = true;
    char path[PATH_BYTES_MAX];
    char id[WAL_NAME_BYTES_MAX + 1];
    char why[512];
    snprintf(path, sizeof(path), "%s/%s", store->directory, kind);
    DIR *directory = opendir(path);
    const struct dirent *found;
    while (directory != NULL && (found = readdir(directory)) != NULL) {
        if (found->d_name[0] == '.' || strlen(found->d_name) > WAL_NAME_BYTES_MAX) {
            continue;
        }
        hf_store_unescape(found->d_name, id);
        struct wal *wal = NULL;
        const struct hf_queue_options plain = {0};
        if (strcmp(kind, "deadletter") == 0) {
            good = hf_store_dead_letters(store, id, DEAD_LETTER_BYTES_MAX) != NULL && good;
        } else if (hf_store_queue(store, id, &plain, &wal, why) != HF_OK) {
            hf_log_line(store->log, HF_LOG_ERROR, "store", "queue %s: %s", id, why);
            good = false;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return good;
}

bool hf_store_open_all(struct hf_store *store)
{
    bool good = open_kind(store, "queue");
    return open_kind(store, "deadletter") && good;
}

struct wal_consumer *hf_store_dead_letter_reader(struct hf_store *store, const char *exporter)
{
    pthread_mutex_lock(&store->mutex);
    const struct entry *entry = find(store, "deadletter", exporter);
    pthread_mutex_unlock(&store->mutex);
    return entry != NULL ? entry->reader : NULL;
}

static void look(void *user, const char *kind, const char *id, struct wal *wal)
{
    bool *healthy = user;
    struct wal_stat stat;
    (void)id;
    wal_stat(wal, &stat);
    if (strcmp(kind, "queue") == 0 && !stat.healthy) {
        *healthy = false;
    }
}

bool hf_store_is_healthy(struct hf_store *store)
{
    bool healthy = true;
    hf_store_each(store, look, &healthy);
    return healthy;
}
