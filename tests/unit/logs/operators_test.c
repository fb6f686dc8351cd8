/* What operators make of an entry: their configuration, the body and what comes out, as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "expr/value_json.h"
#include "logs/operator.h"

#define SEEN_MAX 1024

/* ---- a configuration of JSON ---- */

static struct hf_value config_of(struct hf_arena *arena, struct hf_expr_value from);

static const char *text_in(struct hf_arena *arena, struct hf_slice text)
{
    char *copy = hf_arena_take(arena, text.size + 1);
    assert_non_null(copy);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static struct hf_value map_of(struct hf_arena *arena, const struct hf_expr_map *map)
{
    struct hf_value *items = hf_arena_take(arena, (map->count + 1) * sizeof(*items));
    const char **keys = hf_arena_take(arena, (map->count + 1) * sizeof(*keys));
    for (size_t i = 0; i < map->count; i++) {
        items[i] = config_of(arena, map->pairs[i].value);
        keys[i] = text_in(arena, map->pairs[i].key);
    }
    return (struct hf_value){
        .type = HF_VALUE_MAP, .items = items, .keys = keys, .count = map->count};
}

static struct hf_value list_of(struct hf_arena *arena, const struct hf_expr_list *list)
{
    struct hf_value *items = hf_arena_take(arena, (list->count + 1) * sizeof(*items));
    for (size_t i = 0; i < list->count; i++) {
        items[i] = config_of(arena, list->items[i]);
    }
    return (struct hf_value){.type = HF_VALUE_LIST, .items = items, .count = list->count};
}

static struct hf_value config_of(struct hf_arena *arena, struct hf_expr_value from)
{
    switch (from.type) {
    case HF_EXPR_STRING:
        return (struct hf_value){.type = HF_VALUE_STRING, .string = text_in(arena, from.text)};
    case HF_EXPR_INT:
        return (struct hf_value){
            .type = HF_VALUE_INT, .string = "an integer", .integer = from.integer};
    case HF_EXPR_BOOL:
        return (struct hf_value){.type = HF_VALUE_BOOL,
                                 .string = from.boolean ? "true" : "false",
                                 .boolean = from.boolean};
    case HF_EXPR_LIST:
        return list_of(arena, from.list);
    case HF_EXPR_MAP:
        return map_of(arena, from.map);
    default:
        fail_msg("a configuration of the test has a value of another type");
    }
    return (struct hf_value){0};
}

static struct hf_expr_value value_in(struct hf_arena *arena, const char *json)
{
    struct hf_expr_value value;
    assert_true(hf_expr_json_read(arena, hf_slice_text(json), true, &value));
    return value;
}

/* ---- what comes out ---- */

struct seen {
    char text[SEEN_MAX];
    size_t size;
    char why[HF_LOG_ERROR_MAX];
};

static void put(struct seen *seen, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct seen *seen, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    seen->size +=
        (size_t)vsnprintf(seen->text + seen->size, SEEN_MAX - seen->size, format, arguments);
    va_end(arguments);
    assert_true(seen->size < SEEN_MAX);
}

static void put_value(struct seen *seen, const struct hf_expr_value *value)
{
    switch (value->type) {
    case HF_EXPR_STRING:
        put(seen, "'%.*s'", (int)value->text.size, (const char *)value->text.data);
        break;
    case HF_EXPR_INT:
        put(seen, "%" PRId64, value->integer);
        break;
    case HF_EXPR_MAP:
        put(seen, "{");
        for (size_t i = 0; i < value->map->count; i++) {
            const struct hf_expr_pair *pair = &value->map->pairs[i];
            put(seen, "%s%.*s: ", i == 0 ? "" : ", ", (int)pair->key.size,
                (const char *)pair->key.data);
            put_value(seen, &pair->value);
        }
        put(seen, "}");
        break;
    default:
        put(seen, "type %d", (int)value->type);
    }
}

static void emit(void *user, struct hf_log_entry *entry)
{
    struct seen *seen = user;
    put_value(seen, &entry->body);
    if (entry->attributes.map->count != 0) {
        put(seen, " ");
        put_value(seen, &entry->attributes);
    }
    if (entry->resource.map->count != 0) {
        put(seen, " of ");
        put_value(seen, &entry->resource);
    }
}

static void note_failure(void *user, const char *operator_id, const char *why, bool quiet)
{
    struct seen *seen = user;
    (void)quiet;
    snprintf(seen->why, sizeof(seen->why), "%.60s: %.400s", operator_id, why);
}

static const struct hf_log_pipeline_ops ops = {.emit = emit, .failed = note_failure};

/* What comes of entries with these bodies, one after another. */
static void run_cases(const char *operators, const char *const *bodies, size_t count,
                      struct seen *seen)
{
    struct hf_arena arena = {.limit = 1 << 20};
    struct hf_value config = config_of(&arena, value_in(&arena, operators));
    struct hf_log_pipeline *pipeline;
    struct hf_log_entry entry;
    *seen = (struct seen){.size = 0};
    char why[HF_LOG_ERROR_MAX] = "";
    if (hf_log_pipeline_new(&config, &ops, seen, &pipeline, why) != HF_OK) {
        put(seen, "refused: %s", why);
        hf_arena_release(&arena);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(hf_log_entry_init(&entry, &arena, 8), HF_OK);
        entry.body = value_in(&arena, bodies[i]);
        hf_log_pipeline_process(pipeline, &entry);
    }
    hf_log_pipeline_free(pipeline);
    hf_arena_release(&arena);
}

static void run_case(const char *operators, const char *body, struct seen *seen)
{
    run_cases(operators, &body, 1, seen);
}

struct row {
    const char *operators, *body, *seen;
    const char *why; /* of the failure; NULL: none */
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct seen seen;
        run_case(rows[i].operators, rows[i].body, &seen);
        if (strcmp(seen.text, rows[i].seen) != 0) {
            fail_msg("%s of %s: %s (%s), not %s", rows[i].operators, rows[i].body, seen.text,
                     seen.why, rows[i].seen);
        }
        assert_string_equal(seen.why, rows[i].why != NULL ? rows[i].why : "");
    }
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void texts_are_changed_where_they_stand(void **state)
{
    static const struct row rows[] = {
        {"[{\"type\":\"regex_replace\",\"regex\":\"(a)(b)\",\"replace_with\":\"$2-$1\"}]",
         "\"xabab\"", "'xb-ab-a'", NULL},
        {"[{\"type\":\"regex_replace\",\"regex_name\":\"ansi_control_sequences\"}]",
         "\"\\u001b[31mred\\u001b[0m\"", "'red'", NULL},
        {"[{\"type\":\"regex_replace\",\"regex\":\".*\"}]", "\"gone\"", "''", NULL},
        {"[{\"type\":\"regex_replace\",\"regex\":\"a\",\"field\":\"attributes.none\"}]", "\"a\"",
         "'a'", NULL},
        {"[{\"type\":\"regex_replace\",\"regex\":\"a\"}]", "1", "1",
         "regex_replace: the field holds no text"},
        {"[{\"type\":\"regex_replace\"}]", "1",
         "refused: operators[0] (regex_replace): one of regex and regex_name is required", NULL},
        {"[{\"type\":\"regex_replace\",\"regex_name\":\"x\"}]", "1",
         "refused: operators[0] (regex_replace): regex_name: ansi_control_sequences is the only "
         "one",
         NULL},
        {"[{\"type\":\"unquote\",\"field\":\"body\"}]", "\"\\\"a\\\\tb\\\"\"", "'a\tb'", NULL},
        {"[{\"type\":\"unquote\",\"field\":\"attributes.none\"}]", "\"a\"", "'a'", NULL},
        {"[{\"type\":\"unquote\",\"field\":\"body\"}]", "\"a\"", "'a'",
         "unquote: the field to unquote is no text in quotes"},
        {"[{\"type\":\"sanitize_utf8\"}]", "\"fine \\u00e4\"", "'fine \xc3\xa4'", NULL},
        {"[{\"type\":\"sanitize_utf8\"}]", "2", "2", "sanitize_utf8: the field holds no text"},
    };
    (void)state;
    CHECK(rows);
}

static void bytes_that_are_no_characters_become_one_marker_a_run(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {{"\xff", "\xef\xbf\xbd"},
                {"a\xff\xfe"
                 "b\xc3",
                 "a\xef\xbf\xbd"
                 "b\xef\xbf\xbd"},
                {"\xc3\xa4\x80\x80\x80", "\xc3\xa4\xef\xbf\xbd"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_value config =
            config_of(&arena, value_in(&arena, "[{\"type\":\"sanitize_utf8\"}]"));
        struct hf_log_pipeline *pipeline;
        struct hf_log_entry entry;
        struct seen seen = {.size = 0};
        char why[HF_LOG_ERROR_MAX];
        char expected[64];
        assert_int_equal(hf_log_pipeline_new(&config, &ops, &seen, &pipeline, why), HF_OK);
        assert_int_equal(hf_log_entry_init(&entry, &arena, 8), HF_OK);
        entry.body = hf_expr_text(rows[i].text);
        hf_log_pipeline_process(pipeline, &entry);
        snprintf(expected, sizeof(expected), "'%s'", rows[i].expected);
        assert_string_equal(seen.text, expected);
        hf_log_pipeline_free(pipeline);
        hf_arena_release(&arena);
    }
}

static void restructure_makes_its_changes_in_order(void **state)
{
#define BODY "{\"a\":\"1\",\"b\":{\"c\":\"2\"},\"d\":\"3\"}"
    static const struct row rows[] = {
        {"[{\"type\":\"restructure\",\"ops\":[{\"add\":{\"field\":\"body.e\",\"value\":\"x\"}},"
         "{\"remove\":\"body.a\"},{\"flatten\":\"body.b\"},"
         "{\"move\":{\"from\":\"body.d\",\"to\":\"attributes.d\"}}]}]",
         BODY, "{e: 'x', c: '2'} {d: '3'}", NULL},
        {"[{\"type\":\"restructure\",\"ops\":[{\"retain\":[\"body.a\",\"body.d\"]}]}]", BODY,
         "{a: '1', d: '3'}", NULL},
        {"[{\"type\":\"restructure\",\"ops\":[{\"add\":{\"field\":\"body.e\","
         "\"value_expr\":\"body.a + body.d\"}}]}]",
         BODY, "{a: '1', b: {c: '2'}, d: '3', e: '13'}", NULL},
        {"[{\"type\":\"restructure\",\"ops\":[{\"remove\":\"body.none\"},"
         "{\"remove\":\"body.a\"}]}]",
         BODY, "{a: '1', b: {c: '2'}, d: '3'}", "restructure: the field to remove is not there"},
        {"[{\"type\":\"restructure\",\"ops\":[{\"remove\":\"body.none\"}],"
         "\"on_error\":\"drop\"}]",
         BODY, "", "restructure: the field to remove is not there"},
        {"[{\"type\":\"restructure\"}]", BODY,
         "refused: operators[0] (restructure): ops: a list of 1 to 128 is required", NULL},
        {"[{\"type\":\"restructure\",\"ops\":[{\"turn\":\"body\"}]}]", BODY,
         "refused: operators[0] (restructure): ops: add, remove, retain, move or flatten is "
         "expected, not turn",
         NULL},
        {"[{\"type\":\"restructure\",\"ops\":[\"remove\"]}]", BODY,
         "refused: operators[0] (restructure): ops: each is a map with one key, such as remove",
         NULL},
    };
    (void)state;
    CHECK(rows);
}

static void metadata_sets_attributes_and_resource_with_computed_texts(void **state)
{
    static const struct row rows[] = {
        {"[{\"type\":\"metadata\",\"attributes\":{\"x\":\"a-EXPR(body.a)-EXPR(body.d)!\",\"y\":1},"
         "\"resource\":{\"z\":\"EXPR(body.a)\"}},{\"type\":\"retain\",\"fields\":[\"body.a\"]}]",
         BODY, "{a: '1'} {x: 'a-1-3!', y: 1} of {z: '1'}", NULL},
        {"[{\"type\":\"metadata\",\"attributes\":{\"x\":\"EXPR(body.b)\"}},"
         "{\"type\":\"retain\",\"fields\":[\"body.a\"]}]",
         BODY, "{a: '1'}", "metadata: EXPR of a text gives a value that is no text"},
        {"[{\"type\":\"metadata\",\"attributes\":{\"x\":\"EXPR(body.\"}},"
         "{\"type\":\"retain\",\"fields\":[\"body.a\"]}]",
         BODY, "{a: '1'} {x: 'EXPR(body.'}", NULL},
    };
    (void)state;
    CHECK(rows);
}

static void routes_lead_on_set_attributes_or_drop(void **state)
{
    static const struct row rows[] = {
        {"[{\"type\":\"router\",\"routes\":[{\"expr\":\"body == 'x'\",\"output\":\"end\","
         "\"attributes\":{\"k\":\"is EXPR(body)\"}}],\"default\":\"away\"},"
         "{\"type\":\"noop\",\"id\":\"end\"},{\"type\":\"drop_output\",\"id\":\"away\","
         "\"if\":\"body != 'x'\"}]",
         "\"x\"", "'x' {k: 'is x'}", NULL},
        {"[{\"type\":\"router\",\"routes\":[{\"expr\":\"body == 'x'\",\"output\":\"end\"}],"
         "\"default\":\"away\"},{\"type\":\"noop\",\"id\":\"end\"},"
         "{\"type\":\"drop_output\",\"id\":\"away\",\"if\":\"body != 'x'\"}]",
         "\"y\"", "", NULL},
        {"[{\"type\":\"drop_output\"}]", "\"y\"", "", NULL},
        {"[{\"type\":\"unheard_of\"}]", "\"y\"",
         "refused: operators[0]: there is no operator of type unheard_of", NULL},
        {"[{\"type\":\"noop\",\"keys\":1}]", "\"y\"",
         "refused: operators[0] (noop): has no key keys", NULL},
    };
    (void)state;
    CHECK(rows);
}

static void parts_of_the_streams_of_a_container_stay_apart(void **state)
{
    static const char *const lines[] = {
        "\"2024-05-01T10:00:00Z stderr P out of\"",
        "\"2024-05-01T10:00:00Z stdout P:x GET\"",
        "\"2024-05-01T10:00:00Z stderr F  memory\"",
        "\"2024-05-01T10:00:00Z stdout F:x  /\"",
    };
    struct seen seen;
    (void)state;
    run_cases("[{\"type\": \"container\", \"add_metadata_from_filepath\": false}, "
              "{\"type\": \"remove\", \"field\": \"attributes.logtag\"}]",
              lines, 4, &seen);
    assert_string_equal(seen.text, "'out of memory' {log.iostream: 'stderr'}"
                                   "'GET /' {log.iostream: 'stdout'}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_changed_where_they_stand),
        cmocka_unit_test(bytes_that_are_no_characters_become_one_marker_a_run),
        cmocka_unit_test(restructure_makes_its_changes_in_order),
        cmocka_unit_test(metadata_sets_attributes_and_resource_with_computed_texts),
        cmocka_unit_test(routes_lead_on_set_attributes_or_drop),
        cmocka_unit_test(parts_of_the_streams_of_a_container_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
