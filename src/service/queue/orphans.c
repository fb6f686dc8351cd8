#include "orphans.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "output.h"
#include "util/log/log.h"
#include "util/time/clock.h"

#define ENTRIES_MAX 4096u /* directories that are looked at below one that is named */

bool hf_is_data_directory(const char *directory)
{
    static const char *const names[] = {HF_STORAGE_QUEUE, HF_STORAGE_DEAD_LETTERS, "lock"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        if (access(path, F_OK) == 0 || errno == EACCES) {
            return true;
        }
    }
    return false;
}

struct listing {
    FILE *out;
    const char *own;
    bool json, is_first, has_failed;
    size_t count;
    /* Of the directory that is looked at. */
    struct wal_amount waiting, dead_letters;
    uint64_t oldest_ns;
    bool is_dead_letters;
};

static void add_consumer(void *user, const struct wal_consumer_stat *stat)
{
    struct listing *listing = user;
    struct wal_amount *sum = listing->is_dead_letters ? &listing->dead_letters : &listing->waiting;
    sum->records += stat->accounting.queued.records;
    sum->items += stat->accounting.queued.items;
    sum->bytes += stat->accounting.queued.bytes;
    bool is_older = listing->oldest_ns == 0 || stat->oldest_time_ns < listing->oldest_ns;
    if (stat->accounting.queued.records != 0 && stat->oldest_time_ns != 0 && is_older) {
        listing->oldest_ns = stat->oldest_time_ns;
    }
}

static void add_queue(void *user, const char *kind, const char *id, struct wal *wal)
{
    struct listing *listing = user;
    (void)id;
    listing->is_dead_letters = strcmp(kind, HF_STORAGE_DEAD_LETTERS) == 0;
    listing->has_failed |= wal_consumer_each(wal, add_consumer, listing) != WAL_OK;
}

static void say_held(struct listing *listing, const char *directory)
{
    uint64_t now_ns = hf_clock_unix_ns();
    double age_s = listing->oldest_ns != 0 && now_ns > listing->oldest_ns
                       ? (double)(now_ns - listing->oldest_ns) / 1e9
                       : 0;
    if (!listing->json) {
        hf_queue_say(listing->out,
                     "%s: %" PRIu64 " items in %" PRIu64
                     " records, %.1f MiB, oldest %.0fs; %" PRIu64 " items in the dead letters\n",
                     directory, listing->waiting.items, listing->waiting.records,
                     (double)listing->waiting.bytes / 1048576, age_s, listing->dead_letters.items);
        return;
    }
    fprintf(listing->out,
            ",\"state\":\"orphaned\",\"records\":%" PRIu64 ",\"items\":%" PRIu64
            ",\"bytes\":%" PRIu64 ",\"oldest_age_seconds\":%.3f,\"dead_letter_items\":%" PRIu64 "}",
            listing->waiting.records, listing->waiting.items, listing->waiting.bytes, age_s,
            listing->dead_letters.items);
}

static void say_other(struct listing *listing, const char *directory, const char *state,
                      const char *why)
{
    if (!listing->json) {
        hf_queue_say(listing->out, "%s: %s\n", directory, why);
        return;
    }
    fprintf(listing->out, ",\"state\":\"%s\",\"detail\":", state);
    hf_queue_put_text(listing->out, why);
    fputc('}', listing->out);
}

/* Opened only while no other process has it. */
static enum hf_status open_unused(const char *directory, struct hf_log *log,
                                  struct hf_storage **ret_store, char *reterr)
{
    static const int now = 1; /* do not wait for the lock */
    const struct hf_storage_options options = {
        .directory = directory, .log = log, .stop_requested = &now};
    return hf_storage_open(&options, ret_store, reterr);
}

static void list_one(struct listing *listing, const char *directory)
{
    const struct hf_log_options log_options = {.level = HF_LOG_ERROR, .encoding = "console"};
    char error[HF_ERROR_MAX] = "out of memory";
    struct hf_log *log = NULL;
    struct hf_storage *store = NULL;
    enum hf_status status = hf_log_new(&log_options, &log, error);
    if (status == HF_OK) {
        status = open_unused(directory, log, &store, error);
    }
    listing->count++;
    if (listing->json) {
        fputs(listing->is_first ? "" : ",", listing->out);
        fputs("\n{\"directory\":", listing->out);
        hf_queue_put_text(listing->out, directory);
        listing->is_first = false;
    }
    if (status == HF_OK) {
        listing->waiting = listing->dead_letters = (struct wal_amount){0};
        listing->oldest_ns = 0;
        listing->has_failed |= !hf_storage_open_all(store);
        hf_storage_each(store, add_queue, listing);
        say_held(listing, directory);
    } else if (status == HF_CLOSED) {
        say_other(listing, directory, "in_use", "in use by a running process");
    } else {
        listing->has_failed = true;
        say_other(listing, directory, "failed", error);
    }
    hf_storage_close(store);
    hf_log_free(log);
}

static bool is_own(const struct listing *listing, const char *directory)
{
    char *a = listing->own != NULL ? realpath(listing->own, NULL) : NULL;
    char *b = realpath(directory, NULL);
    bool same = a != NULL && b != NULL && strcmp(a, b) == 0;
    free(a);
    free(b);
    return same;
}

static void list_below(struct listing *listing, const char *directory)
{
    struct dirent **names = NULL;
    int count = scandir(directory, &names, NULL, alphasort);
    if (count < 0) {
        hf_queue_say(stderr, "error: %s: %s\n", directory, strerror(errno));
        listing->has_failed = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        int size = snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
        bool fits = size > 0 && (size_t)size < sizeof(path) && (unsigned)i < ENTRIES_MAX;
        if (fits && names[i]->d_name[0] != '.' && hf_is_data_directory(path) &&
            !is_own(listing, path)) {
            list_one(listing, path);
        }
        free(names[i]);
    }
    free(names);
}

enum hf_exit hf_orphans_list(const char *const *directories, size_t count, const char *own,
                             bool json, FILE *out)
{
    struct listing listing = {.out = out, .own = own, .json = json, .is_first = true};
    fputs(json ? "[" : "", out);
    for (size_t i = 0; i < count; i++) {
        if (!hf_is_data_directory(directories[i])) {
            list_below(&listing, directories[i]);
        } else if (!is_own(&listing, directories[i])) {
            list_one(&listing, directories[i]);
        }
    }
    fputs(json ? "\n]\n" : "", out);
    if (listing.count == 0 && !json && !listing.has_failed) {
        fputs("no other data directory there\n", out);
    }
    return listing.has_failed ? HF_EXIT_FAILED : HF_EXIT_OK;
}
