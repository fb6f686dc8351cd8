/* Binds every type of field: good text, bad text, defaults, old spellings, unknown keys. */
#include "support.h"

#include "config/bind.h"

/* ---- a struct with every type -------------------------------------------------------------- */

struct inner {
    int64_t size;
    const char *name;
};

struct outer {
    bool flag;
    int64_t count;
    double ratio;
    const char *text, *address, *secret, *reference;
    uint64_t wait_ns, signed_ns, room_bytes;
    int64_t mode;
    struct hf_string_list names, codings;
    struct hf_string_map labels, headers;
    struct inner section;
    const struct inner *option, *usual, *forced;
    struct hf_struct_list items;
    struct hf_struct_map groups;
    struct hf_value value;
    bool count_written, section_written;
};

#define OUTER(member) offsetof(struct outer, member)

static const char *const modes[] = {"gzip", "zstd", "none", NULL};

static const struct hf_field inner_fields[] = {
    {.key = "size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct inner, size),
     .default_text = "7",
     .min = 1,
     .max = 10},
    {.key = "name", .type = HF_FIELD_STRING, .offset = offsetof(struct inner, name)},
    HF_FIELDS_END,
};

static const struct hf_field item_fields[] = {
    {.key = "size",
     .type = HF_FIELD_INT,
     .offset = offsetof(struct inner, size),
     .default_text = "7"},
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct inner, name),
     .required = true},
    HF_FIELDS_END,
};

static const char *expect_calm(const char *key, const char *text)
{
    return strchr(key, '!') == NULL && strchr(text, '!') == NULL ? NULL : "no shouting";
}

static const struct hf_field outer_fields[] = {
    {.key = "flag", .type = HF_FIELD_BOOL, .offset = OUTER(flag), .default_text = "true"},
    {.key = "count",
     .type = HF_FIELD_INT,
     .offset = OUTER(count),
     .default_text = "3",
     .min = 1,
     .max = 1000,
     .present_offset = OUTER(count_written),
     .old_keys = (const char *const[]){"number", "amount", NULL}},
    {.key = "ratio",
     .type = HF_FIELD_DOUBLE,
     .offset = OUTER(ratio),
     .default_text = "0.5",
     .min = 0,
     .max = 1},
    {.key = "text", .type = HF_FIELD_STRING, .offset = OUTER(text), .default_text = "0.0.0.0:1"},
    {.key = "address", .type = HF_FIELD_STRING, .offset = OUTER(address), .validate = expect_calm},
    {.key = "secret", .type = HF_FIELD_SECRET, .offset = OUTER(secret)},
    {.key = "reference", .type = HF_FIELD_REF, .offset = OUTER(reference)},
    {.key = "wait",
     .type = HF_FIELD_DURATION,
     .offset = OUTER(wait_ns),
     .default_text = "5s",
     .max = 3600e9},
    {.key = "signed",
     .type = HF_FIELD_DURATION,
     .offset = OUTER(signed_ns),
     .min = -60e9,
     .max = 60e9},
    {.key = "room",
     .type = HF_FIELD_BYTES,
     .offset = OUTER(room_bytes),
     .default_text = "1MiB",
     .min = 1024,
     .max = 1099511627776.0},
    {.key = "mode",
     .type = HF_FIELD_ENUM,
     .offset = OUTER(mode),
     .default_text = "zstd",
     .choices = modes},
    {.key = "names",
     .type = HF_FIELD_STRING_LIST,
     .offset = OUTER(names),
     .default_text = "[one, two]"},
    {.key = "codings", .type = HF_FIELD_STRING_LIST, .offset = OUTER(codings), .choices = modes},
    {.key = "labels", .type = HF_FIELD_MAP, .offset = OUTER(labels)},
    {.key = "headers", .type = HF_FIELD_MAP, .offset = OUTER(headers), .validate = expect_calm},
    {.key = "section",
     .type = HF_FIELD_STRUCT,
     .offset = OUTER(section),
     .inner = inner_fields,
     .present_offset = OUTER(section_written)},
    {.key = "option",
     .type = HF_FIELD_OPTIONAL,
     .offset = OUTER(option),
     .inner = inner_fields,
     .inner_size = sizeof(struct inner)},
    {.key = "usual",
     .type = HF_FIELD_OPTIONAL,
     .offset = OUTER(usual),
     .default_text = "{size: 9}",
     .inner = inner_fields,
     .inner_size = sizeof(struct inner)},
    {.key = "forced",
     .type = HF_FIELD_OPTIONAL,
     .offset = OUTER(forced),
     .null_enables = true,
     .inner = inner_fields,
     .inner_size = sizeof(struct inner)},
    {.key = "items",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OUTER(items),
     .inner = item_fields,
     .inner_size = sizeof(struct inner)},
    {.key = "groups",
     .type = HF_FIELD_STRUCT_MAP,
     .offset = OUTER(groups),
     .inner = inner_fields,
     .inner_size = sizeof(struct inner)},
    {.key = "value", .type = HF_FIELD_VALUE, .offset = OUTER(value)},
    {.key = "ignored", .type = HF_FIELD_IGNORED, .help = "Accepted without effect: not needed."},
    {.key = "explained", .type = HF_FIELD_IGNORED, .help = "Buffers size themselves."},
    {.key = "unexplained", .type = HF_FIELD_IGNORED},
    HF_FIELDS_END,
};

/* Binds the text as the body of exporters::out. */
static void bind(struct step *step, const char *text, struct outer *outer)
{
    struct hf_key_path path = {.key = "exporters::out"};

    step_begin(step);
    struct hf_yaml *root = step_parse(step, text);
    assert_non_null(root);
    hf_expand(&step->load, root);
    *outer = (struct outer){0};
    hf_bind(&step->load, &path, root->place, root, (struct hf_bind_target){outer_fields, outer});
}

static void check(const char *text, const char *findings)
{
    struct outer outer;
    struct step step;

    bind(&step, text, &outer);
    step_end(&step, NULL, findings);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void writes_presets_where_the_user_wrote_nothing(void **state)
{
    static const char *const bodies[] = {
        "",
        "{}",
        "{flag: , count: ~, ratio: null, text: , secret: , reference: , wait: , signed: , room: , "
        "mode: , names: , labels: , section: , option: , usual: , items: , groups: , value: , "
        "unexplained: }",
        "{labels: '${env:REMARK}', items: '${env:REMARK}', option: '${env:NONE:-}'}",
        "{count: '${env:EMPTY}', wait: '${env:EMPTY}', mode: '${env:EMPTY}', flag: "
        "'${env:EMPTY}'}",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct outer outer;
        struct step step;
        bind(&step, bodies[i], &outer);
        assert_true(outer.flag);
        assert_int_equal(outer.count, 3);
        assert_false(outer.count_written);
        assert_false(outer.section_written);
        assert_true(outer.ratio == 0.5);
        assert_string_equal(outer.text, "0.0.0.0:1");
        assert_null(outer.secret);
        assert_null(outer.reference);
        assert_int_equal(outer.wait_ns, UINT64_C(5000000000));
        assert_int_equal(outer.room_bytes, 1 << 20);
        assert_int_equal(outer.mode, 1);
        assert_int_equal(outer.names.count, 2);
        assert_string_equal(outer.names.items[1], "two");
        assert_int_equal(outer.labels.count, 0);
        assert_int_equal(outer.section.size, 7);
        assert_null(outer.option);
        assert_int_equal(outer.usual->size, 9);
        assert_int_equal(outer.items.count, 0);
        assert_int_equal(outer.groups.count, 0);
        assert_int_equal(outer.value.type, HF_VALUE_NONE);
        step_end(&step, NULL, "");
    }
}

static void takes_every_type(void **state)
{
    struct outer outer;
    struct step step;
    (void)state;

    bind(&step,
         "{flag: false, count: 0x10, ratio: 1, text: 0123, secret: hush, reference: file_storage/a,"
         " wait: 1m30s, signed: -5s, room: 64KiB, mode: GZIP, names: [a, 2, true],"
         " labels: {a: 1, b: , c: x y}, section: {size: 2, name: n}, option: {},"
         " items: [{name: x}, {name: y, size: 4}], groups: {g1: , g2: {size: 3}}, value: 12}",
         &outer);
    assert_false(outer.flag);
    assert_int_equal(outer.count, 16);
    assert_true(outer.count_written);
    assert_true(outer.section_written);
    assert_true(outer.ratio == 1.0);
    assert_string_equal(outer.text, "0123");
    assert_string_equal(outer.secret, "hush");
    assert_string_equal(outer.reference, "file_storage/a");
    assert_int_equal(outer.wait_ns, UINT64_C(90000000000));
    assert_int_equal((int64_t)outer.signed_ns, -5000000000);
    assert_int_equal(outer.room_bytes, 65536);
    assert_int_equal(outer.mode, 0);
    assert_int_equal(outer.names.count, 3);
    assert_string_equal(outer.names.items[1], "2");
    assert_string_equal(outer.names.items[2], "true");
    assert_int_equal(outer.labels.count, 3);
    assert_string_equal(outer.labels.items[0].value, "1");
    assert_string_equal(outer.labels.items[1].value, "");
    assert_string_equal(outer.labels.items[2].key, "c");
    assert_int_equal(outer.section.size, 2);
    assert_string_equal(outer.section.name, "n");
    assert_int_equal(outer.option->size, 7);
    const struct inner *items = outer.items.items, *groups = outer.groups.items;
    assert_int_equal(outer.items.count, 2);
    assert_int_equal(items[0].size, 7);
    assert_string_equal(items[1].name, "y");
    assert_int_equal(outer.groups.count, 2);
    assert_string_equal(outer.groups.keys[1], "g2");
    assert_int_equal(groups[0].size, 7);
    assert_int_equal(groups[1].size, 3);
    step_end(&step, NULL, "");
}

static void takes_a_variable_as_it_is_wherever_text_is_wanted(void **state)
{
    static const char *const values[] = {"#s3cret", "a${b", "&a b", "null", "a: b", "[x", "$$"};
    (void)state;

    for (size_t i = 0; i < COUNT(values); i++) {
        struct outer outer;
        struct step step;
        exact_value = values[i];
        bind(&step,
             "{text: '${env:EXACT}', secret: '${env:EXACT}', reference: '${env:EXACT}',"
             " names: '${env:EXACT}', labels: {a: '${env:EXACT}'},"
             " headers: [{name: k, value: '${env:EXACT}'}], section: {name: '${env:EXACT}'},"
             " value: ['${env:EXACT}']}",
             &outer);
        assert_string_equal(outer.text, values[i]);
        assert_string_equal(outer.secret, values[i]);
        assert_string_equal(outer.reference, values[i]);
        assert_string_equal(outer.labels.items[0].value, values[i]);
        assert_string_equal(outer.headers.items[0].value, values[i]);
        assert_string_equal(outer.section.name, values[i]);
        if (strcmp(values[i], "null") != 0) { /* no text: nothing, rather than a list of it */
            assert_int_equal(outer.names.count, 1);
            assert_string_equal(outer.names.items[0], values[i]);
        }
        if (outer.value.items[0].type != HF_VALUE_MAP) {
            assert_string_equal(outer.value.items[0].string, values[i]);
        }
        step_end(&step, NULL, "");
    }
    exact_value = NULL;
}

static void keeps_the_type_of_any_value(void **state)
{
    const struct {
        const char *text;
        enum hf_value_type type;
        const char *string;
        int64_t integer;
        double number;
        bool boolean;
    } cases[] = {
        {"value: x", HF_VALUE_STRING, "x", 0, 0, false},
        {"value: '12'", HF_VALUE_STRING, "12", 0, 0, false},
        {"value: 12", HF_VALUE_INT, "12", 12, 12, false},
        {"value: -0x10", HF_VALUE_INT, "-0x10", -16, -16, false},
        {"value: 1.5", HF_VALUE_DOUBLE, "1.5", 0, 1.5, false},
        {"value: 99999999999999999999", HF_VALUE_DOUBLE, "99999999999999999999", 0, 1e20, false},
        {"value: true", HF_VALUE_BOOL, "true", 0, 0, true},
        {"value: yes", HF_VALUE_STRING, "yes", 0, 0, false},
        {"value: ${env:PORT}", HF_VALUE_INT, "4317", 4317, 4317, false},
        {"value: ${env:COMMENT}", HF_VALUE_STRING, "secret #1", 0, 0, false},
        {"value: ${env:EMPTY}", HF_VALUE_STRING, "", 0, 0, false},
        {"value: ''", HF_VALUE_STRING, "", 0, 0, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outer outer;
        struct step step;
        bind(&step, cases[i].text, &outer);
        assert_int_equal(outer.value.type, cases[i].type);
        assert_string_equal(outer.value.string, cases[i].string);
        assert_int_equal(outer.value.integer, cases[i].integer);
        assert_true(outer.value.number == cases[i].number);
        assert_int_equal(outer.value.boolean, cases[i].boolean);
        step_end(&step, NULL, "");
    }
}

static void takes_lists_and_maps_as_values(void **state)
{
    struct outer outer;
    struct step step;
    (void)state;

    bind(&step, "value: [a, 1, null, {k: [2.5, true], 'x y': ''}, []]", &outer);
    assert_int_equal(outer.value.type, HF_VALUE_LIST);
    assert_int_equal(outer.value.count, 5);
    assert_string_equal(outer.value.items[0].string, "a");
    assert_int_equal(outer.value.items[1].integer, 1);
    assert_int_equal(outer.value.items[2].type, HF_VALUE_NONE);
    const struct hf_value *map = &outer.value.items[3];
    assert_int_equal(map->type, HF_VALUE_MAP);
    assert_int_equal(map->count, 2);
    assert_string_equal(map->keys[0], "k");
    assert_true(map->items[0].items[0].number == 2.5);
    assert_true(map->items[0].items[1].boolean);
    assert_string_equal(map->keys[1], "x y");
    assert_string_equal(map->items[1].string, "");
    assert_int_equal(outer.value.items[4].type, HF_VALUE_LIST);
    assert_int_equal(outer.value.items[4].count, 0);
    step_end(&step, NULL, "");

    bind(&step, "value: ${env:LIST}", &outer);
    assert_int_equal(outer.value.type, HF_VALUE_LIST);
    assert_string_equal(outer.value.items[1].string, "b");
    step_end(&step, NULL, "");

    bind(&step, "value: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", &outer);
    assert_int_equal(outer.value.items[0].items[0].type, HF_VALUE_LIST);
    step_end(&step, NULL, "");
}

static void gives_text_fields_the_text_as_it_was_written(void **state)
{
    const struct {
        const char *text, *value;
    } cases[] = {
        {"text: 8080", "8080"},
        {"text: true", "true"},
        {"text: 1e5", "1e5"},
        {"text: ''", ""},
        {"text: ${env:OCTAL}", "0123"},
        {"text: ${env:EXPONENT}", "1e5"},
        {"text: ${env:LIST}", "[a, b]"},
        {"text: ${env:NOT_YAML}", "[::1"},
        {"text: ${env:COMMENT}", "secret #1"},
        {"text: ${env:PASSWORD}", "pa$word"},
        {"text: ${env:EMPTY}", ""},
        {"text: a${env:PORT}", "a4317"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outer outer;
        struct step step;
        bind(&step, cases[i].text, &outer);
        assert_string_equal(outer.text, cases[i].value);
        step_end(&step, NULL, "");
    }
}

static void takes_text_where_a_number_or_flag_is_meant(void **state)
{
    struct outer outer;
    struct step step;
    (void)state;

    bind(&step,
         "{flag: 'false', count: '12', ratio: '0.25', names: ' a, b ,', wait: '${env:DURATION}'}",
         &outer);
    assert_false(outer.flag);
    assert_int_equal(outer.count, 12);
    assert_true(outer.ratio == 0.25);
    assert_int_equal(outer.names.count, 2);
    assert_string_equal(outer.names.items[0], "a");
    assert_string_equal(outer.names.items[1], "b");
    assert_int_equal(outer.wait_ns, UINT64_C(5000000000));
    step_end(&step, NULL, "");

    bind(&step, "{names: '${env:LIST}', labels: [{name: a, value: b}, {name: c, value: }]}",
         &outer);
    assert_int_equal(outer.names.count, 2);
    assert_int_equal(outer.labels.count, 2);
    assert_string_equal(outer.labels.items[0].key, "a");
    assert_string_equal(outer.labels.items[0].value, "b");
    assert_string_equal(outer.labels.items[1].value, "");
    step_end(&step, NULL, "");

    bind(&step, "{names: '', labels: {}}", &outer);
    assert_int_equal(outer.names.count, 0);
    step_end(&step, NULL, "");
}

static void fractions_and_empty_choices_are_read_as_the_go_collector_reads_them(void **state)
{
    struct step step;
    struct outer outer;
    (void)state;

    bind(&step, "{count: 12.9, items: [{name: a, size: -0.5}]}", &outer);
    assert_int_equal(outer.count, 12);
    assert_int_equal(((const struct inner *)outer.items.items)[0].size, 0);
    step_end(&step, NULL,
             "W f:1:9: exporters::out: count: \"12.9\" is not a whole number; it is taken as 12, "
             "as the Go collector takes it\n"
             "W f:1:39: exporters::out: items[0]::size: \"-0.5\" is not a whole number; it is "
             "taken as 0, as the Go collector takes it\n");

    bind(&step, "{mode: ''}", &outer);
    assert_int_equal(outer.mode, 1);
    step_end(&step, NULL, "W f:1:8: exporters::out: mode: is empty; the default is taken: zstd\n");
}

static const struct {
    const char *text, *findings;
} wrong_values[] = {
    {"flag: maybe", "E f:1:7: exporters::out: flag: expected true or false, got \"maybe\"\n"},
    {"flag: yes", "E f:1:7: exporters::out: flag: expected true or false, got \"yes\"; YAML "
                  "takes that as text: write true or false\n"},
    {"flag: 1", "E f:1:7: exporters::out: flag: expected true or false, got \"1\"\n"},
    {"flag: []", "E f:1:7: exporters::out: flag: expected one value, got a list\n"},
    {"count: x", "E f:1:8: exporters::out: count: expected a whole number, got \"x\"\n"},
    {"count: '1.5'", "E f:1:8: exporters::out: count: expected a whole number, got \"1.5\"\n"},
    {"count: .nan", "E f:1:8: exporters::out: count: expected a whole number, got \".nan\"\n"},
    {"count: 1e300", "E f:1:8: exporters::out: count: \"1e300\" is too large for a whole number\n"},
    {"count: 1_x", "E f:1:8: exporters::out: count: expected a whole number, got \"1_x\"\n"},
    {"count: 99999999999999999999",
     "E f:1:8: exporters::out: count: \"99999999999999999999\" is too large for a whole "
     "number\n"},
    {"count: 0", "E f:1:8: exporters::out: count: expected a value from 1 to 1000, got \"0\"\n"},
    {"count: 1001",
     "E f:1:8: exporters::out: count: expected a value from 1 to 1000, got \"1001\"\n"},
    {"count: 010", "W f:1:8: exporters::out: count: \"010\" is read as octal, 8; write 0o10 if "
                   "that is meant\n"},
    {"ratio: 1.01", "E f:1:8: exporters::out: ratio: expected a value from 0 to 1, got \"1.01\"\n"},
    {"ratio: .nan", "E f:1:8: exporters::out: ratio: expected a value from 0 to 1, got \".nan\"\n"},
    {"ratio: half", "E f:1:8: exporters::out: ratio: expected a number, got \"half\"\n"},
    {"text: [a]", "E f:1:7: exporters::out: text: expected text, got a list\n"},
    {"text: {a: b}", "E f:1:7: exporters::out: text: expected text, got a map\n"},
    {"address: well", ""},
    {"address: now!", "E f:1:10: exporters::out: address: expected no shouting, got \"now!\"\n"},
    {"headers: {a: b, c: d!, e!: f}",
     "E f:1:17: exporters::out: headers::c: expected no shouting\n"
     "E f:1:24: exporters::out: headers::e!: expected no shouting\n"},
    {"headers: [{name: a!, value: b}]",
     "E f:1:11: exporters::out: headers[0]::a!: expected no shouting\n"},
    {"secret: [hush]", "E f:1:9: exporters::out: secret: expected text, got a list\n"},
    {"wait: 1d", "E f:1:7: exporters::out: wait: unknown unit in duration \"1d\"; expected a "
                 "duration such as 500ms, 10s or 1h30m\n"},
    {"wait: '5'", "E f:1:7: exporters::out: wait: missing unit in duration \"5\"; expected a "
                  "duration such as 500ms, 10s or 1h30m\n"},
    {"wait: 5", "W f:1:7: exporters::out: wait: \"5\" without a unit is 5 nanoseconds; write "
                "5s for seconds\n"},
    {"wait: -5s", "E f:1:7: exporters::out: wait: a duration must not be negative, got "
                  "\"-5s\"\n"},
    {"wait: 2h", "E f:1:7: exporters::out: wait: expected a value from 0s to 1h, got \"2h\"\n"},
    {"signed: -2m",
     "E f:1:9: exporters::out: signed: expected a value from -1m to 1m, got \"-2m\"\n"},
    {"room: 5 apples", "E f:1:7: exporters::out: room: expected a size such as 1048576, 512MiB "
                       "or 20GiB, got \"5 apples\"\n"},
    {"room: 1", "E f:1:7: exporters::out: room: expected a value from 1KiB to 1TiB, got "
                "\"1\"\n"},
    {"room: 99999999TiB", "E f:1:7: exporters::out: room: \"99999999TiB\" is too large for a "
                          "size\n"},
    {"mode: gz", "E f:1:7: exporters::out: mode: expected gzip, zstd or none, got \"gz\"\n"},
    {"mode: gzp", "E f:1:7: exporters::out: mode: expected gzip, zstd or none, got \"gzp\"; did "
                  "you mean \"gzip\"?\n"},
    {"names: {a: 1}", "E f:1:8: exporters::out: names: expected a list, got a map\n"},
    {"names: [[a]]", "E f:1:9: exporters::out: names[0]: expected text, got a list\n"},
    {"names: [a, ]\nitems:", ""},
    {"codings: [gzip, none]", ""},
    {"codings: [gzip, zsdt]", "E f:1:17: exporters::out: codings[1]: expected gzip, zstd or "
                              "none, got \"zsdt\"; did you mean \"zstd\"?\n"},
    {"codings: GZIP, none", "E f:1:10: exporters::out: codings[0]: expected gzip, zstd or none, "
                            "got \"GZIP\"; did you mean \"gzip\"?\n"},
    {"names: [a, ~]", "E f:1:12: exporters::out: names[1]: expected text, got nothing\n"},
    {"headers: hush", "E f:1:10: exporters::out: headers: expected a map, got text\n"},
    {"address: loud://u:p@h/!", "E f:1:10: exporters::out: address: expected no shouting, got "
                                "\"loud://[REDACTED]@h/!\"\n"},
    {"labels: x", "E f:1:9: exporters::out: labels: expected a map, got \"x\"\n"},
    {"labels: {a: [1]}", "E f:1:13: exporters::out: labels::a: expected text, got a list\n"},
    {"labels: [{name: a, worth: b}]", "E f:1:10: exporters::out: labels[0]: expected a map with "
                                      "the keys name and value\n"},
    {"section: 5", "E f:1:10: exporters::out: section: expected a map, got \"5\"\n"},
    {"section: {size: 11}", "E f:1:17: exporters::out: section::size: expected a value from 1 "
                            "to 10, got \"11\"\n"},
    {"option: [1]", "E f:1:9: exporters::out: option: expected a map, got a list\n"},
    {"items: {name: x}", "E f:1:8: exporters::out: items: expected a list, got a map\n"},
    {"items: [{name: x}, {size: 1}]",
     "E f:1:20: exporters::out: items[1]::name: required, but not given\n"},
    {"items: [{name: }]", "E f:1:10: exporters::out: items[0]::name: required, but not given\n"},
    {"items: [x]", "E f:1:9: exporters::out: items[0]: expected a map, got \"x\"\n"
                   "E f:1:9: exporters::out: items[0]::name: required, but not given\n"},
    {"groups: [a]", "E f:1:9: exporters::out: groups: expected a map, got a list\n"},
    {"groups: {a: {size: x}}", "E f:1:20: exporters::out: groups::a::size: expected a whole "
                               "number, got \"x\"\n"},
    {"value: [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
     "E f:1:24: exporters::out: value[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: lists "
     "and "
     "maps nested deeper than 16 levels\n"},
    {"ignored: [x]", "W f:1:10: exporters::out: ignored: Accepted without effect: not needed.\n"},
    {"explained: 5", "W f:1:12: exporters::out: explained: has no effect: Buffers size "
                     "themselves.\n"},
    {"unexplained: 1", "W f:1:14: exporters::out: unexplained: accepted without effect\n"},
    {"x", "E f:1:1: exporters::out: expected a map, got \"x\"\n"},
};

static void says_what_was_expected(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(wrong_values); i++) {
        check(wrong_values[i].text, wrong_values[i].findings);
    }
}

static void names_the_nearest_known_key(void **state)
{
    const struct {
        const char *text, *findings;
    } cases[] = {
        {"cuont: 1", "E f:1:1: exporters::out: cuont: unknown key; did you mean \"count\"? ('' has "
                     "invalid keys: cuont)\n"},
        {"section: {nmae: x}", "E f:1:11: exporters::out: section::nmae: unknown key; did you mean "
                               "\"name\"? ('section' has invalid keys: nmae)\n"},
        {"size: 3", "E f:1:1: exporters::out: size: unknown key; did you mean \"section::size\"? "
                    "('' has invalid keys: size)\n"},
        {"banana: 3", "E f:1:1: exporters::out: banana: unknown key ('' has invalid keys: "
                      "banana)\n"},
        {"items: [{name: x, sise: 1}]",
         "E f:1:19: exporters::out: items[0]::sise: unknown key; did "
         "you mean \"size\"? ('items[0]' has invalid keys: sise)\n"},
        {"\"evil\\nkey\": 1",
         "E f:1:1: exporters::out: evil key: unknown key ('' has invalid keys: evil key)\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].text, cases[i].findings);
    }
}

static void takes_old_spellings_with_a_warning(void **state)
{
    struct outer outer;
    struct step step;
    (void)state;

    bind(&step, "amount: 12", &outer);
    assert_int_equal(outer.count, 12);
    assert_true(outer.count_written);
    step_end(&step, NULL, "W f:1:1: exporters::out: amount: the old spelling of \"count\"\n");

    check("count: 1\namount: 2",
          "E f:2:1: exporters::out: amount: the same as \"count\", which is given too\n");
    check("number: 1\namount: 2",
          "W f:1:1: exporters::out: number: the old spelling of \"count\"\n"
          "E f:2:1: exporters::out: amount: the same as \"number\", which is given too\n");
}

static void lets_an_optional_section_be_switched_off(void **state)
{
    struct outer outer;
    struct step step;
    (void)state;

    bind(&step, "{option: {enabled: false, size: 3}, usual: {enabled: false}}", &outer);
    assert_null(outer.option);
    assert_null(outer.usual);
    step_end(&step, NULL, "");

    bind(&step, "{option: {enabled: true, size: 3}, usual: , forced: }", &outer);
    assert_int_equal(outer.option->size, 3);
    assert_int_equal(outer.usual->size, 9);
    assert_int_equal(outer.forced->size, 7);
    step_end(&step, NULL, "");

    check("option: {enabled: perhaps}",
          "E f:1:19: exporters::out: option::enabled: expected true or false, got \"perhaps\"\n");
}

static void reports_all_mistakes_at_once_with_their_places(void **state)
{
    (void)state;

    check("flag: 3\n"
          "section:\n"
          "  size: big\n"
          "  sise: 4\n"
          "items:\n"
          "  - name: a\n"
          "  - size: x\n",
          "E f:1:7: exporters::out: flag: expected true or false, got \"3\"\n"
          "E f:3:9: exporters::out: section::size: expected a whole number, got \"big\"\n"
          "E f:4:3: exporters::out: section::sise: unknown key; did you mean \"size\"? ('section' "
          "has invalid keys: sise)\n"
          "E f:7:5: exporters::out: items[1]::name: required, but not given\n"
          "E f:7:11: exporters::out: items[1]::size: expected a whole number, got \"x\"\n");
}

static void shows_long_values_shortened_and_on_one_line(void **state)
{
    (void)state;

    check("count: \"0123456789012345678901234567890123456789012345678901234567\xc3\xbc\xc3\xbc "
          "tail\"",
          "E f:1:8: exporters::out: count: expected a whole number, got "
          "\"0123456789012345678901234567890123456789012345678901234567\xc3\xbc\"...\n");
    check("count: \"1\\n2\\e[31m\"",
          "E f:1:8: exporters::out: count: expected a whole number, got \"1 2 [31m\"\n");
}

static void reports_a_preset_that_does_not_fit(void **state)
{
    static const struct hf_field fields[] = {
        {.key = "size", .type = HF_FIELD_INT, .default_text = "0", .min = 1, .max = 2},
        HF_FIELDS_END,
    };
    struct hf_key_path path = {.key = "exporters::out"};
    struct step step;
    int64_t size = 0;
    (void)state;

    step_begin(&step);
    hf_bind(&step.load, &path, (struct hf_yaml_place){0}, NULL,
            (struct hf_bind_target){fields, &size});
    step_end(&step, NULL,
             "E preset: exporters::out: size: expected a value from 1 to 2, got \"0\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_presets_where_the_user_wrote_nothing),
        cmocka_unit_test(takes_every_type),
        cmocka_unit_test(takes_a_variable_as_it_is_wherever_text_is_wanted),
        cmocka_unit_test(keeps_the_type_of_any_value),
        cmocka_unit_test(takes_lists_and_maps_as_values),
        cmocka_unit_test(gives_text_fields_the_text_as_it_was_written),
        cmocka_unit_test(takes_text_where_a_number_or_flag_is_meant),
        cmocka_unit_test(fractions_and_empty_choices_are_read_as_the_go_collector_reads_them),
        cmocka_unit_test(says_what_was_expected),
        cmocka_unit_test(names_the_nearest_known_key),
        cmocka_unit_test(takes_old_spellings_with_a_warning),
        cmocka_unit_test(lets_an_optional_section_be_switched_off),
        cmocka_unit_test(reports_all_mistakes_at_once_with_their_places),
        cmocka_unit_test(shows_long_values_shortened_and_on_one_line),
        cmocka_unit_test(reports_a_preset_that_does_not_fit),
    };
    return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
