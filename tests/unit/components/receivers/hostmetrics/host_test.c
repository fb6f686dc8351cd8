/* Texts are taken apart, files are found below the root, the boot time is read. */
#include "components/receivers/hostmetrics/host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three before it */

#include "components/receivers/hostmetrics/metric.h"
#include "tree.h"

static void takes_lines_and_words_apart(void **state)
{
    struct hf_slice text = hf_slice_text("one  2\tthree\n\nlast");
    struct hf_slice line, word;
    uint64_t number;
    (void)state;
    assert_true(host_next_line(&text, &line));
    assert_true(host_starts_with(line, "one"));
    assert_false(host_starts_with(line, "one  2\tthree and more"));
    assert_true(host_skip_words(&line, 1));
    assert_true(host_next_number(&line, &number));
    assert_int_equal(number, 2);
    assert_false(host_next_number(&line, &number));
    assert_false(host_next_word(&line, &word));
    assert_true(host_next_line(&text, &line));
    assert_int_equal(line.size, 0);
    assert_false(host_next_word(&line, &word));
    assert_true(host_next_line(&text, &line));
    assert_true(hf_slice_is(line, "last"));
    assert_false(host_next_line(&text, &line));
    assert_false(host_skip_words(&line, 2));
}

static void reads_numbers_that_fit(void **state)
{
    static const struct {
        const char *text;
        unsigned base;
        bool is_number;
        uint64_t number;
    } cases[] = {
        {"0", 10, true, 0},
        {"18446744073709551615", 10, true, UINT64_MAX},
        {"18446744073709551616", 10, false, 0},
        {"99999999999999999999", 10, false, 0},
        {"0A", 16, true, 10},
        {"ffffffffffffffff", 16, true, UINT64_MAX},
        {"1ffffffffffffffff", 16, false, 0},
        {"0A", 10, false, 0},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"g", 16, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t number = 0;
        bool found = host_number_of(hf_slice_text(cases[i].text), cases[i].base, &number);
        assert_int_equal(found, cases[i].is_number);
        assert_true(number == cases[i].number);
    }
}

static void reads_below_the_root(void **state)
{
    struct tree tree;
    struct host host;
    struct hf_slice text;
    char root[80];
    (void)state;
    tree_make(&tree);
    tree_text(&tree, "proc/stat", "cpu0 1\ncpu1 2\nintr 7\nbtime 1700000000\n");
    snprintf(root, sizeof(root), "%s//", tree.root);
    assert_true(host_init(&host, root));
    assert_true(host_read_boot_time(&host));
    assert_true(host.boot_ns == UINT64_C(1700000000000000000));
    assert_int_equal(host_logical_cpus(&host), 2);
    tree_text(&tree, "proc/cpuinfo", "processor\t: 0\n\nprocessor\t: 1\nprocessor\t: 2\n");
    assert_int_equal(host_logical_cpus(&host), 3);
    assert_false(host_read_proc(&host, &text, "%d/stat", 7));
    assert_int_equal(errno, ENOENT);
    tree_text(&tree, "proc/stat", "cpu0 1\n");
    assert_false(host_read_boot_time(&host));
    host_release(&host);
    tree_remove(&tree);
}

static void refuses_files_without_end(void **state)
{
    struct host host;
    struct hf_slice text;
    (void)state;
    assert_true(host_init(&host, NULL));
    assert_false(host_read(&host, "/dev/zero", &text));
    assert_int_equal(errno, EFBIG);
    host_release(&host);
}

static void rounds_ratios_to_what_the_numbers_justify(void **state)
{
    (void)state;
    assert_true(host_ratio(1, 3) == 0.3);
    assert_true(host_ratio(1000, 3000) == 0.3333);
    assert_true(host_ratio(7, 10) == 0.7);
    assert_true(host_ratio(0, 5) == 0);
    double none = host_ratio(0, 0);
    assert_true(none != none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_lines_and_words_apart),
        cmocka_unit_test(reads_numbers_that_fit),
        cmocka_unit_test(reads_below_the_root),
        cmocka_unit_test(refuses_files_without_end),
        cmocka_unit_test(rounds_ratios_to_what_the_numbers_justify),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
