#include "scene.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "truth.h"
#include "wal/wal.h"

enum { IN_FLIGHT_MAX = 12, READ_MAX = 16, META_SIZE = 12, PATIENCE_MS = 30000 };

static const char *const names[WHO_COUNT] = {"fast", "slow", "dead"};

struct scene {
    const struct scene_options *options;
    struct wal *queue, *dead;
    struct wal_consumer *consumers[WHO_COUNT];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned in_flight;
    bool is_refusing;    /* the last append failed */
    bool was_refused;    /* one did, since that was looked at */
    struct wal_ack held; /* an acknowledgement that comes late: ranges above the low mark */
    bool is_held;
};

/* One append and what belongs to it; freed with its last reference. */
struct job {
    struct wal_append append;
    struct hf_ref ref;
    struct scene *scene;
    uint64_t number;
    bool is_dead_letter, is_done, is_good;
    struct wal_checkpoint checkpoints[2];
    char names[2][16];
    uint8_t meta[META_SIZE];
    size_t size;
    uint8_t body[];
};

static void tell(const struct scene_options *options, struct truth truth)
{
    if (write(options->truth_fd, &truth, sizeof(truth)) != sizeof(truth)) {
        abort();
    }
}

static void tell_fault(const struct scene_options *options, enum truth_fault fault, uint64_t number)
{
    tell(options, (struct truth){.what = TRUTH_FAULT, .who = fault, .number = number});
}

static void rest(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000},
              NULL);
}

/* ---- records ---- */

static uint64_t mix(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x7fb5d329728ea185);
    x ^= x >> 27;
    x *= UINT64_C(0x81dadef4bc2dd44d);
    return x ^ x >> 33;
}

static size_t size_of(uint64_t number)
{
    uint64_t draw = mix(number);
    uint64_t kind = draw % 100;
    uint64_t size = draw >> 8;

    if (kind < 55) {
        return 8 + (size_t)(size % 400);
    }
    if (kind < 82) {
        return 400 + (size_t)(size % 8000);
    }
    return kind < 97 ? 20000 + (size_t)(size % 40000) : 150000 + (size_t)(size % 100000);
}

static void make_body(uint8_t *body, size_t size, uint64_t number)
{
    uint64_t word = number;

    for (size_t at = 0; at < size; at += sizeof(word)) {
        memcpy(&body[at], &word, size - at < sizeof(word) ? size - at : sizeof(word));
        word = mix(word + at);
    }
}

/* The number of a record; a fault is told when it is not as it was appended. */
static uint64_t number_of(const struct scene_options *options, const struct wal_record *record)
{
    static __thread uint8_t expected[300000];
    uint64_t number = 0;

    if (record->meta.size == META_SIZE) {
        memcpy(&number, record->meta.data, sizeof(number));
    }
    size_t size = size_of(number);
    make_body(expected, size, number);
    if (record->meta.size != META_SIZE || record->body.size != size ||
        memcmp(record->body.data, expected, size) != 0 || record->items != number % 7 + 1 ||
        record->kind != number % 5) {
        tell_fault(options, FAULT_BODY, number);
    }
    return number;
}

static void free_job(struct hf_ref *ref)
{
    free(HF_CONTAINER(ref, struct job, ref));
}

static struct job *job_new(struct scene *scene, uint64_t number)
{
    size_t size = size_of(number);
    struct job *job = malloc(sizeof(*job) + size);

    if (job == NULL) {
        abort();
    }
    memset(job, 0, sizeof(*job));
    job->scene = scene;
    job->number = number;
    job->size = size;
    memcpy(job->meta, &number, sizeof(number));
    make_body(job->body, size, number);
    hf_ref_init(&job->ref, free_job);
    job->append = (struct wal_append){
        .kind = (uint8_t)(number % 5),
        .items = (uint32_t)(number % 7 + 1),
        .raw_bytes = size,
        .time_ns = 1700000000000000000u + number,
        .meta = hf_slice_of(job->meta, META_SIZE),
        .body = hf_slice_of(job->body, size),
        .owner = &job->ref,
    };
    return job;
}

/* The committer's thread: the same value, made of the one before. */
static size_t advance(void *user, struct hf_slice value, uint8_t *ret_value)
{
    const struct job *job = user;
    (void)value;
    memcpy(ret_value, job->meta, sizeof(job->number));
    return sizeof(job->number);
}

/* Every record moves one of three checkpoints on; a fourth comes and goes. Half of them are made by
 * the committer, and each record has a tenant, so that its table is written with every group. */
static void add_checkpoints(struct job *job)
{
    snprintf(job->names[0], sizeof(job->names[0]), "offset-%u",
             (unsigned)(job->number % TRUTH_CHECKPOINTS));
    job->checkpoints[0].name = hf_slice_text(job->names[0]);
    job->checkpoints[0].value = hf_slice_of(job->meta, sizeof(job->number));
    job->checkpoints[0].update = job->number % 2 == 0 ? advance : NULL;
    job->checkpoints[0].user = job;
    job->append.checkpoint_count = 1;
    job->append.tenant = 1 + job->number % 5;
    if (job->number % 25 == 0) {
        snprintf(job->names[1], sizeof(job->names[1]), "passing");
        job->checkpoints[1].name = hf_slice_text(job->names[1]);
        job->checkpoints[1].value =
            job->number % 50 == 0 ? hf_slice_of(job->body, 8) : HF_EMPTY_SLICE;
        job->append.checkpoint_count = 2;
    }
    job->append.checkpoints = job->checkpoints;
}

/* ---- appending ---- */

/* Lock held. */
static void note_outcome(struct scene *scene, bool is_good)
{
    scene->is_refusing = !is_good;
    scene->was_refused |= !is_good;
}

static void done(struct wal_append *append, enum wal_status status)
{
    struct job *job = HF_CONTAINER(append, struct job, append);
    struct scene *scene = job->scene;
    uint32_t what = status != WAL_OK      ? TRUTH_REFUSED
                    : job->is_dead_letter ? TRUTH_MOVED
                                          : TRUTH_ACKED;

    tell(scene->options, (struct truth){.what = what,
                                        .number = job->number,
                                        .sequence = status == WAL_OK ? append->sequence : status});
    pthread_mutex_lock(&scene->lock);
    scene->in_flight--;
    job->is_done = true;
    job->is_good = status == WAL_OK;
    note_outcome(scene, status == WAL_OK);
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
    hf_ref_drop(&job->ref);
}

/* Waits until at most `most` appends are in flight. */
static bool wait_in_flight(struct scene *scene, unsigned most)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&scene->lock);
    while (scene->in_flight > most && rc == 0) {
        rc = pthread_cond_timedwait(&scene->changed, &scene->lock, &until);
    }
    pthread_mutex_unlock(&scene->lock);
    if (rc != 0) {
        tell_fault(scene->options, FAULT_STUCK, most);
        _exit(3);
    }
    return rc == 0;
}

/* Hands over one append; false: the queue does not take it now. */
static bool submit(struct scene *scene, struct wal *queue, struct job *job)
{
    enum wal_status status = wal_admit(queue, &job->append);

    if (status != WAL_OK) {
        pthread_mutex_lock(&scene->lock);
        note_outcome(scene, false);
        pthread_mutex_unlock(&scene->lock);
        tell(scene->options,
             (struct truth){.what = TRUTH_REFUSED, .number = job->number, .sequence = status});
        hf_ref_drop(&job->ref);
        return false;
    }
    job->append.done = done;
    pthread_mutex_lock(&scene->lock);
    scene->in_flight++;
    pthread_mutex_unlock(&scene->lock);
    wal_append(queue, &job->append);
    return true;
}

static bool append(struct scene *scene, uint64_t number)
{
    struct job *job = job_new(scene, number);

    add_checkpoints(job);
    tell(scene->options, (struct truth){.what = TRUTH_SUBMITTED, .number = number});
    return submit(scene, scene->queue, job);
}

/* Moves a record to the dead letters; true when it is durable there. */
static bool move(struct scene *scene, uint64_t number)
{
    struct job *job = job_new(scene, number);
    bool is_moved = false;

    job->is_dead_letter = true;
    tell(scene->options, (struct truth){.what = TRUTH_SUBMITTED, .number = number, .epoch = 1});
    hf_ref_take(&job->ref);
    if (submit(scene, scene->dead, job)) {
        pthread_mutex_lock(&scene->lock);
        while (!job->is_done) {
            pthread_cond_wait(&scene->changed, &scene->lock);
        }
        pthread_mutex_unlock(&scene->lock);
        is_moved = job->is_good;
    }
    hf_ref_drop(&job->ref);
    return is_moved;
}

/* ---- consuming ---- */

static void acknowledge(struct scene *scene, enum truth_who who, const struct wal_ack *ack,
                        uint64_t number)
{
    wal_consumer_ack(scene->consumers[who], ack, 1);
    tell(scene->options, (struct truth){.what = TRUTH_DONE, .who = who, .number = number});
}

static void deliver(struct scene *scene, enum truth_who who, const struct wal_record *record)
{
    uint64_t number = number_of(scene->options, record);
    struct wal_ack ack = {.sequence = record->sequence,
                          .items = record->items,
                          .raw_bytes = record->raw_bytes,
                          .outcome = WAL_DELIVERED,
                          .rejected_items = number % 19 == 0};

    if (who == WHO_FAST && TRUTH_IS_BAD(number)) {
        ack.rejected_items = 0;
        ack.outcome = WAL_DEAD_LETTERED;
        if (!move(scene, number)) {
            return; /* it stays in the queue */
        }
    } else {
        tell(scene->options,
             (struct truth){
                 .what = TRUTH_SEEN, .who = who, .number = number, .sequence = record->sequence});
    }
    if (who == WHO_FAST && number % 23 == 0 && !scene->is_held) {
        scene->held = ack;
        scene->is_held = true;
        return;
    }
    acknowledge(scene, who, &ack, number);
    if (scene->is_held && number % 29 == 0) {
        wal_consumer_ack(scene->consumers[WHO_FAST], &scene->held, 1);
        scene->is_held = false;
    }
}

static size_t deliver_all(struct scene *scene, enum truth_who who, enum wal_status status,
                          struct wal_record *records, size_t count)
{
    if (status != WAL_OK) {
        tell_fault(scene->options, FAULT_READ, status);
        return 0;
    }
    for (size_t i = count; i-- > 0;) {
        deliver(scene, who, &records[i]);
        hf_ref_drop(records[i].owner);
    }
    return count;
}

/* Reads up to `most` records and has done with them, the later before the earlier. */
static size_t consume(struct scene *scene, enum truth_who who, size_t most)
{
    struct wal_record records[READ_MAX];
    size_t count = 0;

    enum wal_status status =
        wal_consumer_read(scene->consumers[who], most, 400000, records, &count);
    return deliver_all(scene, who, status, records, count);
}

/* The same of what comes in, past the backlog. */
static size_t consume_fresh(struct scene *scene, enum truth_who who, size_t most)
{
    struct wal_record records[READ_MAX];
    size_t count = 0;

    enum wal_status status =
        wal_consumer_read_live(scene->consumers[who], most, 400000, records, &count);
    return deliver_all(scene, who, status, records, count);
}

/* ---- opening and closing ---- */

static struct wal *open_queue(const struct scene_options *options, const char *name)
{
    char path[4096];
    struct wal *queue = NULL;
    struct wal_options wal = {
        .directory = path,
        .segment_bytes = 1 << 20,
        .free_floor_bytes = 1,
        .group_records = 8,
        .tail_bytes = 256 << 10,
    };

    snprintf(path, sizeof(path), "%s/%s", options->directory, name);
    enum wal_status status = wal_open(&wal, &queue);
    /* With a fault injected an opening may fail; the next one has to do. */
    for (unsigned ms = 0; status != WAL_OK && options->is_patient && ms < PATIENCE_MS; ms += 5) {
        rest(5);
        status = wal_open(&wal, &queue);
    }
    if (status != WAL_OK) {
        tell_fault(options, FAULT_OPEN, status);
        _exit(3);
    }
    return queue;
}

static struct wal_consumer *open_consumer(struct scene *scene, enum truth_who who)
{
    struct wal_consumer *consumer = NULL;
    struct wal_consumer_options options = {.name = names[who], .from_oldest = true};

    enum wal_status status =
        wal_consumer_open(who == WHO_DEAD ? scene->dead : scene->queue, &options, &consumer);
    if (status != WAL_OK) {
        tell_fault(scene->options, FAULT_OPEN, status);
        _exit(3);
    }
    return consumer;
}

static void open_scene(struct scene *scene, const struct scene_options *options)
{
    *scene = (struct scene){.options = options};
    pthread_mutex_init(&scene->lock, NULL);
    pthread_cond_init(&scene->changed, NULL);
    scene->queue = open_queue(options, "queue");
    scene->dead = open_queue(options, "dead");
    for (unsigned who = 0; who < WHO_COUNT; who++) {
        scene->consumers[who] = open_consumer(scene, who);
    }
    tell(options, (struct truth){.what = TRUTH_OPENED});
}

static void close_scene(struct scene *scene)
{
    wait_in_flight(scene, 0);
    for (unsigned who = 0; who < WHO_COUNT; who++) {
        wal_consumer_close(scene->consumers[who]);
    }
    wal_close(scene->dead);
    wal_close(scene->queue);
    tell(scene->options, (struct truth){.what = TRUTH_CLOSED});
    pthread_cond_destroy(&scene->changed);
    pthread_mutex_destroy(&scene->lock);
}

/* ---- what is done ---- */

/* Appends fail for a while; the queue must say so and take them again afterwards. */
static void wait_until_back(struct scene *scene, uint64_t *number)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms += 2) {
        (void)!append(scene, (*number)++);
        wait_in_flight(scene, 0);
        if (!scene->is_refusing) { /* nothing is in flight: nobody writes it */
            scene->was_refused = false;
            tell(scene->options, (struct truth){.what = TRUTH_BACK});
            return;
        }
        rest(2);
    }
    tell_fault(scene->options, FAULT_STUCK, *number);
}

static bool was_refused(struct scene *scene)
{
    pthread_mutex_lock(&scene->lock);
    bool was = scene->was_refused;
    pthread_mutex_unlock(&scene->lock);
    return was;
}

static void fill_some(struct scene *scene, uint64_t *number, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)!append(scene, (*number)++);
        if (was_refused(scene) && scene->options->is_patient) {
            wait_in_flight(scene, 0);
            wait_until_back(scene, number);
        }
        /* Sometimes one at a time, sometimes as many as may wait. */
        wait_in_flight(scene, mix(*number / 16) % 3 == 0 ? 0 : IN_FLIGHT_MAX);
        if (i % 4 == 3) {
            consume(scene, WHO_FAST, 6);
        }
        if (i % 4 == 1 && i % 256 > 128) {
            consume(scene, WHO_SLOW, 14);
        }
        if (i % 4 == 2) {
            consume_fresh(scene, WHO_SLOW, 3);
        }
    }
}

void scene_fill(const struct scene_options *options)
{
    struct scene scene;
    uint64_t number = options->first;

    for (unsigned half = 0; half < 2; half++) {
        open_scene(&scene, options);
        fill_some(&scene, &number, options->count / 2);
        close_scene(&scene);
    }
    tell(options, (struct truth){.what = TRUTH_END});
}

void scene_drain(const struct scene_options *options)
{
    struct scene scene;
    size_t count = 0;

    open_scene(&scene, options);
    do {
        count = consume(&scene, WHO_FAST, READ_MAX) + consume_fresh(&scene, WHO_SLOW, READ_MAX) +
                consume(&scene, WHO_SLOW, READ_MAX) + consume(&scene, WHO_DEAD, READ_MAX);
    } while (count > 0);
    if (scene.is_held) {
        wal_consumer_ack(scene.consumers[WHO_FAST], &scene.held, 1);
    }
    close_scene(&scene);
    tell(options, (struct truth){.what = TRUTH_END});
}

static void find_all(struct scene *scene, enum truth_who who)
{
    struct wal_record records[READ_MAX];
    size_t count = 0;

    do {
        enum wal_status status =
            wal_consumer_read(scene->consumers[who], READ_MAX, 1 << 20, records, &count);
        if (status != WAL_OK) {
            tell_fault(scene->options, FAULT_READ, status);
            return;
        }
        for (size_t i = 0; i < count; i++) {
            tell(scene->options, (struct truth){.what = TRUTH_FOUND,
                                                .who = who,
                                                .number = number_of(scene->options, &records[i]),
                                                .sequence = records[i].sequence});
            hf_ref_drop(records[i].owner);
        }
    } while (count > 0);
}

static void sum(struct wal_amount *total, const struct wal_amount *more)
{
    total->records += more->records;
    total->items += more->items;
    total->bytes += more->bytes;
}

static void look_at_books(void *user, const struct wal_consumer_stat *stat)
{
    const struct scene_options *options = user;
    struct wal_amount total = {0};
    unsigned who = 0;

    while (who < WHO_COUNT && strcmp(stat->name, names[who]) != 0) {
        who++;
    }
    sum(&total, &stat->accounting.delivered);
    sum(&total, &stat->accounting.queued);
    sum(&total, &stat->accounting.dead_lettered);
    for (unsigned i = 0; i < WAL_DROP_COUNT; i++) {
        sum(&total, &stat->accounting.dropped[i]);
    }
    if (who == WHO_COUNT || total.items != stat->accounting.accepted.items ||
        total.bytes != stat->accounting.accepted.bytes) {
        tell_fault(options, FAULT_BOOKS, who);
    }
    tell(options, (struct truth){
                      .what = TRUTH_QUEUED, .who = who, .number = stat->accounting.queued.records});
    tell(options, (struct truth){.what = TRUTH_DAMAGED,
                                 .number = stat->accounting.dropped[WAL_DROP_DAMAGED].records});
}

static void look_at_checkpoints(struct scene *scene)
{
    for (unsigned i = 0; i < TRUTH_CHECKPOINTS; i++) {
        char name[16];
        uint8_t value[1024];
        size_t size = 0;
        uint64_t number = 0;
        snprintf(name, sizeof(name), "offset-%u", i);
        if (wal_checkpoint_get(scene->queue, hf_slice_text(name), value, &size) == WAL_OK) {
            memcpy(&number, value, sizeof(number));
            tell(scene->options,
                 (struct truth){.what = TRUTH_CHECKPOINT, .who = i, .number = number});
        }
    }
}

void scene_verify(const struct scene_options *options)
{
    struct scene scene;
    struct wal *queues[2];

    open_scene(&scene, options);
    look_at_checkpoints(&scene);
    for (unsigned who = 0; who < WHO_COUNT; who++) {
        find_all(&scene, who);
    }
    queues[0] = scene.queue;
    queues[1] = scene.dead;
    for (unsigned i = 0; i < 2; i++) {
        struct wal_stat stat;
        wal_stat(queues[i], &stat);
        tell(options, (struct truth){.what = TRUTH_DAMAGED, .number = stat.damaged_records});
        if (wal_consumer_each(queues[i], look_at_books, (void *)options) != WAL_OK) {
            tell_fault(options, FAULT_BOOKS, WHO_COUNT);
        }
    }
    close_scene(&scene);
    tell(options, (struct truth){.what = TRUTH_END});
}
