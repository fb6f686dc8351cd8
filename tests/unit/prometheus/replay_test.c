/* A replayed scrape is what reading the same exposition gives, or is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "pdata/scan.h"
#include "prometheus/replay.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One exposition as it is read: what was gathered, and the requests of it. */
struct scrape {
    struct hf_arena arena;
    struct hf_prom_gather gather;
    struct hf_builder builder;
    struct hf_expo_values values;
    enum hf_expo_format format;
    const char *text;
    size_t limit_bytes;
};

static void feed(struct scrape *scrape, int64_t time_ms)
{
    static struct hf_expo_reader reader;
    uint32_t number = 0;
    hf_expo_init(&reader, scrape->format, hf_slice_text(scrape->text), &scrape->arena);
    enum hf_expo_item item;
    while ((item = hf_expo_next(&reader)) != HF_EXPO_END) {
        assert_int_not_equal(item, HF_EXPO_BAD);
        if (item != HF_EXPO_IS_SAMPLE) {
            hf_prom_gather_metadata(&scrape->gather, item, &reader);
            continue;
        }
        const struct hf_prom_sample sample = {
            .name = reader.name,
            .labels = reader.labels.items,
            .label_count = reader.labels.count,
            .value = reader.value,
            .number = number++,
            .time_ms = time_ms,
        };
        hf_prom_gather_sample(&scrape->gather, &sample);
    }
    assert_int_equal(number, scrape->values.count);
}

static void begin(struct scrape *scrape, const char *text, size_t limit_bytes)
{
    const struct hf_prom_gather_options options = {
        .job = hf_slice_text("job"),
        .instance = hf_slice_text("localhost:80"),
        .scheme = hf_slice_text("http"),
        .scope_name = hf_slice_text("own"),
    };
    size_t size = strlen(text);
    bool is_open = size >= 6 && strcmp(text + size - 6, "# EOF\n") == 0;
    *scrape = (struct scrape){.arena = {.limit = 8u << 20}, .text = text};
    scrape->format = is_open ? HF_EXPO_OPENMETRICS : HF_EXPO_TEXT;
    hf_prom_gather_init(&scrape->gather, &scrape->arena);
    hf_prom_gather_begin(&scrape->gather, &options);
    hf_builder_init(&scrape->builder, HF_METRICS, limit_bytes);
    assert_true(hf_expo_values_read(&scrape->values, scrape->format, hf_slice_text(text)));
}

static void read_slowly(struct scrape *scrape, int64_t time_ms)
{
    feed(scrape, time_ms);
    assert_int_equal(hf_prom_gather_write(&scrape->gather, &scrape->builder), HF_OK);
    assert_int_equal(hf_build_finish(&scrape->builder), HF_OK);
}

static void end(struct scrape *scrape)
{
    hf_expo_values_release(&scrape->values);
    hf_builder_release(&scrape->builder);
    hf_prom_gather_release(&scrape->gather);
    hf_arena_release(&scrape->arena);
}

/* The requests as JSON, joined; how many there were. */
static char *show(struct hf_builder *builder, size_t *ret_count)
{
    struct hf_bytes all = {0}, json = {0};
    struct hf_batch *batch;
    uint32_t items = 0;
    for (*ret_count = 0; (batch = hf_build_take(builder)) != NULL; (*ret_count)++) {
        assert_int_equal(hf_bytes_append(&all, batch->raw), HF_OK);
        items += batch->items;
        hf_ref_drop(&batch->ref);
    }
    struct hf_scan scan;
    struct hf_slice bytes = hf_slice_of(all.data, all.size);
    assert_int_equal(hf_scan(HF_METRICS, bytes, &scan), HF_OK);
    assert_int_equal(scan.items, items);
    assert_int_equal(hf_json_from_proto(HF_METRICS, bytes, &json), HF_OK);
    char *text = strndup((const char *)json.data, json.size);
    hf_bytes_release(&json);
    hf_bytes_release(&all);
    return text;
}

/* Is the second exposition replayed from the first? Then with the same requests as if it was read.
 */
static bool replays(const char *first_text, const char *second_text, size_t limit_bytes,
                    size_t *ret_requests)
{
    struct scrape first, second, replayed;
    struct hf_prom_replay replay = {0};
    size_t count = 0;
    begin(&first, first_text, limit_bytes);
    read_slowly(&first, 1000);
    hf_prom_replay_make(&replay, &first.gather, &first.builder, &first.values);
    begin(&second, second_text, limit_bytes);
    read_slowly(&second, 2000);
    begin(&replayed, second_text, limit_bytes);
    bool is_replayed = hf_prom_replay_write(&replay, &replayed.values, 2000, &replayed.builder);
    if (is_replayed) {
        char *wanted = show(&second.builder, ret_requests);
        char *found = show(&replayed.builder, &count);
        assert_string_equal(found, wanted);
        assert_int_equal(count, *ret_requests);
        free(wanted);
        free(found);
    } else {
        assert_null(hf_build_take(&replayed.builder));
    }
    hf_prom_replay_release(&replay);
    end(&first);
    end(&second);
    end(&replayed);
    return is_replayed;
}

#define NUMBERS(a, b)                                                                              \
    "# TYPE a_total counter\n# HELP a_total H.\na_total{x=\"1 2\"} " a "\nb " b "\n"
#define BUCKETS(a, b, c, sum, count)                                                               \
    "# TYPE h histogram\nh_bucket{le=\"5\"} " b "\nh_bucket{le=\"1\"} " a                          \
    "\nh_bucket{le=\"+Inf\"} " c "\nh_sum " sum "\nh_count " count "\n"
#define QUANTILES(a, b, sum, count)                                                                \
    "# TYPE s summary\ns{quantile=\"0.9\"} " b "\ns{quantile=\"0.5\"} " a "\ns_sum " sum           \
    "\ns_count " count "\n"
#define CREATED(value, created)                                                                    \
    "# TYPE c counter\nc_total " value "\nc_created " created "\n# EOF\n"

static void a_scrape_of_the_same_shape_is_what_reading_gives(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
    } cases[] = {
        {NUMBERS("1", "2"), NUMBERS("3.5e10", "-17")},
        {NUMBERS("0", "0"), NUMBERS("NaN", "+Inf")},
        {NUMBERS("1", "2") "\n\n# any comment\n", NUMBERS("0", "-0") "\n\n# any comment\n"},
        {BUCKETS("1", "3", "4", "7.5", "4"), BUCKETS("2", "2", "9", "NaN", "9")},
        {BUCKETS("1", "3", "4", "7.5", "4"), BUCKETS("0", "0", "0", "0", "0")},
        {BUCKETS("1", "3", "4", "7.5", "4") NUMBERS("1", "2"),
         BUCKETS("0.5", "1e3", "7", "-1", "1e20") NUMBERS("4", "5")},
        {QUANTILES("1", "2", "3", "4"), QUANTILES("NaN", "0", "5.5", "6")},
        {"a 1\na 1\ntarget_info{v=\"1\"} 1\nb 1\n", "a 2\na 3\ntarget_info{v=\"1\"} 1\nb 3\n"},
        {"a{job=\"x\"} 1\nb 2\na{job=\"y\"} 3\n", "a{job=\"x\"} 4\nb 5\na{job=\"y\"} 6\n"},
        {CREATED("1", "1500000000.5"), CREATED("2", "1500000000.5")},
        {"a 1", "a 2"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t requests;
        if (!replays(cases[i].first, cases[i].second, 1u << 20, &requests)) {
            fail_msg("case %zu", i);
        }
    }
}

static void what_asks_for_other_fields_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
    } cases[] = {
        {NUMBERS("1", "2"), NUMBERS("1", "2") "c 1\n"},
        {NUMBERS("1", "2") "c 1\n", NUMBERS("1", "2")},
        {NUMBERS("1", "2"),
         "# TYPE a_total counter\n# HELP a_total I.\na_total{x=\"1 2\"} 1\nb 2\n"},
        {NUMBERS("1", "2"),
         "# TYPE a_total counter\n# HELP a_total H.\na_total{x=\"1 3\"} 1\nb 2\n"},
        {"a 1\nb 2\n", "b 1\na 2\n"},
        {BUCKETS("1", "3", "4", "7.5", "4"), BUCKETS("3", "1", "4", "7.5", "4")},
        {BUCKETS("1", "3", "4", "7.5", "4"), BUCKETS("1", "5", "4", "7.5", "4")},
        {BUCKETS("0", "0", "0", "0", "0"), BUCKETS("0", "0", "1", "1", "1")},
        {QUANTILES("1", "2", "0", "0"), QUANTILES("1", "2", "0", "1")},
        {QUANTILES("0", "2", "3", "4"), QUANTILES("1", "2", "3", "4")},
        {CREATED("1", "1500000000.5"), CREATED("1", "1500000001.5")},
        {"a 5\n", "a 5 5000\n"},
        {"", ""}, /* no request */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t requests;
        if (replays(cases[i].first, cases[i].second, 1u << 20, &requests)) {
            fail_msg("case %zu", i);
        }
    }
}

static void a_scrape_of_many_requests_is_replayed_in_as_many(void **state)
{
    (void)state;
    struct hf_bytes text[2] = {{0}, {0}};
    size_t requests = 0;
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 0; k < 100; k++) {
            char line[64];
            int size = snprintf(line, sizeof(line), "a{k=\"%u\"} %u\n", k, 7 * k + i);
            assert_int_equal(hf_bytes_append(&text[i], hf_slice_of(line, (size_t)size)), HF_OK);
        }
        assert_int_equal(hf_bytes_append(&text[i], hf_slice_of("", 1)), HF_OK);
    }
    assert_true(replays((const char *)text[0].data, (const char *)text[1].data, 1000, &requests));
    assert_true(requests > 3);
    hf_bytes_release(&text[0]);
    hf_bytes_release(&text[1]);
}

static void values_are_found_at_the_ends_of_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
        size_t count;
    } cases[] = {
        {"a 1\n  # comment 5\n\t\nb{c=\"d e\"} 2", true, 2},
        {"", true, 0},
        {"\n\n", true, 0},
        {"a 1 \n", false, 0},
        {"a\n", false, 0},
        {"a x\n", false, 0},
        {"a 1\r\n", false, 0},
    };
    struct hf_expo_values values = {0};
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool is_good = hf_expo_values_read(&values, HF_EXPO_TEXT, hf_slice_text(cases[i].text));
        assert_int_equal(is_good, cases[i].is_good);
        assert_true(!is_good || values.count == cases[i].count);
    }
    assert_false(hf_expo_values_read(&values, HF_EXPO_PROTOBUF, hf_slice_text("a 1\n")));
    hf_expo_values_release(&values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scrape_of_the_same_shape_is_what_reading_gives),
        cmocka_unit_test(what_asks_for_other_fields_is_refused),
        cmocka_unit_test(a_scrape_of_many_requests_is_replayed_in_as_many),
        cmocka_unit_test(values_are_found_at_the_ends_of_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
