/* Reads YAML into a tree that knows its places, and refuses what could grow or mislead. */
#include "support.h"

static void reads_values_with_their_types(void **state)
{
    const struct {
        const char *text, *tree;
    } cases[] = {
        {"", "~\n"},
        {"# only a comment\n", "~\n"},
        {"---\n", "~\n"},
        {"a: 1\n---\n", "{a: i:1}\n"},
        {"---\na: 1\n---\n# nothing\n---\n", "{a: i:1}\n"},
        {"a: 1\n...\n", "{a: i:1}\n"},
        {"\xef\xbb\xbf"
         "a: 1\n",
         "{a: i:1}\n"},
        {"a: 1\r\nb:\r\n  - x\r\n", "{a: i:1, b: [\"x\"]}\n"},
        {"a: ~\nb: null\nc:\nd: ''\n", "{a: ~, b: ~, c: ~, d: \"\"}\n"},
        {"a: true\nb: False\nc: yes\nd: 'true'\n",
         "{a: b:true, b: b:False, c: \"yes\", d: \"true\"}\n"},
        {"a: 12\nb: -0x1F\nc: 0o17\nd: 0644\ne: 1_000\n",
         "{a: i:12, b: i:-0x1F, c: i:0o17, d: i:0644, e: i:1_000}\n"},
        {"a: 1.5\nb: .5\nc: 1e3\nd: .inf\ne: 1.2.3\nf: 1.\n",
         "{a: d:1.5, b: d:.5, c: d:1e3, d: d:.inf, e: \"1.2.3\", f: d:1.}\n"},
        {"a: 0.0.0.0:4317\nb: [x:y]\n", "{a: \"0.0.0.0:4317\", b: [\"x:y\"]}\n"},
        {"a: !!str 12\nb: !!int 3\nc: !!float 3\nd: ! 4\n",
         "{a: \"12\", b: i:3, c: i:3, d: \"4\"}\n"},
        {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{a: \"x\ny\n\", b: \"x y\"}\n"},
        {"{a: [1, {b: c}], 200: d}", "{a: [i:1, {b: \"c\"}], 200: \"d\"}\n"},
        {"a: 'gr\xc3\xbc\xc3\x9f'\n", "{a: \"gr\xc3\xbc\xc3\x9f\"}\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct step step;
        step_begin(&step);
        step_end(&step, step_parse(&step, cases[i].text), cases[i].tree);
    }
}

static void resolves_aliases_and_merge_keys(void **state)
{
    const struct {
        const char *text, *tree;
    } cases[] = {
        {"a: &x {k: 1}\nb: *x\n", "{a: {k: i:1}, b: {k: i:1}}\n"},
        {"a: &x 1\nb: &x 2\nc: *x\n", "{a: i:1, b: i:2, c: i:2}\n"},
        {"a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n", "{a: {k: i:1, l: i:2}, b: {k: i:3, l: i:2}}\n"},
        {"a: &x {k: 1}\nb: {k: 3, <<: *x}\n", "{a: {k: i:1}, b: {k: i:3}}\n"},
        {"a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: {<<: [*x, *y]}\n",
         "{a: {k: i:1}, b: {k: i:2, l: i:2}, c: {k: i:1, l: i:2}}\n"},
        {"a: {'<<': 1}\n", "{a: {<<: i:1}}\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct step step;
        step_begin(&step);
        step_end(&step, step_parse(&step, cases[i].text), cases[i].tree);
    }
}

static void says_where_the_text_is_no_yaml(void **state)
{
    const struct {
        const char *text, *findings;
    } cases[] = {
        {"a: 1\n\tb: 2\n",
         "E f:2:1: not valid YAML: a tab; indent with blanks, and quote text that "
         "begins with a tab\n"},
        {"a: [1, 2\nb: 3\n", "E f:2:2: not valid YAML: did not find expected ',' or ']' while "
                             "parsing a flow sequence (line 1)\n"},
        {"a: 'x\n", "E f:2:1: not valid YAML: found unexpected end of stream while scanning a "
                    "quoted scalar (line 1)\n"},
        {"a: b: c\n", "E f:1:5: not valid YAML: mapping values are not allowed in this context\n"},
        {"a: 1\n---\n---\n~\n",
         "E f:3:1: a second YAML document; a configuration is one document\n"},
        {"a: 1\n---\nb: 2\n", "E f:2:1: a second YAML document; a configuration is one document\n"},
        {"a: 1\nb: x\xff\n", "E f:2:5: not UTF-8 text that YAML allows: invalid leading UTF-8 "
                             "octet\n"},
        {"a: gr\xc3\xbc\nb\x01: 2\n",
         "E f:2:2: not UTF-8 text that YAML allows: control characters are not allowed\n"},
        {"a: \"x\\0y\"\n", "E f:1:4: a NUL character in a text\n"},
        {"a: *b\n", "E f:1:4: unknown anchor 'b' referenced\n"},
        {"a: &x [*x]\n", "E f:1:8: *x stands within its own anchor\n"},
        {"a: {<<: 1}\n", "E f:1:9: << takes a map or a list of maps\n"},
        {"a: {<<: [{}, 2]}\n", "E f:1:9: << takes a map or a list of maps\n"},
        {"[a]: 1\n", "E f:1:1: a key must be plain text\n"},
        {"a: !!binary eA==\n",
         "E f:1:4: the tag \"tag:yaml.org,2002:binary\" does not fit or is not known\n"},
        {"a: !!int x\n",
         "E f:1:4: the tag \"tag:yaml.org,2002:int\" does not fit or is not known\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct step step;
        step_begin(&step);
        step_end(&step, step_parse(&step, cases[i].text), cases[i].findings);
    }
}

static void names_every_duplicate_key_and_its_first_line(void **state)
{
    struct step step;
    (void)state;

    step_begin(&step);
    step_end(&step, step_parse(&step, "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n"),
             "{a: i:1, b: {c: i:1}}\n"
             "E f:4:3: \"c\": the key is there twice; the first is in line 3\n"
             "E f:5:1: \"a\": the key is there twice; the first is in line 1\n");
}

static void knows_the_place_of_keys_and_values(void **state)
{
    struct step step;
    (void)state;

    step_begin(&step);
    struct hf_yaml *root = step_parse(&step, "a:\n  b: [x,\n   y]\n");
    const struct hf_yaml_entry *inner = hf_yaml_find(hf_yaml_value(root, "a"), "b");
    assert_int_equal(inner->place.line, 2);
    assert_int_equal(inner->place.column, 3);
    assert_int_equal(inner->value->items[1]->place.line, 3);
    assert_int_equal(inner->value->items[1]->place.column, 4);
    step_end(&step, NULL, "");
}

static char *nested(unsigned levels)
{
    char *text = calloc(1, levels * 2 + 4);

    assert_non_null(text);
    memcpy(text, "a: ", 3);
    memset(text + 3, '[', levels);
    memset(text + 3 + levels, ']', levels);
    return text;
}

static void refuses_to_nest_deeper_than_the_limit(void **state)
{
    struct step step;
    (void)state;

    char *good = nested(HF_CONFIG_DEPTH - 1);
    step_begin(&step);
    assert_non_null(step_parse(&step, good));
    step_end(&step, NULL, "");
    free(good);

    char *deep = nested(HF_CONFIG_DEPTH);
    step_begin(&step);
    assert_null(step_parse(&step, deep));
    step_end(&step, NULL, "E f:1:67: nested deeper than 64 levels\n");
    free(deep);

    char *huge = nested(50000);
    step_begin(&step);
    assert_null(step_parse(&step, huge));
    step_end(&step, NULL, "E f:1:67: nested deeper than 64 levels\n");
    free(huge);
}

static void refuses_aliases_that_multiply(void **state)
{
    struct step step;
    (void)state;

    step_begin(&step);
    assert_null(step_parse(&step, "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                                  "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                                  "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                                  "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                                  "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"));
    step_end(&step, NULL,
             "E f:1:26: more than 100000 values, counting those that aliases and ${...} repeat\n");
}

static void refuses_aliases_that_deepen(void **state)
{
    struct step step;
    char text[4096] = "a0: &a0 [[[[[[[[x]]]]]]]]\n";
    (void)state;

    for (unsigned i = 1; i < 10; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "a%u: &a%u [[[[[[[[*a%u]]]]]]]]\n", i, i, i - 1);
    }
    step_begin(&step);
    assert_null(step_parse(&step, text));
    step_end(&step, NULL, "E f:1:16: nested deeper than 64 levels\n");
}

static void refuses_maps_and_anchors_without_end(void **state)
{
    struct step step;
    char *text = NULL;
    size_t size = 0;
    (void)state;

    FILE *keys = open_memstream(&text, &size);
    for (unsigned i = 0; i <= HF_CONFIG_MAP_KEYS; i++) {
        fprintf(keys, "k%u: 1\n", i);
    }
    fclose(keys);
    step_begin(&step);
    assert_null(step_parse(&step, text));
    step_end(&step, NULL, "E f:1:1: a map with more than 10000 keys\n");
    free(text);

    FILE *anchors = open_memstream(&text, &size);
    for (unsigned i = 0; i <= 1000; i++) {
        fprintf(anchors, "- &a%u x\n", i);
    }
    fclose(anchors);
    step_begin(&step);
    assert_null(step_parse(&step, text));
    step_end(&step, NULL, "E f:1001:3: more than 1000 anchors\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values_with_their_types),
        cmocka_unit_test(resolves_aliases_and_merge_keys),
        cmocka_unit_test(says_where_the_text_is_no_yaml),
        cmocka_unit_test(names_every_duplicate_key_and_its_first_line),
        cmocka_unit_test(knows_the_place_of_keys_and_values),
        cmocka_unit_test(refuses_to_nest_deeper_than_the_limit),
        cmocka_unit_test(refuses_aliases_that_multiply),
        cmocka_unit_test(refuses_aliases_that_deepen),
        cmocka_unit_test(refuses_maps_and_anchors_without_end),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
