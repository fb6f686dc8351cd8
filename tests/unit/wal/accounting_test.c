/* The accounts balance at every moment, whatever is done and whatever happens: random operations
 * from a printed seed. */
#include <fcntl.h>
#include <time.h>

#include "queue.h"

#define CONSUMERS 4u
#define HELD_MAX 300u
#define STEPS 2500u

struct held {
    struct wal_ack acks[HELD_MAX];
    size_t count;
    struct wal_consumer *consumer;
};

struct model {
    struct queue *queue;
    uint32_t seed;
    uint64_t next;
    struct held held[CONSUMERS];
};

static uint32_t draw(struct model *model, uint32_t bound)
{
    model->seed = model->seed * 1664525u + 1013904223u;
    return (model->seed >> 8) % bound;
}

static const char *const names[CONSUMERS] = {"a", "b", "c", "d"};

static void toggle(struct model *model, size_t i)
{
    struct held *held = &model->held[i];

    if (held->consumer != NULL) {
        wal_consumer_close(held->consumer);
        held->consumer = NULL;
        held->count = 0;
    } else {
        held->consumer = queue_consumer(model->queue, names[i]);
    }
}

static void read_some(struct model *model, struct held *held)
{
    struct wal_record records[20];
    size_t count = 0;

    if (held->consumer == NULL || held->count + 20 > HELD_MAX) {
        return;
    }
    assert_int_equal(
        wal_consumer_read(held->consumer, 1 + draw(model, 20), draw(model, 60000), records, &count),
        WAL_OK);
    for (size_t i = 0; i < count; i++) {
        assert_true(is_body(records[i].body, (records[i].time_ns - 1) / 1000));
        held->acks[held->count++] = ack_of(&records[i]);
        hf_ref_drop(records[i].owner);
    }
}

static void acknowledge_one(struct model *model, struct held *held)
{
    if (held->consumer == NULL || held->count == 0) {
        return;
    }
    size_t at = draw(model, 3) == 0 ? draw(model, (uint32_t)held->count) : 0;
    struct wal_ack ack = held->acks[at];
    held->count--;
    memmove(held->acks + at, held->acks + at + 1, (held->count - at) * sizeof(ack));
    ack.outcome = (enum wal_outcome)draw(model, 3);
    ack.drop = (enum wal_drop)draw(model, WAL_DROP_COUNT);
    ack.rejected_items = draw(model, 4);
    wal_consumer_ack(held->consumer, &ack, 1);
}

static void flip_a_byte(struct model *model)
{
    struct wal_stat stat;
    char path[128];

    wal_stat(model->queue->wal, &stat);
    (void)snprintf(path, sizeof(path), "%s/%020" PRIu64 ".seg", model->queue->directory,
                   stat.first_sequence);
    int fd = open(path, O_RDWR);
    struct stat info;
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0) {
        uint8_t byte = 0;
        off_t at = (off_t)draw(model, (uint32_t)info.st_size);
        (void)!pread(fd, &byte, 1, at);
        byte ^= 0x40;
        (void)!pwrite(fd, &byte, 1, at);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void restart(struct model *model, bool with_damage)
{
    for (size_t i = 0; i < CONSUMERS; i++) {
        if (model->held[i].consumer != NULL) {
            toggle(model, i);
        }
    }
    if (with_damage) {
        queue_reopen(model->queue);
        flip_a_byte(model);
    }
    queue_reopen(model->queue);
    for (size_t i = 0; i < CONSUMERS; i++) {
        toggle(model, i);
    }
}

static void check(struct model *model)
{
    struct wal_stat stat;

    wal_stat(model->queue->wal, &stat);
    assert_true(stat.appended.records >= model->next);
    for (size_t i = 0; i < CONSUMERS; i++) {
        queue_accounting(model->queue, names[i]);
    }
}

static void take_step(struct model *model, bool with_damage)
{
    size_t i = draw(model, CONSUMERS);

    switch (draw(model, 16)) {
    case 0:
        toggle(model, i);
        break;
    case 1:
        if (model->held[i].consumer != NULL) {
            wal_consumer_rewind(model->held[i].consumer);
            model->held[i].count = 0;
        }
        break;
    case 2:
        if (draw(model, 20) == 0) {
            restart(model, with_damage);
        }
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        if (queue_append(model->queue, ++model->next,
                         draw(model, 5) == 0 ? draw(model, 60000) : draw(model, 3000)) != WAL_OK) {
            model->next--;
        }
        break;
    case 7:
    case 8:
    case 9:
        read_some(model, &model->held[i]);
        break;
    default:
        acknowledge_one(model, &model->held[i]);
    }
}

static void run(struct queue *queue, bool with_damage, uint32_t seed)
{
    struct model *model = calloc(1, sizeof(*model));

    assert_non_null(model);
    model->queue = queue;
    model->seed = seed != 0 ? seed : (uint32_t)time(NULL) * 7919u + (uint32_t)getpid();
    print_message("seed %u\n", model->seed);
    queue_open(queue);
    for (size_t i = 0; i < CONSUMERS; i++) {
        toggle(model, i);
    }
    for (unsigned step = 0; step < STEPS; step++) {
        take_step(model, with_damage);
        check(model);
    }
    restart(model, false);
    check(model);
    for (size_t i = 0; i < CONSUMERS; i++) {
        queue_drain(model->held[i].consumer, true);
        assert_int_equal(queue_accounting(queue, names[i]).accounting.queued.records, 0);
        assert_int_equal(queue_accounting(queue, names[i]).accounting.queued.bytes, 0);
        assert_int_equal(queue_accounting(queue, names[i]).accounting.accepted.records,
                         model->next);
        toggle(model, i);
    }
    free(model);
}

static void balance_after_everything(void **state)
{
    run(*state, false, 0);
}

static void balance_when_full(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 3 * MIB;
    run(queue, false, 0);
}

static void balance_when_the_oldest_are_dropped(void **state)
{
    struct queue *queue = *state;

    queue->options.max_bytes = 3 * MIB;
    queue->options.drop_oldest = true;
    run(queue, false, 0);
}

static void balance_with_damage(void **state)
{
    run(*state, true, 0);
}

/* A range grew over the place where reading stood, and a gap behind it was reckoned too small. */
static void balance_after_what_once_went_wrong(void **state)
{
    run(*state, true, 2046032230u);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(balance_after_everything),
        TEST(balance_when_full),
        TEST(balance_when_the_oldest_are_dropped),
        TEST(balance_with_damage),
        TEST(balance_after_what_once_went_wrong),
    };
    return cmocka_run_group_tests_name("accounting", tests, NULL, NULL);
}
