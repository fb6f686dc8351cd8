/* Replaces ${...} in values. In the trees, <x> is the text that a string field would take. */
#include "support.h"

#include <unistd.h>

static void check(const char *text, const char *expected)
{
    struct step step;

    step_begin(&step);
    struct hf_yaml *root = step_parse(&step, text);
    assert_non_null(root);
    hf_expand(&step.load, root);
    step_end(&step, root, expected);
}

static void replaces_references(void **state)
{
    const struct {
        const char *text, *expected;
    } cases[] = {
        {"${env:HOST}", "\"db.local\"<db.local>\n"},
        {"'${env:HOST}'", "\"db.local\"<db.local>\n"},
        {"${HOST}", "\"db.local\"<db.local>\n"},
        {"${env:HOST}:${env:PORT}", "\"db.local:4317\"\n"},
        {"[\"${HOST}\", x]", "[\"db.local\"<db.local>, \"x\"]\n"},
        {"{'${HOST}': 1}", "{${HOST}: i:1}\n"},
        {"${env:PORT}", "i:4317<4317>\n"},
        {"${env:YES}", "b:true<true>\n"},
        {"${env:OCTAL}", "i:0123<0123>\n"},
        {"${env:EXPONENT}", "d:1e5<1e5>\n"},
        {"${env:LIST}", "[\"a\", \"b\"]<[a, b]>\n"},
        {"${env:MAP}", "{endpoint: \"x:1\", port: i:7}<{endpoint: x:1, port: 7}>\n"},
        {"x${env:LIST}", "\"x[a, b]\"\n"},
        {"${env:NOT_YAML}", "\"[::1\"<[::1>\n"},
        {"${env:COMMENT}", "\"secret #1\"<secret #1>\n"},
        {"${env:EMPTY}", "~<>\n"},
        {"x${env:EMPTY}y", "\"xy\"\n"},
        {"${env:NONE:-def}", "\"def\"<def>\n"},
        {"${env:NONE:-}", "~<>\n"},
        {"${env:NONE:-12}", "i:12<12>\n"},
        {"${env:EMPTY:-def}", "~<>\n"},
        {"${env:PORT:-1}", "i:4317<4317>\n"},
        {"${NONE:-x}", "\"x\"<x>\n"},
        {"${env:NONE:-${env:HOST}}", "\"db.local\"<db.local>\n"},
        {"${env:${env:WHICH}}", "\"db.local\"<db.local>\n"},
        {"${env:HO${yaml:ST}}", "\"db.local\"<db.local>\n"},
        {"${env:INDIRECT}", "\"db.local\"<${env:HOST}>\n"},
        {"${env:INDIRECT_PORT}", "i:4317<${env:PORT}>\n"},
        {"<${env:INDIRECT}>", "\"<${env:HOST}>\"\n"},
        {"${env:INDIRECT_LIST}", "[\"db.local\"<db.local>, i:1]<[\"${env:HOST}\", 1]>\n"},
        {"${yaml:[1, x]}", "[i:1, \"x\"]<[1, x]>\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].text, cases[i].expected);
    }
}

static void keeps_dollars_that_are_meant(void **state)
{
    const struct {
        const char *text, *expected;
    } cases[] = {
        {"$$", "\"$\"\n"},
        {"a$$b$$$$c", "\"a$b$$c\"\n"},
        {"$${env:HOST}", "\"${env:HOST}\"\n"},
        {"$$${env:HOST}", "\"$db.local\"\n"},
        {"$$$${env:HOST}", "\"$${env:HOST}\"\n"},
        {"^a$", "\"^a$\"\n"},
        {"$1 $$1", "\"$1 $1\"\n"},
        {"$(x)", "\"$(x)\"\n"},
        {"${env:PASSWORD}", "\"pa$word\"<pa$word>\n"},
        {"x${env:PASSWORD}", "\"xpa$word\"\n"},
        {"${env:DOLLARS}", "\"a$b\"<a$$b>\n"},
        {"x${env:DOLLARS}", "\"xa$$b\"\n"},
        {"${env:NONE:-a$$b}", "\"a$b\"<a$b>\n"},
        {"12", "i:12\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].text, cases[i].expected);
    }
}

static void warns_of_old_spellings_and_of_variables_that_are_not_set(void **state)
{
    const struct {
        const char *text, *expected;
    } cases[] = {
        {"$HOST:1", "\"db.local:1\"\n"
                    "W f:1:1: $HOST is the old spelling; write ${env:HOST}, or $$HOST for literal "
                    "text\n"},
        {"a: x$NONE",
         "{a: \"x\"}\n"
         "W f:1:4: $NONE is the old spelling; write ${env:NONE}, or $$NONE for literal "
         "text; the environment variable is not set and read as empty\n"},
        {"a: ${env:NONE}", "{a: ~<>}\n"
                           "W f:1:4: the environment variable NONE is not set; it is read as "
                           "empty\n"},
        {"a:\n  - x${NONE}y${NONE}",
         "{a: [\"xy\"]}\n"
         "W f:2:5: the environment variable NONE is not set; it is read as empty\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].text, cases[i].expected);
    }
}

static void refuses_references_that_mean_nothing(void **state)
{
    const struct {
        const char *text, *expected;
    } cases[] = {
        {"a: x${env:HOST", "{a: ~}\nE f:1:4: ${ without its }; write $${ for literal text\n"},
        {"${env:A B}", "~\nE f:1:1: environment variable \"A B\" has invalid name: letters, digits "
                       "and _ are allowed; write $${...} for literal text\n"},
        {"${1}", "~\nE f:1:1: environment variable \"1\" has invalid name: letters, digits and _ "
                 "are allowed; write $${...} for literal text\n"},
        {"${}", "~\nE f:1:1: environment variable \"\" has invalid name: letters, digits and _ are "
                "allowed; write $${...} for literal text\n"},
        {"'${vault:x}'", "~\nE f:1:1: scheme \"vault\" is not supported for uri \"vault:x\"; "
                         "expected env:, file: or yaml:\n"},
        {"'${file:/nowhere/at/all}'",
         "~\nE f:1:1: cannot read ${file:/nowhere/at/all}: No such file or directory\n"},
        {"'${file:/}'",
         "~\nE f:1:1: cannot read ${file:/}: it is a directory; name a file in it\n"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].text, cases[i].expected);
    }
}

static void ends_references_that_turn_in_circles(void **state)
{
    (void)state;

    check("${env:SELF}", "\"${env:SELF}\"<${env:SELF}>\n");
    check("${env:SELF_TEXT}", "\"xx${env:SELF_TEXT}\"<x${env:SELF_TEXT}>\n");
    check("x${env:SELF}", "\"x${env:SELF}\"\n");
    check("${env:SELF_LIST}", "~\nE f:1:1: nested deeper than 64 levels\n");
}

static void counts_the_references_of_one_value(void **state)
{
    static const char reference[] = "${HOST}";
    char text[1001 * (sizeof(reference) - 1) + 1];
    (void)state;

    for (size_t i = 0; i < 1001; i++) {
        memcpy(text + i * (sizeof(reference) - 1), reference, sizeof(reference));
    }
    check(text, "~\nE f:1:1: too many recursive expansions: more than 1000\n");
}

static void refuses_text_that_grows_without_end(void **state)
{
    struct step step;
    char *text = calloc(1, 300000);
    (void)state;

    assert_non_null(text);
    memset(text, 'x', 299000);
    memcpy(text, "$$", 2);
    step_begin(&step);
    char *big = hf_config_format(step.load.memory, "'%s%s%s%s'", text, text, text, text);
    free(text);
    struct hf_yaml *root = step_parse(&step, big);
    hf_expand(&step.load, root);
    step_end(&step, root, "~\nE f:1:1: grows beyond 1 MiB when ${...} is replaced\n");
}

static void reads_files_without_their_last_newline(void **state)
{
    struct step step;
    char path[] = "/tmp/holdfast-env-XXXXXX";
    int fd = mkstemp(path);
    (void)state;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "two words # no comment\r\n", 24), 24);
    close(fd);
    step_begin(&step);
    struct hf_yaml *root =
        step_parse(&step, hf_config_format(step.load.memory, "{a: '${file:%s}'}", path));
    hf_expand(&step.load, root);
    unlink(path);
    step_end(&step, root, "{a: \"two words # no comment\"<two words # no comment>}\n");
}

/* What a shell, a vault or a password generator may have put into a variable. */
static const char *const hostile_values[] = {
    "#s3cret",
    "a${b",
    "a${b}c",
    "a$$b",
    "$${x}",
    "${env:HOST}",
    "&anchor",
    "&a b",
    "*alias",
    "null",
    "~",
    "!tag x",
    "!!int x",
    "'quoted'",
    "\"half",
    "a: b",
    "a:",
    "- x",
    "[x",
    "{",
    "|",
    ">",
    "%x",
    "@x",
    "`x`",
    " x ",
    "x #y",
    "0123",
    "1e5",
    "1_000",
    "0x1F",
    "yes",
    "---",
    "...",
    "a\nb",
    "? x",
    "${file:/etc/hostname}",
    "${",
    "$",
    "x\ty",
    "\xff\xfe",
};

static void takes_values_exactly_as_they_are_where_text_is_wanted(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(hostile_values); i++) {
        struct step step;
        step_begin(&step);
        exact_value = hostile_values[i];
        struct hf_yaml *root = step_parse(
            &step, "[\"${env:EXACT}\", \"${EXACT}\", \"<${env:EXACT}>\", '${env:EXACT:-x}']");
        assert_non_null(root);
        hf_expand(&step.load, root);
        assert_string_equal(hf_yaml_string(root->items[0]), hostile_values[i]);
        assert_string_equal(hf_yaml_string(root->items[1]), hostile_values[i]);
        assert_string_equal(hf_yaml_string(root->items[3]), hostile_values[i]);
        assert_int_equal(strlen(root->items[2]->text), strlen(hostile_values[i]) + 2);
        assert_memory_equal(root->items[2]->text + 1, hostile_values[i], strlen(hostile_values[i]));
        step_end(&step, NULL, "");
    }
    exact_value = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_references),
        cmocka_unit_test(keeps_dollars_that_are_meant),
        cmocka_unit_test(warns_of_old_spellings_and_of_variables_that_are_not_set),
        cmocka_unit_test(refuses_references_that_mean_nothing),
        cmocka_unit_test(ends_references_that_turn_in_circles),
        cmocka_unit_test(counts_the_references_of_one_value),
        cmocka_unit_test(refuses_text_that_grows_without_end),
        cmocka_unit_test(reads_files_without_their_last_newline),
        cmocka_unit_test(takes_values_exactly_as_they_are_where_text_is_wanted),
    };
    return cmocka_run_group_tests_name("env", tests, NULL, NULL);
}
