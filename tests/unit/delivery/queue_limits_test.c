/* The limits of queues that are open: kept, changed when told, and those of a configuration win
 * over what was presumed. */
#include "delivery_world.h"

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
    assert_int_equal(hf_storage_queue(world->host.store, id, &options, &wal, error), HF_OK);
    return wal;
}

static void reopen(struct world *world)
{
    char error[512] = "";
    const struct hf_storage_options options = {.directory = world->directory,
                                               .log = world->host.log};
    hf_storage_close(world->host.store);
    assert_int_equal(hf_storage_open(&options, &world->host.store, error), HF_OK);
}

static void an_open_queue_keeps_its_limit_until_it_is_told(void **state)
{
    struct world *world = make_world();
    const struct hf_queue_options larger = {.max_bytes = 32 * MIB};
    (void)state;
    assert_int_equal(max_of(queue(world, "logs", 16 * MIB)), 16 * MIB);
    assert_int_equal(max_of(queue(world, "logs", 32 * MIB)), 16 * MIB);
    hf_storage_limit_queue(world->host.store, "logs", &larger);
    assert_int_equal(max_of(queue(world, "logs", 0)), 32 * MIB);
    end_world(world);
}

static void a_limit_that_is_no_longer_given_is_the_default_again(void **state)
{
    struct world *world = make_world();
    const struct hf_queue_options none = {0};
    (void)state;
    struct wal *limited = queue(world, "logs", 16 * MIB);
    hf_storage_limit_queue(world->host.store, "logs", &none);
    assert_int_equal(max_of(limited), max_of(queue(world, "metrics", 0)));
    end_world(world);
}

static void what_the_directory_holds_is_opened_once(void **state)
{
    struct world *world = make_world();
    (void)state;
    assert_int_equal(max_of(queue(world, "logs", 16 * MIB)), 16 * MIB);
    hf_storage_open_all(world->host.store);
    assert_int_equal(max_of(queue(world, "logs", 0)), 16 * MIB);
    end_world(world);
}

static void dead_letters_found_at_the_start_get_the_limit_of_the_configuration(void **state)
{
    char error[512] = "";
    struct world *world = make_world();
    struct wal *requeue = NULL;
    (void)state;
    assert_non_null(hf_storage_dead_letters(world->host.store, "otlp",
                                            &(const struct wal_limits){16 * MIB, false}));
    assert_int_equal(hf_storage_requeue(world->host.store, "otlp", &requeue, error), HF_OK);
    assert_int_equal(max_of(requeue), 16 * MIB);
    reopen(world);
    hf_storage_open_all(world->host.store);
    assert_int_equal(max_of(hf_storage_dead_letters(world->host.store, "otlp",
                                                    &(const struct wal_limits){8 * MIB, false})),
                     0);
    hf_storage_limit_dead_letters(world->host.store, "otlp",
                                  &(const struct wal_limits){16 * MIB, false});
    assert_int_equal(max_of(hf_storage_dead_letters(world->host.store, "otlp",
                                                    &(const struct wal_limits){8 * MIB, false})),
                     16 * MIB);
    assert_int_equal(hf_storage_requeue(world->host.store, "otlp", &requeue, error), HF_OK);
    assert_int_equal(max_of(requeue), 16 * MIB);
    hf_storage_limit_dead_letters(world->host.store, "absent",
                                  &(const struct wal_limits){16 * MIB, false});
    assert_null(hf_storage_dead_letter_reader(world->host.store, "absent"));
    end_world(world);
}

/* The first byte of the first span's name, in the only segment of that queue. */
static void damage(struct world *world, const char *id)
{
    static const uint8_t name[] = {0x2a, 1, 'a'};
    char path[256];
    uint8_t bytes[1 << 17];
    snprintf(path, sizeof(path), "%s/queue/%s/00000000000000000000.seg", world->directory, id);
    FILE *file = fopen(path, "r+be");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    const uint8_t *found = memmem(bytes, size, name, sizeof(name));
    assert_non_null(found);
    assert_int_equal(fseek(file, found + 2 - bytes, SEEK_SET), 0);
    assert_int_equal(fputc('?', file), '?');
    assert_int_equal(fclose(file), 0);
}

static void what_is_damaged_in_two_queues_is_kept_of_both(void **state)
{
    static const char *const ids[] = {"logs", "metrics"};
    struct world *world = make_world();
    const struct wal_consumer_options options = {.name = "reader", .from_oldest = true};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        put_into(queue(world, ids[i], 0), HF_LOGS, 1);
    }
    reopen(world);
    for (size_t i = 0; i < 2; i++) {
        struct wal_consumer *consumer = NULL;
        struct wal_record record;
        size_t count = 1;
        char path[256];
        damage(world, ids[i]);
        assert_int_equal(wal_consumer_open(queue(world, ids[i], 0), &options, &consumer), WAL_OK);
        assert_int_equal(wal_consumer_read(consumer, 1, 1, &record, &count), WAL_OK);
        assert_int_equal(count, 0);
        wal_consumer_close(consumer);
        snprintf(path, sizeof(path), "%s/damaged/queue-%s/00000000000000000000.record",
                 world->directory, ids[i]);
        assert_int_equal(access(path, R_OK), 0);
    }
    end_world(world);
}

static void note_made(void *user, struct wal *wal)
{
    *(struct wal **)user = wal;
}

static void who_watches_is_told_of_the_queue_once_it_is_made(void **state)
{
    char error[512] = "";
    struct world *world = make_world();
    struct wal *seen[3] = {NULL};
    struct wal *made = NULL;
    struct hf_requeue_watch watches[] = {
        {.exporter = "otlp", .made = note_made, .user = &seen[0]},
        {.exporter = "other", .made = note_made, .user = &seen[1]},
        {.exporter = "otlp", .made = note_made, .user = &seen[2]},
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_null(hf_storage_watch_requeue(world->host.store, &watches[i]));
    }
    hf_storage_unwatch_requeue(world->host.store, &watches[2]);
    hf_storage_unwatch_requeue(world->host.store, &watches[2]);
    assert_true(hf_storage_is_watched(world->host.store, "otlp"));
    assert_int_equal(hf_storage_requeue(world->host.store, "otlp", &made, error), HF_OK);
    assert_ptr_equal(seen[0], made);
    assert_null(seen[1]);
    assert_null(seen[2]);
    assert_ptr_equal(hf_storage_watch_requeue(world->host.store, &watches[2]), made);
    for (size_t i = 0; i < 3; i++) {
        hf_storage_unwatch_requeue(world->host.store, &watches[i]);
    }
    assert_false(hf_storage_is_watched(world->host.store, "otlp"));
    end_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_queue_keeps_its_limit_until_it_is_told),
        cmocka_unit_test(a_limit_that_is_no_longer_given_is_the_default_again),
        cmocka_unit_test(what_the_directory_holds_is_opened_once),
        cmocka_unit_test(dead_letters_found_at_the_start_get_the_limit_of_the_configuration),
        cmocka_unit_test(what_is_damaged_in_two_queues_is_kept_of_both),
        cmocka_unit_test(who_watches_is_told_of_the_queue_once_it_is_made),
    };
    return cmocka_run_group_tests_name("store_queues", tests, NULL, NULL);
}
