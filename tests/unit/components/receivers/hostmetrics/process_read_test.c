/* The files of a process, also when they are cut short or say odd things. */
#include "components/receivers/hostmetrics/process_read.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "tree.h"

struct world {
    struct tree tree;
    struct host host;
};

static void begin(struct world *world)
{
    tree_make(&world->tree);
    assert_true(host_init(&world->host, world->tree.root));
}

static void end(struct world *world)
{
    host_release(&world->host);
    tree_remove(&world->tree);
}

static void reads_a_stat_whatever_the_name(void **state)
{
    struct world world;
    struct process_stat stat;
    (void)state;
    begin(&world);
    tree_text(&world.tree, "proc/7/stat",
              "7 (a) b\n) S 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 "
              "29 30 31 32 33 34 35 36 37 38 39 40 41 42 43\n");
    assert_true(process_read_stat(&world.host, 7, &stat));
    assert_int_equal(stat.parent_pid, 3);
    assert_int_equal(stat.minor_faults, 9);
    assert_int_equal(stat.major_faults, 11);
    assert_int_equal(stat.user_ticks, 13);
    assert_int_equal(stat.system_ticks, 14);
    assert_int_equal(stat.threads, 19);
    assert_int_equal(stat.start_ticks, 21);
    assert_int_equal(stat.wait_ticks, 41);
    end(&world);
}

static void refuses_a_stat_that_is_cut_short(void **state)
{
    static const char *const texts[] = {"",
                                        "7",
                                        "7 (name",
                                        "7 (name)",
                                        "7 (name) S 1 2 3",
                                        "7 (name) S x 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"};
    struct world world;
    struct process_stat stat;
    (void)state;
    begin(&world);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        tree_text(&world.tree, "proc/7/stat", texts[i]);
        assert_false(process_read_stat(&world.host, 7, &stat));
        assert_int_equal(errno, EBADMSG);
    }
    assert_false(process_read_stat(&world.host, 8, &stat));
    assert_int_equal(errno, ENOENT);
    end(&world);
}

static void completes_a_name_that_the_kernel_cut(void **state)
{
    static const struct {
        const char *comm, *arguments;
        size_t size;
        const char *name;
    } cases[] = {
        {"short\n", "/bin/longer", 12, "short"},
        {"a-name-that-is-\n", "/bin/a-name-that-is-cut", 24, "a-name-that-is-cut"},
        {"a-name-that-is-\n", "/bin/another", 13, "a-name-that-is-"},
        {"a-name-that-is-\n", "", 0, "a-name-that-is-"},
        {"kworker/0:1-eve\n", "", 0, "kworker/0:1-eve"},
    };
    struct world world;
    char name[64];
    (void)state;
    begin(&world);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tree_text(&world.tree, "proc/7/comm", cases[i].comm);
        tree_write(&world.tree, "proc/7/cmdline", cases[i].arguments, cases[i].size);
        assert_true(process_read_name(&world.host, 7, name, sizeof(name)));
        assert_string_equal(name, cases[i].name);
    }
    end(&world);
}

static void adds_up_the_switches_of_all_threads(void **state)
{
    struct world world;
    struct process_status status;
    (void)state;
    begin(&world);
    tree_text(&world.tree, "proc/7/task/7/status",
              "Uid:\t1000\t0\t0\t0\nShdPnd:\t0000000000000005\nvoluntary_ctxt_switches:\t10\n"
              "nonvoluntary_ctxt_switches:\t3\n");
    tree_text(&world.tree, "proc/7/task/8/status",
              "voluntary_ctxt_switches:\t20\nnonvoluntary_ctxt_switches:\t4\n");
    assert_true(process_read_switches(&world.host, 7, &status));
    assert_int_equal(status.voluntary_switches, 30);
    assert_int_equal(status.involuntary_switches, 7);
    tree_text(&world.tree, "proc/7/status", "Uid:\t1000\t0\t0\t0\nShdPnd:\t0000000000000105\n");
    assert_true(process_read_status(&world.host, 7, &status));
    assert_int_equal(status.uid, 1000);
    assert_int_equal(status.pending_signals, 0x105);
    assert_false(process_read_switches(&world.host, 9, &status));
    end(&world);
}

static void takes_a_missing_executable_for_none(void **state)
{
    struct world world;
    char path[32];
    uint64_t resident, size;
    (void)state;
    begin(&world);
    tree_text(&world.tree, "proc/7/statm", "100 25 3 0 0 0 0\n");
    assert_true(process_read_executable(&world.host, 7, path, sizeof(path)));
    assert_string_equal(path, "");
    assert_true(process_read_memory(&world.host, 7, &resident, &size));
    assert_int_equal(resident, 25 * world.host.page_size);
    assert_int_equal(size, 100 * world.host.page_size);
    tree_text(&world.tree, "proc/7/statm", "100");
    assert_false(process_read_memory(&world.host, 7, &resident, &size));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_stat_whatever_the_name),
        cmocka_unit_test(refuses_a_stat_that_is_cut_short),
        cmocka_unit_test(completes_a_name_that_the_kernel_cut),
        cmocka_unit_test(adds_up_the_switches_of_all_threads),
        cmocka_unit_test(takes_a_missing_executable_for_none),
    };
    return cmocka_run_group_tests_name("process_read", tests, NULL, NULL);
}
