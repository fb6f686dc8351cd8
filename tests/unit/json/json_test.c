#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json/json.h"

static const struct hf_json *read_text(struct hf_arena *arena, const char *text)
{
    const struct hf_json *value;
    char error[HF_JSON_ERROR_MAX] = "";
    if (hf_json_read(hf_slice_text(text), arena, &value, error) != HF_OK) {
        assert_true(error[0] != '\0');
        return NULL;
    }
    return value;
}

static void a_text_becomes_a_tree(void **state)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *value = read_text(
        &arena, "{\"a\": {\"b\": [1, -2.5, \"x\\u00e9\", true, null]}, \"n\": 9007199254740993}");
    (void)state;
    assert_non_null(value);
    const struct hf_json *item =
        hf_json_first(hf_json_at(value, (const char *const[]){"a", "b", NULL}));
    assert_int_equal(hf_json_int(item), 1);
    item = item->next;
    assert_true(item->kind == HF_JSON_DOUBLE && item->number == -2.5);
    item = item->next;
    assert_true(hf_slice_is(hf_json_text(item), "x\xc3\xa9"));
    item = item->next;
    assert_true(hf_json_bool(item));
    item = item->next;
    assert_int_equal(item->kind, HF_JSON_NULL);
    assert_null(item->next);
    assert_int_equal(hf_json_int(hf_json_get(value, "n")), 9007199254740993);
    hf_arena_release(&arena);
}

static void what_is_not_there_reads_as_empty(void **state)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *value = read_text(&arena, "{\"a\": 1, \"list\": []}");
    (void)state;
    assert_null(hf_json_get(value, "b"));
    assert_null(hf_json_get(NULL, "b"));
    assert_null(hf_json_first(hf_json_get(value, "list")));
    assert_null(hf_json_first(hf_json_get(value, "a")));
    assert_int_equal(hf_json_text_of(value, "a").size, 0);
    assert_int_equal(hf_json_int(NULL), 0);
    assert_false(hf_json_bool(hf_json_get(value, "a")));
    hf_arena_release(&arena);
}

static void the_last_of_equal_keys_counts(void **state)
{
    struct hf_arena arena = {.limit = 1 << 20};
    (void)state;
    assert_int_equal(hf_json_int(hf_json_get(read_text(&arena, "{\"a\": 1, \"a\": 2}"), "a")), 2);
    hf_arena_release(&arena);
}

static void bad_texts_are_refused_with_a_sentence(void **state)
{
    static const char *const texts[] = {"",    "{",     "{\"a\"}",  "[1,]",
                                        "nul", "{} {}", "\"\xff\"", "[1}"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        assert_null(read_text(&arena, texts[i]));
        hf_arena_release(&arena);
    }
}

static void depth_and_memory_have_limits(void **state)
{
    char deep[2 * HF_JSON_DEPTH_MAX + 3];
    struct hf_arena arena = {.limit = 1 << 20}, small = {.limit = 8192};
    char *large = malloc(100000);
    (void)state;
    memset(deep, '[', HF_JSON_DEPTH_MAX);
    memset(deep + HF_JSON_DEPTH_MAX, ']', HF_JSON_DEPTH_MAX);
    deep[2 * HF_JSON_DEPTH_MAX] = '\0';
    assert_non_null(read_text(&arena, deep));
    memset(deep, '[', HF_JSON_DEPTH_MAX + 1);
    memset(deep + HF_JSON_DEPTH_MAX + 1, ']', HF_JSON_DEPTH_MAX + 1);
    deep[2 * HF_JSON_DEPTH_MAX + 2] = '\0';
    assert_null(read_text(&arena, deep));
    memset(large, 'a', 100000);
    large[0] = large[99998] = '"';
    large[99999] = '\0';
    assert_null(read_text(&small, large));
    free(large);
    hf_arena_release(&arena);
    hf_arena_release(&small);
}

struct seen {
    char text[400];
    size_t stop_after, count;
};

static bool note(void *user, const struct hf_json *value, bool is_element)
{
    struct seen *seen = user;
    size_t used = strlen(seen->text);
    struct hf_slice name = hf_json_text_of(value, "name");
    snprintf(seen->text + used, sizeof(seen->text) - used, "%s%.*s ", is_element ? "+" : "=",
             (int)name.size, (const char *)name.data);
    return ++seen->count != seen->stop_after;
}

/* Feeds `text` in pieces of `piece` bytes. */
static enum hf_status feed(const struct hf_json_stream_options *options, const char *text,
                           size_t piece)
{
    struct hf_json_stream *stream;
    assert_int_equal(hf_json_stream_new(options, &stream), HF_OK);
    enum hf_status status = HF_OK;
    size_t size = strlen(text);
    for (size_t at = 0; at < size && status == HF_OK; at += piece) {
        size_t left = size - at;
        status = hf_json_stream_feed(stream, hf_slice_of(text + at, left < piece ? left : piece));
    }
    if (status == HF_OK) {
        status = hf_json_stream_end(stream);
    }
    assert_true((status == HF_OK) == (hf_json_stream_error(stream)[0] == '\0'));
    hf_json_stream_free(stream);
    return status;
}

static void values_of_a_stream_are_shown_wherever_it_is_cut(void **state)
{
    static const char text[] =
        "{\"name\": \"a\", \"x\": [1, {\"name\": \"no\"}]}\n{\"name\":\"b\"}\n\n{}";
    (void)state;
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct seen seen = {.text = ""};
        const struct hf_json_stream_options options = {
            .value_bytes_max = 4096, .show = note, .user = &seen};
        assert_int_equal(feed(&options, text, piece), HF_OK);
        assert_string_equal(seen.text, "=a =b = ");
    }
}

static void elements_are_shown_before_the_map_around_them(void **state)
{
    static const char text[] = "{\"kind\": \"L\", \"other\": {\"items\": [1]}, \"items\": "
                               "[{\"name\": \"a\", \"items\": [2]}, "
                               "{\"name\": \"b\"}], \"name\": \"list\"}";
    (void)state;
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        struct seen seen = {.text = ""};
        const struct hf_json_stream_options options = {
            .each = "items", .value_bytes_max = 4096, .show = note, .user = &seen};
        assert_int_equal(feed(&options, text, piece), HF_OK);
        assert_string_equal(seen.text, "+a +b =list ");
    }
}

static void a_stream_ends_with_what_went_wrong(void **state)
{
    static const struct {
        const char *text;
        size_t stop_after;
        enum hf_status status;
    } rows[] = {
        {"{\"name\": \"a\"} {\"name\"", 0, HF_INVALID},
        {"{\"name\": \"a\"} oops", 0, HF_INVALID},
        {"{\"name\": \"a\"} {\"name\": \"b\"}", 1, HF_CLOSED},
        {"{\"name\": "
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         0, HF_TOO_LARGE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen seen = {.text = "", .stop_after = rows[i].stop_after};
        const struct hf_json_stream_options options = {
            .value_bytes_max = 64, .show = note, .user = &seen};
        assert_int_equal(feed(&options, rows[i].text, 1), rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_becomes_a_tree),
        cmocka_unit_test(what_is_not_there_reads_as_empty),
        cmocka_unit_test(the_last_of_equal_keys_counts),
        cmocka_unit_test(bad_texts_are_refused_with_a_sentence),
        cmocka_unit_test(depth_and_memory_have_limits),
        cmocka_unit_test(values_of_a_stream_are_shown_wherever_it_is_cut),
        cmocka_unit_test(elements_are_shown_before_the_map_around_them),
        cmocka_unit_test(a_stream_ends_with_what_went_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
