/* Patterns mean what they mean to Go, or are refused as Go refuses them. */
#include "util/regex/re2_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "util/regex/regex.h"

static void translates_what_has_another_meaning(void **state)
{
    static const char *const cases[][2] = {
        {"\\s", "[\\t\\n\\f\\r ]"},
        {"[\\s\\d]", "[\\t\\n\\f\\r \\d]"},
        {"\\v", "\\x{b}"},
        {"a{,2}", "a\\{,2}"},
        {"{", "\\{"},
        {"\\Qa.b\\E", "a\\.b"},
        {"[[a]", "[\\[a]"},
        {"\\101", "\\x{41}"},
        {"a{2,3}?", "a{2,3}?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        char error[HF_REGEX_ERROR_MAX] = "";
        assert_int_equal(hf_re2_translate(hf_slice_text(cases[i][0]), &out, error), HF_OK);
        assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
        assert_string_equal((const char *)out.data, cases[i][1]);
        hf_bytes_release(&out);
    }
}

static void says_where_it_refuses(void **state)
{
    static const struct {
        const char *pattern, *says;
    } cases[] = {
        {"a++", "invalid nested repetition operator at character 3"},
        {"(?=a)", "invalid or unsupported Perl syntax at character 1"},
        {"\\1", "invalid escape sequence at character 1"},
        {"a\\K", "invalid escape sequence at character 2"},
        {"a{1001}", "invalid repeat count at character 2"},
        {"(a{100}){11}", "invalid repeat count at character 9"},
        {"*a", "missing argument to repetition operator at character 1"},
        {"(a", "missing closing ) at character 3"},
        {"a)", "unexpected ) at character 2"},
        {"[a", "missing closing ] at character 3"},
        {"a\\", "trailing backslash at end of expression at character 2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_bytes out = {0};
        char error[HF_REGEX_ERROR_MAX] = "";
        assert_int_equal(hf_re2_translate(hf_slice_text(cases[i].pattern), &out, error),
                         HF_INVALID);
        assert_string_equal(error, cases[i].says);
        hf_bytes_release(&out);
    }
}

/* A Go string in quotation marks without its escapes; returns what follows it. */
static char *unquote(char *at, char *out, size_t *ret_size)
{
    static const char letters[] = "abfnrtv\\\"";
    static const char meant[] = "\a\b\f\n\r\t\v\\\"";
    *ret_size = 0;
    assert_int_equal(*at++, '"');
    while (*at != '"') {
        if (*at != '\\') {
            out[(*ret_size)++] = *at++;
            continue;
        }
        at++;
        if (*at == 'x') {
            char digits[3] = {at[1], at[2], 0};
            out[(*ret_size)++] = (char)strtol(digits, NULL, 16);
            at += 3;
        } else {
            const char *found = strchr(letters, *at);
            assert_non_null(found);
            out[(*ret_size)++] = meant[found - letters];
            at++;
        }
    }
    out[*ret_size] = '\0';
    return at + 2;
}

static void print_match(const struct hf_regex *regex, struct hf_slice text, char *out, size_t size)
{
    struct hf_slice groups[HF_REGEX_GROUPS_MAX + 1];
    bool found;
    size_t at = 0;
    assert_int_equal(hf_regex_search(regex, text, 0, groups, &found), HF_OK);
    snprintf(out, size, "none");
    for (size_t i = 0; found && i <= hf_regex_group_count(regex); i++) {
        bool took_part = groups[i].data != NULL;
        const uint8_t *base = text.size == 0 ? groups[0].data : text.data;
        long from = took_part ? (long)(groups[i].data - base) : -1;
        long to = took_part ? from + (long)groups[i].size : -1;
        at += (size_t)snprintf(out + at, size - at, "%s%ld %ld", i > 0 ? " " : "", from, to);
    }
}

/* What differs knowingly: PCRE2 knows no group named twice and other names of scripts. */
static void matches_as_go_does(void **state)
{
    FILE *file = fopen(HF_SOURCE_DIR "/tests/differential/regex/recorded.txt", "r");
    char *line = NULL;
    size_t room = 0, lines = 0, differ = 0;
    ssize_t got;
    (void)state;
    assert_non_null(file);
    while ((got = getline(&line, &room, file)) > 0) {
        char pattern[512], text[512], result[512] = "refused", error[HF_REGEX_ERROR_MAX] = "";
        size_t pattern_size, text_size;
        struct hf_regex *regex = NULL;
        line[got - 1] = '\0';
        char *at = unquote(line, pattern, &pattern_size);
        at = unquote(at, text, &text_size);
        if (hf_regex_new(pattern, &regex, error) == HF_OK) {
            print_match(regex, hf_slice_of(text, text_size), result, sizeof(result));
        }
        if (strcmp(result, at) != 0) {
            print_error("%s: %s here (%s)\n", line, result, error);
            differ++;
        }
        hf_regex_free(regex);
        lines++;
    }
    assert_int_equal(differ, 0);
    assert_true(lines > 2000);
    free(line);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(translates_what_has_another_meaning),
        cmocka_unit_test(says_where_it_refuses),
        cmocka_unit_test(matches_as_go_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
