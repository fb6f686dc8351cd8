/* Folders of queues that are no more: they go when everything is done with, and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "storage/storage.h"
#include "util/log/log.h"

struct world {
    char directory[64];
    struct hf_log *log;
    struct hf_storage *store;
};

static void open_store(struct world *world)
{
    char error[HF_ERROR_MAX] = "";
    const struct hf_storage_options options = {.directory = world->directory, .log = world->log};
    assert_int_equal(hf_storage_open(&options, &world->store, error), HF_OK);
}

static void begin(struct world *world)
{
    char error[HF_ERROR_MAX] = "";
    const struct hf_log_options log = {.level = HF_LOG_ERROR + 1};
    *world = (struct world){.directory = "/tmp/hf-drained-XXXXXX"};
    assert_non_null(mkdtemp(world->directory));
    assert_int_equal(hf_log_new(&log, &world->log, error), HF_OK);
    open_store(world);
}

static void end(struct world *world)
{
    char command[128];
    hf_storage_close(world->store);
    hf_log_free(world->log);
    snprintf(command, sizeof(command), "rm -rf %s", world->directory);
    assert_int_equal(system(command), 0);
}

static void ignore_done(struct wal_append *append, enum wal_status status)
{
    (void)append;
    assert_int_equal(status, WAL_OK);
}

/* A queue with a reader of that name (NULL: none) and a record, which it acknowledges or not. */
static void fill_queue(struct world *world, const char *reader, bool has_record, bool acknowledges)
{
    char error[HF_ERROR_MAX] = "";
    struct wal *wal = NULL;
    struct wal_consumer *consumer = NULL;
    const struct wal_consumer_options options = {.name = reader};
    struct wal_append append = {
        .items = 1, .raw_bytes = 4, .body = hf_slice_text("body"), .done = ignore_done};
    assert_int_equal(hf_storage_queue(world->store, "traces~2",
                                      &(const struct hf_queue_options){.max_bytes = 0}, &wal,
                                      error),
                     HF_OK);
    if (reader != NULL) {
        assert_int_equal(wal_consumer_open(wal, &options, &consumer), WAL_OK);
    }
    if (has_record) {
        assert_int_equal(wal_admit(wal, &append), WAL_OK);
        wal_append(wal, &append);
        struct wal_stat stat = {0};
        while (stat.appended.records == 0) {
            usleep(1000);
            wal_stat(wal, &stat);
        }
    }
    if (acknowledges) {
        const struct wal_ack ack = {.sequence = 0, .items = 1, .raw_bytes = 4};
        wal_consumer_ack(consumer, &ack, 1);
    }
    assert_true(hf_storage_has_queue(world->store, "traces~2"));
    if (consumer != NULL) {
        assert_int_equal(hf_storage_is_drained(world->store, "traces~2"),
                         acknowledges || !has_record);
        assert_false(hf_storage_remove_drained(world->store, "traces~2")); /* someone reads it */
        wal_consumer_close(consumer);
    }
}

static void open_store_again(struct world *world)
{
    hf_storage_close(world->store);
    open_store(world);
}

static void removes_what_all_readers_are_done_with(void **state)
{
    static const struct {
        const char *reader;
        bool has_record, acknowledges, goes;
    } cases[] = {{"otlp", false, false, true},
                 {"otlp", true, true, true},
                 {"otlp", true, false, false},
                 {NULL, false, false, true}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t at = i / 2;
        struct world world;
        begin(&world);
        fill_queue(&world, cases[at].reader, cases[at].has_record, cases[at].acknowledges);
        if (i % 2 != 0) {
            open_store_again(&world); /* where the queue is not open */
        }
        assert_true(hf_storage_has_queue(world.store, "traces~2"));
        assert_int_equal(hf_storage_remove_drained(world.store, "traces~2"), cases[at].goes);
        assert_int_equal(hf_storage_has_queue(world.store, "traces~2"), !cases[at].goes);
        end(&world);
    }
}

static void removes_nothing_that_is_in_use(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    fill_queue(&world, "otlp", true, true);
    hf_storage_hold(world.store);
    hf_storage_hold(world.store);
    hf_storage_release(world.store);
    assert_false(hf_storage_remove_drained(world.store, "traces~2"));
    hf_storage_release(world.store);
    assert_true(hf_storage_remove_drained(world.store, "traces~2"));
    end(&world);
}

static void ends_a_removal_that_was_interrupted(void **state)
{
    struct world world;
    char rest[128], file[160];
    (void)state;
    begin(&world);
    fill_queue(&world, "otlp", true, false);
    snprintf(rest, sizeof(rest), "%s/queue/.removed-traces%%7E1", world.directory);
    snprintf(file, sizeof(file), "%s/cursors.lmdb", rest);
    assert_int_equal(mkdir(rest, 0700), 0);
    FILE *made = fopen(file, "w");
    assert_non_null(made);
    fclose(made);
    hf_storage_close(world.store);
    open_store(&world);
    assert_int_equal(access(rest, F_OK), -1);
    assert_true(hf_storage_has_queue(world.store, "traces~2")); /* which still has something */
    end(&world);
}

static void knows_no_queue_that_was_never_there(void **state)
{
    struct world world;
    char id[600];
    (void)state;
    begin(&world);
    memset(id, 'x', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    assert_false(hf_storage_has_queue(world.store, "traces~2"));
    assert_false(hf_storage_has_queue(world.store, id));
    assert_false(hf_storage_remove_drained(world.store, "traces~2"));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removes_what_all_readers_are_done_with),
        cmocka_unit_test(removes_nothing_that_is_in_use),
        cmocka_unit_test(ends_a_removal_that_was_interrupted),
        cmocka_unit_test(knows_no_queue_that_was_never_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
