/* Fields of a journal's entry as a body, and the texts of priorities. */
#include "components/receivers/journald/journald_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "components/receivers/journald/journald_config.h"

#define SEEN_MAX 256

static size_t describe(const struct hf_expr_value *value, char *seen)
{
    if (value->type == HF_EXPR_STRING) {
        return (size_t)snprintf(seen, SEEN_MAX, "'%.*s'", (int)value->text.size,
                                (const char *)value->text.data);
    }
    if (value->type == HF_EXPR_DOUBLE) {
        return (size_t)snprintf(seen, SEEN_MAX, "%g", value->number);
    }
    size_t size = (size_t)snprintf(seen, SEEN_MAX, "[");
    for (size_t i = 0; i < value->list->count; i++) {
        size += describe(&value->list->items[i], seen + size);
        size +=
            (size_t)snprintf(seen + size, SEEN_MAX, "%s", i + 1 < value->list->count ? "," : "");
    }
    return size + (size_t)snprintf(seen + size, SEEN_MAX, "]");
}

static void texts_lists_and_bytes_are_those_of_journalctl(void **state)
{
    static const struct {
        bool converts;
        struct hf_slice values[3]; /* of one field */
        size_t count;
        const char *seen;
    } cases[] = {
#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}
        {false, {BYTES("plain")}, 1, "'plain'"},
        {false, {BYTES("")}, 1, "''"},
        {false, {BYTES("a\n\tb \xc3\xa4")}, 1, "'a\n\tb \xc3\xa4'"},
        {false, {BYTES("\xff\x01")}, 1, "[255,1]"},
        {false, {BYTES("\x1b[m")}, 1, "[27,91,109]"},
        {false, {BYTES("\xc2\x80")}, 1, "[194,128]"},
        {false, {BYTES("\x7f")}, 1, "[127]"},
        {true, {BYTES("\x1b[m")}, 1, "'\x1b[m'"},
        {false, {BYTES("1"), BYTES("2")}, 2, "['1','2']"},
        {false, {BYTES("1"), BYTES("2"), BYTES("3")}, 3, "['1','2','3']"},
        {false, {BYTES("\x01"), BYTES("2"), BYTES("\x03")}, 3, "[[1],'2',[3]]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 16};
        char seen[4 * SEEN_MAX];
        struct journald_fields fields = {.arena = &arena,
                                         .map = hf_expr_map_new(&arena, 1),
                                         .converts_bytes = cases[i].converts};
        for (size_t k = 0; k < cases[i].count; k++) {
            assert_true(journald_add_field(&fields, hf_slice_text("MESSAGE"), cases[i].values[k]));
        }
        assert_int_equal(fields.map->count, 1);
        describe(&fields.map->pairs[0].value, seen);
        assert_string_equal(seen, cases[i].seen);
        hf_arena_release(&arena);
    }
}

static void an_arena_at_its_limit_is_told(void **state)
{
    struct hf_arena arena = {.limit = 1 << 12};
    struct journald_fields fields = {.arena = &arena, .map = hf_expr_map_new(&arena, 1)};
    static const uint8_t large[1 << 13];
    (void)state;
    assert_non_null(fields.map);
    assert_false(
        journald_add_field(&fields, hf_slice_text("A"), hf_slice_of(large, sizeof(large))));
    hf_arena_release(&arena);
}

static void priorities_are_numbers_names_and_ranges(void **state)
{
    static const struct {
        const char *text;
        int first, last; /* -1: it is none */
    } cases[] = {{"info", 0, 6},      {"0", 0, 0},      {"ERR", 0, 3},          {"err..info", 3, 6},
                 {"info..err", 3, 6}, {"2..2", 2, 2},   {"emerg..debug", 0, 7}, {"8", -1, -1},
                 {"", -1, -1},        {"loud", -1, -1}, {"err..", -1, -1},      {"..err", -1, -1},
                 {"info2", -1, -1}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int first = -1, last = -1;
        bool is_one = journald_priorities(cases[i].text, &first, &last);
        assert_int_equal(is_one, cases[i].first >= 0);
        if (is_one) {
            assert_int_equal(first, cases[i].first);
            assert_int_equal(last, cases[i].last);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_lists_and_bytes_are_those_of_journalctl),
        cmocka_unit_test(an_arena_at_its_limit_is_told),
        cmocka_unit_test(priorities_are_numbers_names_and_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
