/*
 * bench-append RECORDS: appends records of 100 spans to a fresh queue in groups of eight, without
 * sync, so many in all. For counting instructions of everything that a record costs the queue.
 */
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <holdfast/ref.h>

#include "../../../chaos/storm/body.h"
#include "wal/wal.h"

#define SPANS 100u
#define GROUP 8u

struct group {
    pthread_mutex_t lock;
    pthread_cond_t all;
    unsigned waiting;
    bool failed;
};

/* Completions have no argument of their own. */
struct record {
    struct wal_append append;
    struct group *group;
};

static void on_done(struct wal_append *append, enum wal_status status)
{
    struct group *group = HF_CONTAINER(append, struct record, append)->group;
    pthread_mutex_lock(&group->lock);
    group->failed = group->failed || status != WAL_OK;
    if (--group->waiting == 0) {
        pthread_cond_signal(&group->all);
    }
    pthread_mutex_unlock(&group->lock);
}

static void keep(struct hf_ref *ref)
{
    (void)ref;
}

static bool append_group(struct wal *wal, struct group *group, struct record *records,
                         struct hf_slice body, struct hf_ref *owner)
{
    group->waiting = GROUP;
    for (unsigned i = 0; i < GROUP; i++) {
        records[i] = (struct record){.append = {.items = SPANS,
                                                .raw_bytes = body.size,
                                                .time_ns = 1,
                                                .body = body,
                                                .owner = owner,
                                                .done = on_done},
                                     .group = group};
        if (wal_admit(wal, &records[i].append) != WAL_OK) {
            return false;
        }
        wal_append(wal, &records[i].append);
    }
    pthread_mutex_lock(&group->lock);
    while (group->waiting != 0) {
        pthread_cond_wait(&group->all, &group->lock);
    }
    pthread_mutex_unlock(&group->lock);
    return !group->failed;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

int main(int argc, char **argv)
{
    unsigned long left = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    char directory[] = "/tmp/bench-append-XXXXXX";
    struct group group = {.lock = PTHREAD_MUTEX_INITIALIZER, .all = PTHREAD_COND_INITIALIZER};
    struct record records[GROUP];
    struct storm_body body;
    struct hf_ref owner;
    struct wal *wal = NULL;
    hf_ref_init(&owner, keep);
    if (mkdtemp(directory) == NULL || !storm_body_make(&body, HF_TRACES, SPANS, 1)) {
        return 1;
    }
    const struct wal_options options = {
        .directory = directory, .no_fsync = true, .group_records = GROUP};
    bool fine = wal_open(&options, &wal) == WAL_OK;
    for (; fine && left >= GROUP; left -= GROUP) {
        fine = append_group(wal, &group, records, hf_slice_of(body.bytes.data, body.bytes.size),
                            &owner);
    }
    wal_close(wal);
    storm_body_release(&body);
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return fine ? 0 : 1;
}
