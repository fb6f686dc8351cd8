/* The limits of queues that are open: kept, changed when told, and those of a configuration win
 * over what was presumed. */
#include "sender_world.h"

#define MIB (UINT64_C(1) << 20)

static uint64_t max_of(struct wal *wal)
{
    struct wal_stat stat;
    wal_stat(wal, &stat);
    return stat.disk_bytes_max;
}

static struct wal *queue(struct world *world, const char *id, uint64_t max_bytes)
{
    char error[512] = "";
    struct wal *wal = NULL;
    const struct hf_queue_options options = {.max_bytes = max_bytes};
    assert_int_equal(hf_store_queue(world->store, id, &options, &wal, error), HF_OK);
    return wal;
}

static void reopen(struct world *world)
{
    char error[512] = "";
    const struct hf_store_options options = {.directory = world->directory, .log = world->log};
    hf_store_close(world->store);
    assert_int_equal(hf_store_open(&options, &world->store, error), HF_OK);
    world->host.store = world->store;
}

static void an_open_queue_keeps_its_limit_until_it_is_told(void **state)
{
    struct world *world = make_world();
    const struct hf_queue_options larger = {.max_bytes = 32 * MIB};
    (void)state;
    assert_int_equal(max_of(queue(world, "logs", 16 * MIB)), 16 * MIB);
    assert_int_equal(max_of(queue(world, "logs", 32 * MIB)), 16 * MIB);
    hf_store_limit_queue(world->store, "logs", &larger);
    assert_int_equal(max_of(queue(world, "logs", 0)), 32 * MIB);
    end_world(world);
}

static void a_limit_that_is_no_longer_given_is_the_default_again(void **state)
{
    struct world *world = make_world();
    const struct hf_queue_options none = {0};
    (void)state;
    struct wal *limited = queue(world, "logs", 16 * MIB);
    hf_store_limit_queue(world->store, "logs", &none);
    assert_int_equal(max_of(limited), max_of(queue(world, "metrics", 0)));
    end_world(world);
}

static void what_the_directory_holds_is_opened_once(void **state)
{
    struct world *world = make_world();
    (void)state;
    assert_int_equal(max_of(queue(world, "logs", 16 * MIB)), 16 * MIB);
    hf_store_open_all(world->store);
    assert_int_equal(max_of(queue(world, "logs", 0)), 16 * MIB);
    end_world(world);
}

static void dead_letters_found_at_the_start_get_the_limit_of_the_configuration(void **state)
{
    struct world *world = make_world();
    (void)state;
    assert_non_null(hf_store_dead_letters(world->store, "otlp", 16 * MIB));
    reopen(world);
    hf_store_open_all(world->store);
    hf_store_limit_letters(world->store, "otlp", 16 * MIB);
    assert_int_equal(max_of(hf_store_dead_letters(world->store, "otlp", 8 * MIB)), 16 * MIB);
    hf_store_limit_letters(world->store, "nobody", 16 * MIB);
    assert_null(hf_store_dead_letter_reader(world->store, "nobody"));
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_queue_keeps_its_limit_until_it_is_told),
        cmocka_unit_test(a_limit_that_is_no_longer_given_is_the_default_again),
        cmocka_unit_test(what_the_directory_holds_is_opened_once),
        cmocka_unit_test(dead_letters_found_at_the_start_get_the_limit_of_the_configuration),
    };
    return cmocka_run_group_tests_name("store_queues", tests, NULL, NULL);
}
