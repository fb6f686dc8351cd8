/* What becomes of items for one of several backends of an exporter, while that one fails. */
#include "delivery_world.h"

#define SEEN_MAX 4096

/* An exporter with two backends: items named b, d, f, ... go to the second one, group 7. */
struct pair {
    struct backend unused; /* where the world expects one */
    pthread_mutex_t lock;
    bool is_down;       /* the second one */
    char never;         /* this item is refused for good, with all that came with it */
    size_t first_count; /* items that the first one took */
    size_t tried;       /* requests that held something for the second one */
    size_t second_count;
    char second[SEEN_MAX]; /* what it took, in order */
};

static struct pair pair;

static bool is_second(char name)
{
    return (name - 'a') % 2 == 1;
}

/* What the second backend says of its share. */
static enum hf_status judge(const char *names, size_t count)
{
    size_t own = 0;
    for (size_t i = 0; i < count; i++) {
        own += is_second(names[i]);
        if (names[i] == pair.never) {
            return HF_INVALID;
        }
    }
    pair.tried += own != 0;
    return own != 0 && pair.is_down ? HF_AGAIN : HF_OK;
}

static void send_pair(void *self, struct hf_export *export)
{
    char names[512];
    struct hf_item_outcome items[512];
    struct hf_outcome outcome = {.status = HF_OK, .items = items};
    (void)self;
    pthread_mutex_lock(&pair.lock);
    size_t count = read_names(export, names);
    enum hf_status status = judge(names, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_second(names[i])) {
            pair.first_count++;
        } else if (status == HF_OK) {
            pair.second[pair.second_count++] = names[i];
        } else {
            items[outcome.item_count++] = (struct hf_item_outcome){
                .first = i, .count = 1, .status = status, .message = "scripted", .group = 7};
        }
    }
    pthread_mutex_unlock(&pair.lock);
    hf_export_done(export, &outcome);
}

static const struct hf_component pair_exporter = {
    .type = "pair",
    .kind = HF_EXPORTER,
    .exporter = &(const struct hf_exporter_ops){.send = send_pair}};

static struct world *make_pair_world(bool is_down)
{
    struct world *world = make_world();
    memset(&pair, 0, sizeof(pair));
    pthread_mutex_init(&pair.lock, NULL);
    pair.is_down = is_down;
    world->node.component = &pair_exporter;
    return world;
}

static void wait_for(const size_t *counter, size_t count)
{
    const struct timespec pause = {0, 1000000};
    for (unsigned turn = 0;; turn++) {
        pthread_mutex_lock(&pair.lock);
        size_t seen = *counter;
        pthread_mutex_unlock(&pair.lock);
        if (seen >= count) {
            return;
        }
        assert_true(turn < PATIENCE_S * 1000);
        nanosleep(&pause, NULL);
    }
}

static void set_down(bool is_down)
{
    pthread_mutex_lock(&pair.lock);
    pair.is_down = is_down;
    pthread_mutex_unlock(&pair.lock);
}

static void the_others_go_on_while_one_backend_fails(void **state)
{
    (void)state;
    struct world *world = make_pair_world(true);
    world->config.queue.num_consumers = 1;
    open_delivery(world);
    start(world);
    for (int i = 0; i < 50; i++) {
        put(world, 4); /* abcd */
    }
    wait_for(&pair.first_count, 100);
    assert_int_equal(pair.second_count, 0);
    assert_int_equal(accounting_of(world).delivered.items, 0); /* each record has its share */
    set_down(false);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 200);
    assert_int_equal(pair.first_count, 100); /* once */
    assert_int_equal(pair.second_count, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(pair.second[i], i % 2 == 0 ? 'b' : 'd'); /* in order */
    }
    end_world(world);
}

static void tries_one_request_at_a_time_while_it_fails(void **state)
{
    (void)state;
    struct world *world = make_pair_world(true);
    world->config.retry.initial_interval_ns = UINT64_C(3600000000000);
    world->config.retry.max_interval_ns = UINT64_C(3600000000000);
    open_delivery(world);
    start(world);
    for (int i = 0; i < 20; i++) {
        put(world, 2);
        wait_for(&pair.first_count, (size_t)i + 1);
    }
    assert_true(pair.tried <= 20); /* none of them a second time */
    assert_int_equal(accounting_of(world).queued.items, 40);
    end_world(world);
}

static void isolates_one_item_of_a_share_that_is_refused_for_good(void **state)
{
    (void)state;
    struct world *world = make_pair_world(false);
    pair.never = 'f';
    open_delivery(world);
    put(world, 8); /* abcdefgh */
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 7);
    assert_int_equal(accounting.dead_lettered.items, 1);
    assert_int_equal(pair.first_count, 4);
    assert_int_equal(pair.second_count, 3);
    end_world(world);
}

static void keeps_what_is_held_over_a_stop(void **state)
{
    (void)state;
    struct world *world = make_pair_world(true);
    open_delivery(world);
    start(world);
    put(world, 2);
    put(world, 2);
    wait_for(&pair.first_count, 2);
    hf_delivery_stop(world->node.delivery, 1000000000);
    hf_delivery_free(world->node.delivery);
    set_down(false);
    open_delivery(world);
    start(world);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 4);
    assert_int_equal(pair.second_count, 2);
    end_world(world);
}

static void gives_up_after_max_elapsed_time_as_configured(void **state)
{
    (void)state;
    struct world *world = make_pair_world(true);
    world->config.retry.max_elapsed_time_ns = 1;
    world->config.retry.on_give_up = HF_GIVE_UP_DEAD_LETTER;
    open_delivery(world);
    start(world);
    put(world, 4);
    struct wal_accounting accounting = wait_until_empty(world);
    assert_int_equal(accounting.delivered.items, 2);
    assert_int_equal(accounting.dead_lettered.items, 2);
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_others_go_on_while_one_backend_fails),
        cmocka_unit_test(tries_one_request_at_a_time_while_it_fails),
        cmocka_unit_test(isolates_one_item_of_a_share_that_is_refused_for_good),
        cmocka_unit_test(keeps_what_is_held_over_a_stop),
        cmocka_unit_test(gives_up_after_max_elapsed_time_as_configured),
    };
    return cmocka_run_group_tests_name("held", tests, NULL, NULL);
}
