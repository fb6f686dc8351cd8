/* Fields of a journal's entry as a log record by the semantic conventions. */
#include "components/receivers/journald/journald_convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hf_expr_value text(const char *value)
{
    return hf_expr_string(hf_slice_text(value));
}

static void put(struct hf_log_entry *entry, const char *field, struct hf_expr_value value)
{
    assert_int_equal(hf_expr_map_add(entry->arena, entry->body.map, hf_slice_text(field), value),
                     HF_OK);
}

static void begin(struct hf_arena *arena, struct hf_log_entry *entry)
{
    assert_int_equal(hf_log_entry_init(entry, arena, 4), HF_OK);
    entry->body = (struct hf_expr_value){.type = HF_EXPR_MAP, .map = hf_expr_map_new(arena, 16)};
    assert_non_null(entry->body.map);
}

static const struct hf_expr_value *found(const struct hf_expr_map *map, const char *key)
{
    const struct hf_expr_pair *pair = hf_expr_map_find(map, hf_slice_text(key));
    assert_non_null(pair);
    return &pair->value;
}

static void each_field_has_its_place(void **state)
{
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_log_entry entry;
    (void)state;
    begin(&arena, &entry);
    put(&entry, "MESSAGE", text("failed"));
    put(&entry, "PRIORITY", text("3"));
    put(&entry, "_PID", text("17"));
    put(&entry, "_HOSTNAME", text("box"));
    put(&entry, "CODE_LINE", text("no number"));
    put(&entry, "SYSLOG_IDENTIFIER", text("sshd"));
    put(&entry, "_UID", text("0"));
    assert_int_equal(journald_convert(&entry), HF_OK);
    assert_true(hf_slice_is(entry.body.text, "failed"));
    assert_int_equal(entry.severity, 17);
    assert_true(hf_slice_is(entry.severity_text, "err"));
    assert_int_equal(entry.resource.map->count, 2);
    assert_int_equal(found(entry.resource.map, "process.pid")->integer, 17);
    assert_true(hf_slice_is(found(entry.resource.map, "host.name")->text, "box"));
    assert_int_equal(entry.attributes.map->count, 3);
    assert_true(hf_slice_is(found(entry.attributes.map, "code.line.number")->text, "no number"));
    assert_true(hf_slice_is(found(entry.attributes.map, "syslog.msgid")->text, "sshd"));
    assert_true(hf_slice_is(found(entry.attributes.map, "journald._UID")->text, "0"));
    hf_arena_release(&arena);
}

static void every_priority_is_a_severity(void **state)
{
    static const struct {
        const char *priority;
        unsigned severity;
        const char *text;
    } cases[] = {{"0", 21, "emerg"},  {"1", 19, "alert"}, {"2", 18, "crit"}, {"4", 13, "warning"},
                 {"5", 10, "notice"}, {"6", 9, "info"},   {"7", 5, "debug"}, {"8", 0, ""},
                 {"", 0, ""},         {"33", 0, ""}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 16};
        struct hf_log_entry entry;
        begin(&arena, &entry);
        put(&entry, "PRIORITY", text(cases[i].priority));
        assert_int_equal(journald_convert(&entry), HF_OK);
        assert_int_equal(entry.severity, cases[i].severity);
        assert_true(hf_slice_is(entry.severity_text, cases[i].text));
        assert_int_equal(entry.body.type, HF_EXPR_STRING); /* without a MESSAGE */
        assert_int_equal(entry.body.text.size, 0);
        hf_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_has_its_place),
        cmocka_unit_test(every_priority_is_a_severity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
