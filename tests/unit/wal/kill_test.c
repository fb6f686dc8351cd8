/*
 * Killed in full flight, again and again: what was acknowledged is there. The truth is kept by this
 * process, told over a pipe by the one that is killed, from the completions and before each
 * acknowledgement.
 */
#include <signal.h>
#include <sys/wait.h>

#include "queue.h"

#define ROUNDS 12u
#define IN_FLIGHT 24u
#define NUMBERS 200000u

enum word_kind { WORD_APPENDED, WORD_DELIVERED };

struct word {
    uint32_t kind;
    uint32_t number;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* ---- the one that is killed ---- */

struct victim {
    struct queue *queue;
    int pipe;
    uint32_t seed;
    atomic_uint next;
};

struct load {
    struct wal_append append;
    struct victim *victim;
    uint32_t number;
    uint8_t body[40000];
};

static void say(const struct victim *victim, enum word_kind kind, uint32_t number)
{
    const struct word word = {kind, number};

    if (write(victim->pipe, &word, sizeof(word)) != sizeof(word)) {
        _exit(3);
    }
}

static void send_next(struct load *load)
{
    struct victim *victim = load->victim;

    load->number = atomic_fetch_add(&victim->next, 1);
    uint32_t seed = victim->seed + load->number;
    size_t size =
        next_random(&seed) % 8 == 0 ? next_random(&seed) % 40000 : next_random(&seed) % 3000;
    fill_body(load->body, size, load->number);
    load->append.body = hf_slice_of(load->body, size);
    load->append.items = load->number % 7;
    load->append.raw_bytes = size;
    load->append.time_ns = (uint64_t)load->number * 1000 + 1;
    if (load->number >= NUMBERS || wal_admit(victim->queue->wal, &load->append) != WAL_OK) {
        _exit(4);
    }
    wal_append(victim->queue->wal, &load->append);
}

static void load_done(struct wal_append *append, enum wal_status status)
{
    struct load *load = HF_CONTAINER(append, struct load, append);

    if (status != WAL_OK) {
        _exit(5);
    }
    say(load->victim, WORD_APPENDED, load->number);
    send_next(load);
}

static void consume_for_ever(struct victim *victim, struct wal_consumer *consumer)
{
    struct wal_record records[16];
    size_t count = 0;

    for (;;) {
        if (wal_consumer_read(consumer, 16, 100000, records, &count) != WAL_OK) {
            _exit(6);
        }
        for (size_t i = 0; i < count; i++) {
            struct wal_ack ack = ack_of(&records[i]);
            say(victim, WORD_DELIVERED, (uint32_t)((records[i].time_ns - 1) / 1000));
            wal_consumer_ack(consumer, &ack, 1);
            hf_ref_drop(records[i].owner);
        }
        if (count == 0) {
            pthread_mutex_lock(&victim->queue->lock);
            while (victim->queue->wakes == 0) {
                pthread_cond_wait(&victim->queue->changed, &victim->queue->lock);
            }
            victim->queue->wakes = 0;
            pthread_mutex_unlock(&victim->queue->lock);
        }
    }
}

static void be_victim(struct queue *queue, int pipe, uint32_t first, uint32_t seed)
{
    struct victim victim = {.queue = queue, .pipe = pipe, .seed = seed};
    struct load *loads = calloc(IN_FLIGHT, sizeof(*loads));

    if (loads == NULL) {
        _exit(1);
    }
    atomic_init(&victim.next, first);
    queue->options.no_fsync = seed % 2 == 0; /* a kill must find both the same */
    if (wal_open(&queue->options, &queue->wal) != WAL_OK) {
        _exit(2);
    }
    struct wal_consumer *fast = queue_consumer(queue, "fast");
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        loads[i].victim = &victim;
        loads[i].append.done = load_done;
    }
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        send_next(&loads[i]);
    }
    consume_for_ever(&victim, fast);
}

/* ---- the one that remembers ---- */

struct truth {
    bool *is_appended, *is_delivered, *is_found;
    uint32_t highest;
};

/* Listens until so many were appended, kills, and listens to the end. */
static void kill_after(struct truth *truth, pid_t victim, int pipe, uint32_t count)
{
    struct word word;
    uint32_t appended = 0;
    bool is_killed = false;

    while (read(pipe, &word, sizeof(word)) == sizeof(word)) {
        assert_true(word.number < NUMBERS);
        (word.kind == WORD_APPENDED ? truth->is_appended : truth->is_delivered)[word.number] = true;
        truth->highest = word.number > truth->highest ? word.number : truth->highest;
        appended += word.kind == WORD_APPENDED;
        if (appended >= count && !is_killed) {
            assert_int_equal(kill(victim, SIGKILL), 0);
            is_killed = true;
        }
    }
    int status = 0;
    assert_int_equal(waitpid(victim, &status, 0), victim);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void note_found(struct truth *truth, struct wal_consumer *consumer, bool acknowledge)
{
    struct wal_record records[64];
    size_t count = 0;
    uint64_t next = 0;

    do {
        assert_int_equal(wal_consumer_read(consumer, 64, 1 << 20, records, &count), WAL_OK);
        for (size_t i = 0; i < count; i++) {
            uint64_t number = (records[i].time_ns - 1) / 1000;
            assert_true(number < NUMBERS);
            assert_true(records[i].sequence >= next); /* in order, none twice */
            next = records[i].sequence + 1;
            assert_true(is_body(records[i].body, number));
            truth->is_found[number] = true;
            struct wal_ack ack = ack_of(&records[i]);
            if (acknowledge) {
                wal_consumer_ack(consumer, &ack, 1);
            }
            hf_ref_drop(records[i].owner);
        }
    } while (count > 0);
}

static void check_all(struct truth *truth, struct queue *queue)
{
    queue_open(queue);
    queue_accounting(queue, "slow");
    queue_accounting(queue, "fast");
    struct wal_consumer *slow = queue_consumer(queue, "slow");
    memset(truth->is_found, 0, NUMBERS);
    note_found(truth, slow, false);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        assert_true(truth->is_found[i] || !truth->is_appended[i]);
    }
    wal_consumer_close(slow);

    struct wal_consumer *fast = queue_consumer(queue, "fast");
    memset(truth->is_found, 0, NUMBERS);
    note_found(truth, fast, false);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        assert_true(truth->is_found[i] || truth->is_delivered[i] || !truth->is_appended[i]);
    }
    wal_consumer_close(fast);
    assert_int_equal(queue->events[WAL_EVENT_DAMAGE], 0);
    assert_int_equal(queue->events[WAL_EVENT_CURSORS_LOST], 0);
    queue_close(queue);
}

static void loses_nothing_when_killed(void **state)
{
    struct queue *queue = *state;
    struct truth truth = {.is_appended = calloc(NUMBERS, 1),
                          .is_delivered = calloc(NUMBERS, 1),
                          .is_found = calloc(NUMBERS, 1)};
    uint32_t seed = (uint32_t)getpid();

    print_message("seed %u\n", seed);
    queue_open(queue);
    wal_consumer_close(queue_consumer(queue, "slow"));
    wal_consumer_close(queue_consumer(queue, "fast"));
    queue_close(queue);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        uint32_t first = truth.highest + IN_FLIGHT + 1;
        pid_t victim = fork();
        assert_true(victim >= 0);
        if (victim == 0) {
            (void)close(ends[0]);
            be_victim(queue, ends[1], first, next_random(&seed));
        }
        (void)close(ends[1]);
        (void)next_random(&seed);
        kill_after(&truth, victim, ends[0], 1 + next_random(&seed) % 800);
        (void)close(ends[0]);
        check_all(&truth, queue);
    }
    free(truth.is_appended);
    free(truth.is_delivered);
    free(truth.is_found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(loses_nothing_when_killed, queue_setup, queue_teardown),
    };
    return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
