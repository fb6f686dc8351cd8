/* Requests of the bulk API: lines, names of documents, limits, and what answers mean for items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "bulk/answer.h"
#include "bulk/bulk.h"

static const struct hf_export_range ranges[] = {
    {.sequence = 0x10, .received_ns = 0xabc, .first = 2, .count = 2},
    {.sequence = 0x11, .received_ns = 0xdef, .first = 0, .count = 2},
};

static struct hf_export make_export(void)
{
    return (struct hf_export){
        .signal = HF_LOGS, .items = 4, .ranges = ranges, .range_count = 2, .queue = "logs"};
}

static void names_tell_the_place_in_the_queue(void **state)
{
    (void)state;
    struct hf_export export = make_export();
    struct hf_bulk bulk = {0};
    struct hf_bytes out = {0};
    static const char *const wanted[] = {"10-abc-2", "10-abc-3", "11-def-0", "11-def-1"};
    hf_bulk_begin(&bulk, &export, "0123456789abcdef", &out);
    for (size_t i = 0; i < 4; i++) {
        char room[HF_BULK_ID_MAX], text[HF_BULK_ID_MAX + 1];
        assert_true(hf_bulk_next_item(&bulk));
        assert_int_equal(hf_bulk_received_ns(&bulk), i < 2 ? 0xabc : 0xdef);
        struct hf_slice id = hf_bulk_id(&bulk, 0, room);
        snprintf(text, sizeof(text), "%.*s", (int)id.size, (const char *)id.data);
        assert_memory_equal(text, "0123456789abcdef", 16);
        assert_string_equal(text + 25, wanted[i]);
        id = hf_bulk_id(&bulk, 17, room);
        assert_memory_equal(id.data + id.size - 3, "-11", 3);
    }
    export.queue = "logs/2";
    char first[HF_BULK_ID_MAX], second[HF_BULK_ID_MAX];
    hf_bulk_begin(&bulk, &export, "0123456789abcdef", &out);
    assert_true(hf_bulk_next_item(&bulk));
    struct hf_slice other = hf_bulk_id(&bulk, 0, first);
    export.queue = "logs";
    hf_bulk_begin(&bulk, &export, "0123456789abcdef", &out);
    assert_true(hf_bulk_next_item(&bulk));
    assert_false(hf_slice_equal(other, hf_bulk_id(&bulk, 0, second)));
    hf_bulk_release(&bulk);
    hf_bytes_release(&out);
}

static void no_name_where_the_request_does_not_tell(void **state)
{
    (void)state;
    struct hf_export export = {.signal = HF_LOGS, .items = 1};
    struct hf_bulk bulk = {0};
    struct hf_bytes out = {0};
    char room[HF_BULK_ID_MAX];
    hf_bulk_begin(&bulk, &export, "0123456789abcdef", &out);
    assert_true(hf_bulk_next_item(&bulk));
    assert_int_equal(hf_bulk_id(&bulk, 0, room).size, 0);
    hf_bulk_release(&bulk);
}

static void sources_differ(void **state)
{
    (void)state;
    char a[HF_BULK_SOURCE_SIZE + 1], b[HF_BULK_SOURCE_SIZE + 1], again[HF_BULK_SOURCE_SIZE + 1];
    hf_bulk_source("/var/lib/a", "elasticsearch", a);
    hf_bulk_source("/var/lib/b", "elasticsearch", b);
    hf_bulk_source("/var/lib/a", "elasticsearch", again);
    assert_string_not_equal(a, b);
    assert_string_equal(a, again);
}

/* A document of an item: {}. */
static void put(struct hf_bulk *bulk)
{
    hf_bulk_begin_document(
        bulk, &(const struct hf_bulk_action){.verb = "create", .index = hf_slice_text("i")});
    hf_json_write_open(&bulk->writer, '{');
    hf_json_write_close(&bulk->writer, '}');
    hf_bulk_end_document(bulk);
}

static void lines_say_what_is_given(void **state)
{
    (void)state;
    struct hf_export export = make_export();
    struct hf_bulk bulk = {0};
    struct hf_bytes out = {0};
    hf_bulk_begin(&bulk, &export, "0123456789abcdef", &out);
    assert_true(hf_bulk_next_item(&bulk));
    put(&bulk);
    hf_bulk_begin_document(&bulk,
                           &(const struct hf_bulk_action){.verb = "index",
                                                          .index = hf_slice_text("a\"b"),
                                                          .id = hf_slice_text("1"),
                                                          .pipeline = hf_slice_text("p"),
                                                          .templates = hf_slice_text("{\"t\":1}"),
                                                          .needs_no_stream = true});
    hf_json_write_made(&bulk.writer, hf_slice_text("{}"));
    hf_bulk_end_document(&bulk);
    static const char wanted[] =
        "{\"create\":{\"_index\":\"i\"}}\n{}\n"
        "{\"index\":{\"_index\":\"a\\\"b\",\"_id\":\"1\",\"pipeline\":\"p\","
        "\"dynamic_templates\":{\"t\":1},\"require_data_stream\":false}}\n{}\n";
    assert_int_equal(hf_bulk_status(&bulk), HF_OK);
    assert_int_equal(out.size, sizeof(wanted) - 1);
    assert_memory_equal(out.data, wanted, sizeof(wanted) - 1);
    hf_bulk_release(&bulk);
    hf_bytes_release(&out);
}

static void past_its_limit_no_item_begins(void **state)
{
    (void)state;
    struct hf_export export = make_export();
    struct hf_bulk bulk = {.bytes_max = 1};
    struct hf_bytes out = {0};
    hf_bulk_begin(&bulk, &export, "0123456789abcdef", &out);
    assert_true(hf_bulk_next_item(&bulk));
    hf_bulk_leave_out(&bulk, "no form");
    assert_true(hf_bulk_next_item(&bulk)); /* there is no document yet */
    put(&bulk);
    assert_false(hf_bulk_next_item(&bulk));
    assert_int_equal(bulk.left, 2);
    assert_int_equal(bulk.left_out, 1);
    hf_bulk_release(&bulk);
    hf_bytes_release(&out);
}

/* ---- answers ---- */

static const int codes[] = {412};
static const struct hf_bulk_retry retry = {codes, 1};

/* Four items, the second with two documents: d0 d1 d1 d2 d3. */
static enum hf_status read_answer(const char *text, uint32_t left, struct hf_bulk_answer *answer)
{
    static struct hf_export export;
    struct hf_bulk bulk = {0};
    struct hf_bytes out = {0};
    char error[HF_BULK_ERROR_MAX];
    export = make_export();
    hf_bulk_begin(&bulk, &export, "0123456789abcdef", &out);
    for (uint32_t i = 0; i < 4 - left; i++) {
        assert_true(hf_bulk_next_item(&bulk));
        put(&bulk);
        if (i == 1) {
            put(&bulk);
        }
    }
    bulk.left = left;
    struct hf_slice body = hf_slice_text(text != NULL ? text : "");
    enum hf_status status =
        hf_bulk_answer_read(answer, &bulk, &retry, text != NULL ? &body : NULL, error);
    hf_bulk_release(&bulk);
    hf_bytes_release(&out);
    return status;
}

#define GOOD "{\"create\":{\"status\":201}}"
#define BAD(code, reason)                                                                          \
    "{\"create\":{\"status\":" #code ",\"error\":{\"type\":\"t\",\"reason\":\"" reason "\"}}}"

static void each_document_speaks_for_its_items(void **state)
{
    (void)state;
    static const struct {
        const char *items;
        struct hf_item_outcome wanted[3];
        size_t count;
    } rows[] = {
        {GOOD "," GOOD "," GOOD "," GOOD "," GOOD, {{0}}, 0},
        {BAD(409, "there") "," GOOD "," GOOD "," GOOD "," GOOD, {{0}}, 0},
        {GOOD "," GOOD "," BAD(429, "slow") "," GOOD "," GOOD,
         {{1, 1, HF_BUSY, 429, "t: slow", 0, false, 0}},
         1},
        {GOOD "," BAD(400, "x") "," BAD(429, "slow") "," GOOD "," GOOD,
         {{1, 1, HF_BUSY, 429, "t: slow", 0, false, 0}},
         1},
        {GOOD "," BAD(503, "down") "," BAD(400, "x") "," GOOD "," GOOD,
         {{1, 1, HF_AGAIN, 503, "t: down", 0, false, 0}},
         1},
        {BAD(400, "x") "," GOOD "," GOOD "," BAD(400, "y") "," BAD(400, "y"),
         {{0, 1, HF_INVALID, 400, "t: x", 0, false, 0},
          {2, 2, HF_INVALID, 400, "t: y", 0, false, 0}},
         2},
        {BAD(412, "x") "," GOOD "," GOOD "," BAD(403, "b") "," BAD(404, "n"),
         {{0, 1, HF_AGAIN, 412, "t: x", 0, false, 0},
          {2, 1, HF_FORBIDDEN, 403, "t: b", 0, false, 0},
          {3, 1, HF_NOT_FOUND, 404, "t: n", 0, false, 0}},
         3},
    };
    struct hf_bulk_answer answer = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "{\"errors\":true,\"items\":[%s]}", rows[i].items);
        assert_int_equal(read_answer(text, 0, &answer), HF_OK);
        assert_int_equal(answer.count, rows[i].count);
        for (size_t j = 0; j < answer.count; j++) {
            assert_int_equal(answer.items[j].first, rows[i].wanted[j].first);
            assert_int_equal(answer.items[j].count, rows[i].wanted[j].count);
            assert_int_equal(answer.items[j].status, rows[i].wanted[j].status);
            assert_int_equal(answer.items[j].code, rows[i].wanted[j].code);
            assert_string_equal(answer.items[j].message, rows[i].wanted[j].message);
        }
    }
    hf_bulk_answer_release(&answer);
}

static void items_without_room_come_later(void **state)
{
    (void)state;
    struct hf_bulk_answer answer = {0};
    assert_int_equal(read_answer(NULL, 2, &answer), HF_OK);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.items[0].first, 2);
    assert_int_equal(answer.items[0].count, 2);
    assert_int_equal(answer.items[0].status, HF_CLOSED);
    hf_bulk_answer_release(&answer);
}

static void other_answers_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "hello",
                                        "{}",
                                        "[]",
                                        "{\"items\":[]}",
                                        "{\"items\":[" GOOD "," GOOD "]}",
                                        "{\"items\":[" GOOD "," GOOD "," GOOD "," GOOD "," GOOD
                                        "," GOOD "]}"};
    struct hf_bulk_answer answer = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(read_answer(texts[i], 0, &answer), HF_INVALID);
    }
    assert_false(hf_bulk_answer_is_good(HF_EMPTY_SLICE));
    assert_false(hf_bulk_answer_is_good(hf_slice_text("{\"took\":3,\"errors\":true}")));
    assert_true(hf_bulk_answer_is_good(hf_slice_text("{\"took\":3,\"errors\":false}")));
    hf_bulk_answer_release(&answer);
}

static void the_reason_of_a_request_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *body, *wanted;
    } rows[] = {
        {"{\"error\":{\"type\":\"a\",\"reason\":\"b\"},\"status\":400}", "a: b"},
        {"{\"error\":\"no handler\",\"status\":400}", "no handler"},
        {"{\"error\":{\"type\":\"a\",\"reason\":\"b\",\"caused_by\":{\"reason\":\"c\"}}}",
         "a: b: c"},
        {"{\"error\":\"a\\u001b[1m\\nb\"}", "a\\x1b[1m\\nb"},
        {"<html>", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        hf_bulk_answer_reason(hf_slice_text(rows[i].body), text, sizeof(text));
        assert_string_equal(text, rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell_the_place_in_the_queue),
        cmocka_unit_test(no_name_where_the_request_does_not_tell),
        cmocka_unit_test(sources_differ),
        cmocka_unit_test(lines_say_what_is_given),
        cmocka_unit_test(past_its_limit_no_item_begins),
        cmocka_unit_test(each_document_speaks_for_its_items),
        cmocka_unit_test(items_without_room_come_later),
        cmocka_unit_test(other_answers_are_none),
        cmocka_unit_test(the_reason_of_a_request_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
