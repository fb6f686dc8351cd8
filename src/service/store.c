#include "store.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../../wal/lock.h"
#include "../util/log.h"

#define PATH_BYTES_MAX 4096
#define DEFAULT_MAX_BYTES (UINT64_C(20) << 30)
#define QUEUES_MAX 1024

struct entry {
    struct entry *next;
    const char *kind; /* "queue", "deadletter" */
    char *id;
    struct wal *wal;
    uint64_t max_bytes;          /* as asked for when it was opened */
    struct wal_consumer *reader; /* of dead letters: keeps them until an operator takes them */
    struct hf_store *store;
};

struct hf_store {
    char *directory;
    struct hf_log *log;
    struct wal_lock *lock;
    bool no_fsync;
    uint64_t max_bytes;
    pthread_mutex_t mutex; /* guards `entries`; an entry lives until the store closes */
    struct entry *entries;
    size_t count;
};

enum hf_status hf_status_of_wal(enum wal_status status)
{
    switch (status) {
    case WAL_OK:
        return HF_OK;
    case WAL_FULL:
    case WAL_NO_SPACE:
        return HF_FULL;
    case WAL_CLOSED:
        return HF_CLOSED;
    case WAL_CORRUPT:
    case WAL_TOO_NEW:
        return HF_CORRUPT;
    case WAL_NOMEM:
        return HF_NOMEM;
    case WAL_TOO_LARGE:
        return HF_TOO_LARGE;
    case WAL_MISSING:
        return HF_NOT_FOUND;
    case WAL_NO_RIGHT:
        return HF_FORBIDDEN;
    case WAL_IO:
    case WAL_REMOTE:
        return HF_IO;
    }
    return HF_IO;
}

void hf_store_escape(const char *id, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t used = 0;
    for (const unsigned char *p = (const unsigned char *)id; *p != '\0'; p++) {
        if (isalnum(*p) || *p == '_' || *p == '-' || (*p == '.' && used != 0)) {
            out[used++] = (char)*p;
        } else {
            out[used++] = '%';
            out[used++] = hex[*p >> 4];
            out[used++] = hex[*p & 15];
        }
    }
    out[used] = '\0';
}

void hf_store_unescape(const char *name, char *out)
{
    size_t used = 0;
    for (const char *p = name; *p != '\0'; p++) {
        unsigned byte;
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
            sscanf(p + 1, "%2x", &byte) == 1) {
            out[used++] = (char)byte;
            p += 2;
        } else {
            out[used++] = *p;
        }
    }
    out[used] = '\0';
}

/* Who may do what with the directory, or with the nearest one above it that exists. */
static void describe(const char *path, char *out, size_t room)
{
    char at[PATH_BYTES_MAX];
    struct stat info;
    snprintf(at, sizeof(at), "%s", path);
    while (stat(at, &info) != 0) {
        char *slash = strrchr(at, '/');
        if (slash == NULL || slash == at) {
            snprintf(at, sizeof(at), "%s", slash == NULL ? "." : "/");
            if (stat(at, &info) != 0) {
                return;
            }
            break;
        }
        *slash = '\0';
    }
    snprintf(out, room, "%s has mode %04o, owner %u:%u", at, (unsigned)(info.st_mode & 07777),
             (unsigned)info.st_uid, (unsigned)info.st_gid);
}

static void explain(enum wal_status status, const char *path, char *reterr)
{
    const char *error = strerror(errno);
    char who[PATH_BYTES_MAX / 8] = "";
    describe(path, who, sizeof(who));
    switch (status) {
    case WAL_NO_RIGHT:
        snprintf(
            reterr, 512,
            "cannot write the data directory %.150s as uid %u gid %u: %s (%.150s); give this user "
            "the directory, or choose another with --data-dir",
            path, (unsigned)geteuid(), (unsigned)getegid(), error, who);
        break;
    case WAL_REMOTE:
        snprintf(reterr, 512,
                 "the data directory %.200s is on a network file system, where a commit is not "
                 "safe; use "
                 "a local disk, or choose another directory with --data-dir",
                 path);
        break;
    case WAL_TOO_NEW:
        snprintf(
            reterr, 512,
            "the queue in %.200s was written by a newer Holdfast (this one reads format %d); run "
            "that version, or choose another directory with --data-dir",
            path, WAL_FORMAT_VERSION);
        break;
    default:
        snprintf(
            reterr, 512,
            "cannot open the data directory %.150s as uid %u: %s (%.150s); choose another with "
            "--data-dir",
            path, (unsigned)geteuid(), error, who);
    }
}

/* A new name is durable only when its directory was synced. What cannot be opened was not made
 * here. */
static void sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

static enum hf_status take_lock(struct hf_store *store, const struct hf_store_options *options)
{
    pid_t holder = 0;
    enum wal_status status = wal_lock_try(store->lock, &holder);
    if (status == WAL_CLOSED) {
        hf_log_line(store->log, HF_LOG_WARN, "store",
                    "another process (%d) has the data directory %s; waiting to take over",
                    (int)holder, store->directory);
    }
    if (status == WAL_CLOSED && options->waiting != NULL) {
        options->waiting(options->user);
    }
    while (status == WAL_CLOSED) {
        if (options->stop_requested != NULL && *options->stop_requested != 0) {
            return HF_CLOSED;
        }
        status = wal_lock_wait(store->lock);
        if (status == WAL_OK) {
            hf_log_line(store->log, HF_LOG_INFO, "store", "took over the data directory %s",
                        store->directory);
        }
    }
    return hf_status_of_wal(status);
}

/* The limit is kept in a file, so that it does not shrink from start to start as the queue fills.
 */
static void reckon_limit(struct hf_store *store)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s/max_bytes", store->directory);
    FILE *file = fopen(path, "re");
    unsigned long long kept = 0;
    if (file != NULL) {
        if (fscanf(file, "%llu", &kept) != 1) {
            kept = 0;
        }
        fclose(file);
    }
    if (kept < (1u << 20)) {
        struct statvfs info;
        kept = DEFAULT_MAX_BYTES;
        if (statvfs(store->directory, &info) == 0) {
            uint64_t half = (uint64_t)info.f_bavail * info.f_frsize / 2;
            kept = half < kept ? half : kept;
        }
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        file = fd >= 0 ? fdopen(fd, "w") : NULL;
        if (file != NULL) {
            fprintf(file, "%llu\n", kept);
            fclose(file);
        }
    }
    store->max_bytes = kept;
}

/* All directories above `directory`. */
static void sync_parents(const char *directory)
{
    char path[PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%s", directory);
    sync_directory(path[0] == '/' ? "/" : ".");
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        sync_directory(path);
        *slash = '/';
    }
}

/* Returns why one could not be made, as an errno; 0: all are there. */
static int make_parents(const char *directory)
{
    char path[PATH_BYTES_MAX];
    int error = 0;
    snprintf(path, sizeof(path), "%s", directory);
    for (char *slash = strchr(path + 1, '/'); slash != NULL && error == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = mkdir(path, 0755) != 0 && errno != EEXIST ? errno : 0;
        *slash = '/';
    }
    return error;
}

enum hf_status hf_store_open(const struct hf_store_options *options, struct hf_store **ret_store,
                             char *reterr)
{
    struct hf_store *store = calloc(1, sizeof(*store));
    if (store == NULL || (store->directory = strdup(options->directory)) == NULL) {
        free(store);
        return HF_NOMEM;
    }
    store->log = options->log;
    store->no_fsync = options->no_fsync;
    pthread_mutex_init(&store->mutex, NULL);
    int unmade = store->directory[0] != '\0' ? make_parents(store->directory) : 0;
    enum wal_status opened = wal_lock_open(store->directory, &store->lock);
    if (opened == WAL_MISSING && unmade != 0) { /* rather why it is missing */
        errno = unmade;
        opened = unmade == EACCES || unmade == EPERM || unmade == EROFS ? WAL_NO_RIGHT : WAL_IO;
    }
    if (opened != WAL_OK) {
        explain(opened, store->directory, reterr);
        hf_store_close(store);
        return hf_status_of_wal(opened);
    }
    if (!store->no_fsync) {
        sync_parents(store->directory);
    }
    enum hf_status status = take_lock(store, options);
    if (status != HF_OK) {
        snprintf(reterr, 512, "cannot lock the data directory %s", store->directory);
        hf_store_close(store);
        return status;
    }
    reckon_limit(store);
    if (store->no_fsync) {
        hf_log_line(
            store->log, HF_LOG_WARN, "store",
            "fsync is off: a power cut may lose what was acknowledged in the last seconds; a "
            "kill of the process still loses nothing");
    }
    *ret_store = store;
    return HF_OK;
}

void hf_store_close(struct hf_store *store)
{
    if (store == NULL) {
        return;
    }
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
    wal_lock_free(store->lock);
    pthread_mutex_destroy(&store->mutex);
    free(store->directory);
    free(store);
}

const char *hf_store_directory(const struct hf_store *store)
{
    return store->directory;
}

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
        sync_directory(store->directory);
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
        explain(status, store->directory, reterr);
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
