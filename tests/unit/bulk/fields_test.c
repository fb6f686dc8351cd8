/* Documents as lists of fields, and times as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "bulk/fields.h"
#include "bulk/times.h"
#include "pdata/any_make.h"

#define KEYS_MAX 6

static void names_are_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *keys[KEYS_MAX]; /* the values are 0, 1, 2, ... */
        const char *flat, *dotted;
    } rows[] = {
        {{"b", "a"}, "{\"a\":1,\"b\":0}", "{\"a\":1,\"b\":0}"},
        {{"a", "a"}, "{\"a\":1}", "{\"a\":1}"},
        {{"a", "a.b"}, "{\"a.b\":1,\"a.value\":0}", "{\"a\":{\"b\":1,\"value\":0}}"},
        {{"a.value", "a", "a.b"}, "{\"a.b\":2,\"a.value\":1}", "{\"a\":{\"b\":2,\"value\":1}}"},
        {{"a.b.c", "a.b.d", "a.e", "f.g", "h"},
         "{\"a.b.c\":0,\"a.b.d\":1,\"a.e\":2,\"f.g\":3,\"h\":4}",
         "{\"a\":{\"b\":{\"c\":0,\"d\":1},\"e\":2},\"f\":{\"g\":3},\"h\":4}"},
        {{"ab.c", "a.c"}, "{\"a.c\":1,\"ab.c\":0}", "{\"a\":{\"c\":1},\"ab\":{\"c\":0}}"},
        {{"x.y.z", "x.yy.z"},
         "{\"x.y.z\":0,\"x.yy.z\":1}",
         "{\"x\":{\"y\":{\"z\":0},\"yy\":{\"z\":1}}}"},
    };
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_bytes out = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int dotted = 0; dotted < 2; dotted++) {
            struct hf_bulk_fields fields = {.arena = &arena};
            struct hf_json_writer writer = {.out = &out};
            out.size = 0;
            for (int j = 0; j < KEYS_MAX && rows[i].keys[j] != NULL; j++) {
                hf_bulk_fields_int(&fields, rows[i].keys[j], j);
            }
            hf_bulk_fields_write(&fields, dotted, &writer);
            const char *wanted = dotted ? rows[i].dotted : rows[i].flat;
            if (out.size != strlen(wanted) || memcmp(out.data, wanted, out.size) != 0) {
                fail_msg("row %zu: %.*s", i, (int)out.size, out.data);
            }
            hf_bulk_fields_release(&fields);
        }
    }
    hf_arena_release(&arena);
    hf_bytes_release(&out);
}

static void maps_are_taken_apart_and_what_is_empty_is_left_out(void **state)
{
    (void)state;
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_bytes out = {0};
    struct hf_slice one = hf_any_make_int(&maker, 1);
    struct hf_slice inner =
        hf_any_make_map(&maker, &(const struct hf_any_pair){hf_slice_text("c.d"), one}, 1);
    struct hf_slice list = hf_any_make_list(&maker, &inner, 1);
    const struct hf_any_pair pairs[] = {{hf_slice_text("b"), inner},
                                        {hf_slice_text("l"), list},
                                        {hf_slice_text("e"), HF_EMPTY_SLICE},
                                        {hf_slice_text("n"), hf_any_make_list(&maker, NULL, 0)}};
    struct hf_slice map = hf_any_make_map(&maker, pairs, 4);
    assert_false(maker.failed);
    struct hf_bulk_fields fields = {.arena = &arena};
    struct hf_json_writer writer = {.out = &out};
    hf_bulk_fields_any(&fields, hf_slice_text("a"), map);
    hf_bulk_fields_text(&fields, hf_slice_text("t"), HF_EMPTY_SLICE);
    hf_bulk_fields_id(&fields, "i", hf_slice_of("\0\0", 2));
    hf_bulk_fields_id(&fields, "j", hf_slice_of("\0\1", 2));
    hf_bulk_fields_time(&fields, hf_slice_text("z"), 1);
    hf_bulk_fields_write(&fields, false, &writer);
    static const char wanted[] = "{\"a.b.c.d\":1,\"a.l\":[{\"c\":{\"d\":1}}],\"j\":\"0001\","
                                 "\"z\":\"1970-01-01T00:00:00.000000001Z\"}";
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, out.size);
    hf_bulk_fields_release(&fields);
    hf_arena_release(&arena);
    hf_bytes_release(&out);
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    struct hf_arena arena = {0}; /* no piece at all */
    struct hf_bytes out = {0};
    struct hf_bulk_fields fields = {.arena = &arena};
    struct hf_json_writer writer = {.out = &out};
    hf_bulk_fields_int(&fields, "a", 1);
    hf_bulk_fields_int(&fields, "a.b", 1);
    hf_bulk_fields_write(&fields, true, &writer);
    assert_int_equal(hf_json_write_status(&writer), HF_NOMEM);
    hf_bulk_fields_release(&fields);
    hf_bytes_release(&out);
}

static void times_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        uint64_t time_ns;
        const char *full, *brief, *millis;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000000000Z", "1970-01-01T00:00:00Z", "0.000000"},
        {UINT64_C(951782400000000000), "2000-02-29T00:00:00.000000000Z", "2000-02-29T00:00:00Z",
         "951782400000.000000"},
        {UINT64_C(1709251199999999999), "2024-02-29T23:59:59.999999999Z",
         "2024-02-29T23:59:59.999999999Z", "1709251199999.999999"},
        {UINT64_C(1700000000120000000), "2023-11-14T22:13:20.120000000Z", "2023-11-14T22:13:20.12Z",
         "1700000000120.000000"},
        {UINT64_C(4107542400000000456), "2100-03-01T00:00:00.000000456Z",
         "2100-03-01T00:00:00.000000456Z", "4107542400000.000456"},
        {UINT64_MAX, "2554-07-21T23:34:33.709551615Z", "2554-07-21T23:34:33.709551615Z",
         "18446744073709.551615"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char room[HF_BULK_TIME_MAX];
        room[hf_bulk_time_print(rows[i].time_ns, false, room)] = '\0';
        assert_string_equal(room, rows[i].full);
        room[hf_bulk_time_print(rows[i].time_ns, true, room)] = '\0';
        assert_string_equal(room, rows[i].brief);
        room[hf_bulk_millis_print(rows[i].time_ns, room)] = '\0';
        assert_string_equal(room, rows[i].millis);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_resolved),
        cmocka_unit_test(maps_are_taken_apart_and_what_is_empty_is_left_out),
        cmocka_unit_test(memory_that_runs_out_is_told),
        cmocka_unit_test(times_are_those_of_the_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
