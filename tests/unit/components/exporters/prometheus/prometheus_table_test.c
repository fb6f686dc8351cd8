/* The table of series, its snapshot, and its page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "components/exporters/prometheus/prometheus_labels.h"
#include "components/exporters/prometheus/prometheus_negotiation.h"
#include "components/exporters/prometheus/prometheus_print.h"
#include "components/exporters/prometheus/prometheus_snapshot.h"
#include "components/exporters/prometheus/prometheus_table.h"
#include "tests/support/node_stub.c"

static struct prometheus_series *make(struct prometheus_table *table, const char *name,
                                      enum hf_prom_kind kind, const char *labels)
{
    struct prometheus_family *family = NULL;
    struct prometheus_series *series = NULL;
    assert_int_equal(
        prometheus_table_family(table, hf_slice_text(name), kind, hf_slice_text("help"), &family),
        HF_OK);
    assert_int_equal(prometheus_table_series(table, family, hf_slice_text(labels), &series), HF_OK);
    return series;
}

static struct prometheus_value integer(int64_t number, uint64_t start_ns, uint64_t time_ns)
{
    return (struct prometheus_value){
        .is_integer = true, .integer = number, .start_ns = start_ns, .time_ns = time_ns};
}

static void a_delta_is_added_once_when_it_follows_and_replaces_otherwise(void **state)
{
    (void)state;
    static const struct {
        uint64_t start_ns, time_ns;
        int64_t delta, expected;
    } steps[] = {{0, 10, 5, 5}, {10, 20, 2, 7}, {10, 20, 2, 7},
                 {0, 10, 5, 7}, {20, 30, 1, 8}, {40, 50, 3, 3}};
    struct prometheus_table table;
    prometheus_table_init(&table, 10);
    struct prometheus_series *series = make(&table, "a", HF_PROM_COUNTER, "");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct prometheus_value value =
            integer(steps[i].delta, steps[i].start_ns, steps[i].time_ns);
        prometheus_series_add(series, &value);
        series->updated_ns = 1;
        assert_int_equal(series->value.integer, steps[i].expected);
    }
    prometheus_table_clear(&table);
}

static void many_series_are_found_and_removed(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct prometheus_table table;
    prometheus_table_init(&table, COUNT);
    char labels[32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(labels, sizeof(labels), "n=\"%d\"", i);
        make(&table, i % 2 == 0 ? "a" : "b", HF_PROM_GAUGE, labels)->updated_ns = (uint64_t)(i % 3);
    }
    struct prometheus_series *more = NULL;
    assert_int_equal(prometheus_table_series(&table, table.families[0], hf_slice_text("x"), &more),
                     HF_FULL);
    assert_int_equal(table.refused, 1);
    prometheus_table_expire(&table, 2);
    for (int i = 0; i < COUNT; i++) {
        snprintf(labels, sizeof(labels), "n=\"%d\"", i);
        struct prometheus_series *series =
            prometheus_table_find(&table, table.families[i % 2], hf_slice_text(labels));
        assert_int_equal(series != NULL, i % 3 == 2);
    }
    assert_int_equal(table.by_labels.count, table.families[0]->count + table.families[1]->count);
    prometheus_table_expire(&table, 3);
    assert_int_equal(table.family_count, 0);
    prometheus_table_clear(&table);
}

static void a_name_keeps_its_first_type(void **state)
{
    (void)state;
    struct prometheus_table table;
    prometheus_table_init(&table, 10);
    struct prometheus_family *family = NULL;
    make(&table, "a", HF_PROM_GAUGE, "");
    assert_int_equal(prometheus_table_family(&table, hf_slice_text("a"), HF_PROM_COUNTER,
                                             HF_EMPTY_SLICE, &family),
                     HF_EXISTS);
    prometheus_table_clear(&table);
}

/* Whole, and series by series. */
static void expect_styled(struct prometheus_table *table, const struct prometheus_style *style,
                          const char *expected)
{
    for (size_t enough = 1; enough <= 1u << 20; enough <<= 20) {
        struct hf_bytes page = {0};
        struct prometheus_cursor cursor = {.is_done = false};
        while (!cursor.is_done) {
            assert_int_equal(prometheus_print(table, style, &cursor, enough, &page), HF_OK);
        }
        assert_int_equal(hf_bytes_append(&page, hf_slice_of("", 1)), HF_OK);
        assert_string_equal((const char *)page.data, expected);
        prometheus_cursor_release(&cursor);
        hf_bytes_release(&page);
    }
}

static void expect_page(struct prometheus_table *table, const char *expected)
{
    expect_styled(table, &(struct prometheus_style){.constant = hf_slice_text("c=\"1\"")},
                  expected);
}

static void a_page_goes_on_behind_what_was_printed(void **state)
{
    (void)state;
    struct prometheus_table table;
    prometheus_table_init(&table, 10);
    const struct prometheus_style style = {.open_metrics = true};
    struct prometheus_cursor cursor = {.is_done = false};
    struct hf_bytes page = {0};
    make(&table, "a", HF_PROM_GAUGE, "n=\"2\"");
    make(&table, "a", HF_PROM_GAUGE, "n=\"4\"");
    make(&table, "c", HF_PROM_GAUGE, "");
    assert_int_equal(prometheus_print(&table, &style, &cursor, 1, &page), HF_OK);
    make(&table, "a", HF_PROM_GAUGE, "n=\"1\"");
    make(&table, "a", HF_PROM_GAUGE, "n=\"3\"");
    make(&table, "b", HF_PROM_GAUGE, "");
    struct prometheus_family *first = table.families[0];
    prometheus_table_remove(&table, prometheus_table_find(&table, first, hf_slice_text("n=\"2\"")));
    assert_int_equal(prometheus_print(&table, &style, &cursor, 1, &page), HF_OK);
    prometheus_table_expire(&table, 10); /* all of them */
    make(&table, "a", HF_PROM_COUNTER, "n=\"5\"");
    make(&table, "d", HF_PROM_GAUGE, "");
    while (!cursor.is_done) {
        assert_int_equal(prometheus_print(&table, &style, &cursor, 1, &page), HF_OK);
    }
    assert_int_equal(hf_bytes_append(&page, hf_slice_of("", 1)), HF_OK);
    assert_string_equal((const char *)page.data,
                        "# HELP a help\n# TYPE a gauge\na{n=\"2\"} 0.0\na{n=\"3\"} 0.0\n"
                        "# HELP d help\n# TYPE d gauge\nd 0.0\n# EOF\n");
    prometheus_cursor_release(&cursor);
    hf_bytes_release(&page);
    prometheus_table_clear(&table);
}

static void a_snapshot_gives_the_same_page_and_damage_is_seen(void **state)
{
    (void)state;
    static const char expected[] =
        "# HELP a help\n# TYPE a counter\n"
        "a{n=\"1\",c=\"1\"} 7\na{n=\"2\",c=\"1\"} 9\n"
        "# HELP h help\n# TYPE h histogram\n"
        "h_bucket{c=\"1\",le=\"0.5\"} 2\nh_bucket{c=\"1\",le=\"+Inf\"} 5\n"
        "h_sum{c=\"1\"} 1.5\nh_count{c=\"1\"} 5\n";
    char path[] = "/tmp/prometheus-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    uint64_t left = 1;
    struct prometheus_table table;
    prometheus_table_init(&table, 10);
    struct prometheus_value value = integer(9, 1, 2);
    prometheus_series_put(make(&table, "a", HF_PROM_COUNTER, "n=\"2\""), &value);
    value = integer(7, 1, 2);
    prometheus_series_put(make(&table, "a", HF_PROM_COUNTER, "n=\"1\""), &value);
    value = (struct prometheus_value){.count = 5, .sum = 1.5, .pair_count = 2};
    value.pairs = calloc(2, sizeof(*value.pairs));
    assert_non_null(value.pairs);
    value.pairs[0] = (struct prometheus_pair){.at = 0.5, .count = 2};
    value.pairs[1] = (struct prometheus_pair){.at = INFINITY, .count = 3};
    prometheus_series_put(make(&table, "h", HF_PROM_HISTOGRAM, ""), &value);
    expect_page(&table, expected);
    assert_int_equal(prometheus_snapshot_save(path, &table), HF_OK);
    prometheus_table_clear(&table);
    assert_int_equal(prometheus_snapshot_load(path, &table, NULL, NULL, &left), HF_OK);
    expect_page(&table, expected);
    assert_int_equal(left, 0);
    prometheus_table_clear(&table);
    close(fd);

    fd = open(path, O_RDWR | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    assert_int_equal(pwrite(fd, "cut", 3, size), 3);
    assert_int_equal(prometheus_snapshot_load(path, &table, NULL, NULL, &left), HF_OK);
    assert_int_equal(left, 3);
    expect_page(&table, expected);
    prometheus_table_clear(&table);
    assert_int_equal(ftruncate(fd, size), 0);
    for (off_t at = 0; at < size; at++) {
        uint8_t byte = 0;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_not_equal(prometheus_snapshot_load(path, &table, NULL, NULL, &left), HF_OK);
        assert_int_equal(table.by_labels.count, 0);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
    unlink(path);
    assert_int_equal(prometheus_snapshot_load(path, &table, NULL, NULL, &left), HF_NOT_FOUND);
}

static void expect_escaped(struct prometheus_table *table, enum hf_prom_escaping escaping,
                           const char *expected)
{
    const struct prometheus_style style = {.constant = hf_slice_text("\"c.d\"=\"1\""),
                                           .escaping = escaping};
    expect_styled(table, &style, expected);
}

static void names_are_quoted_or_escaped_as_the_scraper_asks(void **state)
{
    (void)state;
    struct prometheus_table table;
    prometheus_table_init(&table, 10);
    struct prometheus_value value = integer(7, 1, 2);
    prometheus_series_put(make(&table, "a\"b.c", HF_PROM_GAUGE, ""), &value);
    value = integer(8, 1, 2);
    prometheus_series_put(make(&table, "x", HF_PROM_GAUGE,
                               "\"a.b\"=\"one,\",a_b=\"t\\\"w\\\\o\\n\",\"p\\\"\\\\q\"=\"3\""),
                          &value);
    expect_escaped(
        &table, HF_PROM_ALLOW_UTF8,
        "# HELP \"a\\\"b.c\" help\n# TYPE \"a\\\"b.c\" gauge\n"
        "{\"a\\\"b.c\",\"c.d\"=\"1\"} 7\n"
        "# HELP x help\n# TYPE x gauge\n"
        "x{\"a.b\"=\"one,\",a_b=\"t\\\"w\\\\o\\n\",\"p\\\"\\\\q\"=\"3\",\"c.d\"=\"1\"} 8\n");
    expect_escaped(&table, HF_PROM_UNDERSCORES,
                   "# HELP a_b_c help\n# TYPE a_b_c gauge\na_b_c{c_d=\"1\"} 7\n"
                   "# HELP x help\n# TYPE x gauge\n"
                   "x{a_b=\"one,;t\\\"w\\\\o\\n\",c_d=\"1\",p__q=\"3\"} 8\n");
    expect_escaped(&table, HF_PROM_VALUES,
                   "# HELP U__a_22_b_2e_c help\n# TYPE U__a_22_b_2e_c gauge\n"
                   "U__a_22_b_2e_c{U__c_2e_d=\"1\"} 7\n"
                   "# HELP x help\n# TYPE x gauge\n"
                   "x{U__a_2e_b=\"one,\",U__c_2e_d=\"1\",U__p_22__5c_q=\"3\","
                   "a_b=\"t\\\"w\\\\o\\n\"} 8\n");
    prometheus_table_clear(&table);
}

static void labels_that_were_printed_wrongly_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"\"", "\"a",     "\"a\"",    "\"a\\", "a",
                                        "a=", "a=\"b\\", "a=\"b\",", ","};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct prometheus_labels labels = {.count = 0};
        struct hf_slice text;
        char *copy = strdup(texts[i]); /* without room behind it, so that a sanitizer sees */
        assert_non_null(copy);
        assert_int_equal(prometheus_labels_add_printed(&labels, hf_slice_of(copy, strlen(copy)),
                                                       HF_PROM_UNDERSCORES),
                         HF_OK);
        assert_int_equal(prometheus_labels_print(&labels, &text), HF_OK);
        free(copy);
        prometheus_labels_release(&labels);
    }
}

static void the_format_is_chosen_by_weight_and_version(void **state)
{
    (void)state;
    static const struct {
        const char *accept, *expected, *without_open_metrics;
    } cases[] = {
        {"application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3",
         "application/openmetrics-text; version=1.0.0; charset=utf-8",
         "text/plain; version=0.0.4; charset=utf-8"},
        {"application/openmetrics-text;version=1.0.0;q=0.2,text/plain;version=0.0.4;q=0.3",
         "text/plain; version=0.0.4; charset=utf-8", NULL},
        {"application/openmetrics-text; version=2.0.0", "text/plain; version=0.0.4; charset=utf-8",
         NULL},
        {"application/openmetrics-text; version=\"1.0.0\"",
         "application/openmetrics-text; version=1.0.0; charset=utf-8",
         "text/plain; version=0.0.4; charset=utf-8"},
        {"text/plain,application/openmetrics-text",
         "application/openmetrics-text; version=1.0.0; charset=utf-8",
         "text/plain; version=0.0.4; charset=utf-8"},
        {"text/plain;q=0, */*", "text/plain; version=0.0.4; charset=utf-8", NULL},
        {"", "text/plain; version=0.0.4; charset=utf-8", NULL},
        /* What Prometheus 3 sends. */
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
         "application/openmetrics-text;version=0.0.1;q=0.5,"
         "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/"
         "*;q=0.2",
         "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
         "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"},
        {"text/plain;version=1.0.0;escaping=dots;q=0.4, text/plain;version=0.0.4;q=0.3",
         "text/plain; version=1.0.0; charset=utf-8; escaping=dots", NULL},
        {"text/plain; version=0.0.4; escaping=values",
         "text/plain; version=0.0.4; charset=utf-8; escaping=values", NULL},
        {"text/plain; version=1.0.0; escaping=other",
         "text/plain; version=1.0.0; charset=utf-8; escaping=underscores", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int open = 0; open < 2; open++) {
            char type[PROMETHEUS_CONTENT_TYPE_MAX];
            const char *without = cases[i].without_open_metrics;
            struct prometheus_format format =
                prometheus_negotiate(hf_slice_text(cases[i].accept), open != 0);
            prometheus_content_type(&format, type);
            assert_string_equal(type, open == 0 && without != NULL ? without : cases[i].expected);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delta_is_added_once_when_it_follows_and_replaces_otherwise),
        cmocka_unit_test(many_series_are_found_and_removed),
        cmocka_unit_test(a_name_keeps_its_first_type),
        cmocka_unit_test(a_page_goes_on_behind_what_was_printed),
        cmocka_unit_test(a_snapshot_gives_the_same_page_and_damage_is_seen),
        cmocka_unit_test(names_are_quoted_or_escaped_as_the_scraper_asks),
        cmocka_unit_test(labels_that_were_printed_wrongly_end),
        cmocka_unit_test(the_format_is_chosen_by_weight_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
