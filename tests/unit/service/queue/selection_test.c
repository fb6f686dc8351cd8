/* Which records a command is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "pdata/json.h"
#include "service/queue/selection.h"

#define SECOND UINT64_C(1000000000)

static struct hf_selection_options everything(void)
{
    return (struct hf_selection_options){.until_ns = UINT64_MAX};
}

static void reads_lists_of_numbers(void **state)
{
    static const char *const wrong[] = {"", ",", "1,", "a", "-1", "3-", "5-4", "1 2", "1-2-3"};
    struct hf_selection_options options = everything();
    (void)state;
    assert_true(hf_selection_parse_ranges("3,7-9,0", &options));
    assert_int_equal(options.range_count, 3);
    assert_int_equal(options.ranges[1].first, 7);
    assert_int_equal(options.ranges[1].last, 9);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        options = everything();
        assert_false(hf_selection_parse_ranges(wrong[i], &options));
    }
}

static void limits_the_parts_of_a_list(void **state)
{
    char text[4 * HF_SELECTION_RANGES_MAX + 8] = "";
    struct hf_selection_options options = everything();
    (void)state;
    size_t used = 0;
    for (unsigned i = 0; i < HF_SELECTION_RANGES_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, i == 0 ? "1" : ",1");
    }
    assert_true(hf_selection_parse_ranges(text, &options));
    snprintf(text + used, sizeof(text) - used, ",1");
    options = everything();
    assert_false(hf_selection_parse_ranges(text, &options));
}

static void reads_times_in_three_forms(void **state)
{
    static const struct {
        const char *text;
        uint64_t wanted_ns;
    } cases[] = {
        {"10", 10 * SECOND},
        {"1970-01-01T00:00:10Z", 10 * SECOND},
        {"1970-01-01T01:00:10.5+01:00", 10 * SECOND + SECOND / 2},
        {"90s", 910 * SECOND},
        {"1h", 0}, /* before the beginning of time */
    };
    static const char *const wrong[] = {"", "yesterday", "1970-01-01", "-5s", "5x"};
    uint64_t ns = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(hf_selection_parse_time(cases[i].text, 1000 * SECOND, &ns));
        assert_int_equal(ns, cases[i].wanted_ns);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(hf_selection_parse_time(wrong[i], 1000 * SECOND, &ns));
    }
}

static bool has(const struct hf_selection_options *options, uint64_t sequence, uint64_t time_ns)
{
    struct hf_selection selection;
    char why[HF_ERROR_MAX];
    const struct wal_record record = {.sequence = sequence, .time_ns = time_ns};
    assert_int_equal(hf_selection_init(options, &selection, why), HF_OK);
    bool is_chosen = hf_selection_has(&selection, &record);
    hf_selection_release(&selection);
    return is_chosen;
}

static void chooses_by_number_and_time(void **state)
{
    struct hf_selection_options options = everything();
    (void)state;
    assert_true(has(&options, 0, 0));
    options.from = 5;
    options.since_ns = 10;
    options.until_ns = 20;
    assert_true(has(&options, 5, 10));
    assert_false(has(&options, 4, 10));
    assert_false(has(&options, 5, 9));
    assert_false(has(&options, 5, 20));
    assert_true(hf_selection_parse_ranges("5,8-9", &options));
    assert_true(has(&options, 9, 19));
    assert_false(has(&options, 7, 19));
}

static void knows_where_it_begins_and_ends(void **state)
{
    struct hf_selection_options options = everything();
    const struct hf_selection selection = {.options = &options};
    (void)state;
    assert_true(hf_selection_is_all(&selection));
    assert_int_equal(hf_selection_first(&selection), 0);
    assert_int_equal(hf_selection_end(&selection), UINT64_MAX);
    assert_true(hf_selection_parse_ranges("8-9,5", &options));
    assert_false(hf_selection_is_all(&selection));
    assert_int_equal(hf_selection_first(&selection), 5);
    assert_int_equal(hf_selection_end(&selection), 10);
    options.from = 6;
    assert_int_equal(hf_selection_first(&selection), 6);
}

static struct hf_bytes two_logs(void)
{
    static const char json[] =
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"a\"}},"
        "{\"body\":{\"stringValue\":\"b\"}}]}]}]}";
    char why[HF_JSON_ERROR_MAX];
    struct hf_bytes proto = {0};
    assert_int_equal(hf_json_to_proto(HF_LOGS, hf_slice_text(json), 1 << 20, &proto, why), HF_OK);
    return proto;
}

static void chooses_items_by_a_condition(void **state)
{
    struct hf_selection_options options = everything();
    struct hf_selection selection;
    struct hf_bytes proto = two_logs();
    struct hf_slice chosen;
    uint32_t items = 0;
    char why[HF_ERROR_MAX];
    (void)state;
    struct wal_record record = {.kind = HF_LOGS,
                                .items = 2,
                                .raw_bytes = proto.size,
                                .body = hf_slice_of(proto.data, proto.size)};
    options.where = "body == \"b\"";
    assert_int_equal(hf_selection_init(&options, &selection, why), HF_OK);
    assert_int_equal(hf_selection_choose(&selection, &record, true, &chosen, &items), HF_OK);
    assert_int_equal(items, 1);
    assert_true(chosen.size > 0 && chosen.size < proto.size);
    record.kind = HF_TRACES; /* a span has no body: nothing of it, whatever its bytes are */
    assert_int_equal(hf_selection_choose(&selection, &record, true, &chosen, &items), HF_OK);
    assert_int_equal(items, 0);
    record.kind = HF_LOGS;
    record.coding = HF_GZIP; /* which it is not */
    assert_int_equal(hf_selection_choose(&selection, &record, true, &chosen, &items), HF_CORRUPT);
    record.coding = HF_CODING_COUNT;
    assert_int_equal(hf_selection_choose(&selection, &record, true, &chosen, &items), HF_CORRUPT);
    hf_selection_release(&selection);
    hf_bytes_release(&proto);
}

static void a_condition_that_no_signal_has_is_refused(void **state)
{
    static const char *const wrong[] = {"nonsense(", "no_such_path == 1", "body"};
    struct hf_selection_options options = everything();
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct hf_selection selection;
        char why[HF_ERROR_MAX] = "";
        options.where = wrong[i];
        assert_int_equal(hf_selection_init(&options, &selection, why), HF_INVALID);
        assert_non_null(strstr(why, "--where"));
        assert_null(strchr(why, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lists_of_numbers),
        cmocka_unit_test(limits_the_parts_of_a_list),
        cmocka_unit_test(reads_times_in_three_forms),
        cmocka_unit_test(chooses_by_number_and_time),
        cmocka_unit_test(knows_where_it_begins_and_ends),
        cmocka_unit_test(chooses_items_by_a_condition),
        cmocka_unit_test(a_condition_that_no_signal_has_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
