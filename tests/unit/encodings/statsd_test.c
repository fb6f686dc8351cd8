/* Lines of StatsD, and what is wrong with those that are refused. */
#include "encodings/statsd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEN_MAX 256

static void describe(const struct hf_statsd_line *line, char *ret_seen)
{
    int size = snprintf(ret_seen, SEEN_MAX, "%.*s %s %g%s", (int)line->name.size,
                        (const char *)line->name.data, hf_statsd_type_name(line->type), line->value,
                        line->is_change ? " changes" : "");
    if (line->rate != 0) {
        size += snprintf(ret_seen + size, SEEN_MAX - (size_t)size, " @%g", line->rate);
    }
    if (line->time_ns != 0) {
        size += snprintf(ret_seen + size, SEEN_MAX - (size_t)size, " at %llu",
                         (unsigned long long)line->time_ns);
    }
    for (size_t i = 0; i < line->tag_count; i++) {
        size += snprintf(ret_seen + size, SEEN_MAX - (size_t)size, " %.*s=%.*s",
                         (int)line->tags[i].key.size, (const char *)line->tags[i].key.data,
                         (int)line->tags[i].value.size, (const char *)line->tags[i].value.data);
    }
}

static void reads_lines_as_the_go_collector(void **state)
{
    static const struct {
        const char *text;
        bool simple_tags;
        const char *seen;
    } cases[] = {
        {"a.b:1|c", false, "a.b counter 1"},
        {"a:42.5|g|#k:v,k2:v:2", false, "a gauge 42.5 k=v k2=v:2"},
        {"a:-3|g", false, "a gauge -3 changes"},
        {"a:+3|g", false, "a gauge 3 changes"},
        {"a:3|ms|@0.1", false, "a timing 3 @0.1"},
        {"a:3|h|@0.1|#x:y", false, "a histogram 3 @0.1 x=y"},
        {"a:1e3|d", false, "a distribution 1000"},
        {"a:0x10|c", false, "a counter 16"},
        {"a:1|c|#", false, "a counter 1"},
        {"a:1|c|#,k:v,,", false, "a counter 1 k=v"},
        {"a:1|c|#simple,k:v", true, "a counter 1 simple= k=v"},
        {"a:1|c|c:abc", false, "a counter 1 container.id=abc"},
        {"a:1|c|c:", false, "a counter 1"},
        {"a:1|g|T1700000000", false, "a gauge 1 at 1700000000000000000"},
        {"a:1|c||ignored", false, "a counter 1"},
        {":1|c", false, "no name or no value"},
        {"a:|c", false, "no name or no value"},
        {"a|c", false, "no name or no value"},
        {"a:1", false, "no | behind the value"},
        {"", false, "no | behind the value"},
        {"a:1|s", false, "a type that is not known"},
        {"a:1|", false, "a type that is not known"},
        {"a:1|c\r", false, "a type that is not known"},
        {"a:x|c", false, "a value that is no number"},
        {"a: 1|c", false, "a value that is no number"},
        {"a:1 |c", false, "a value that is no number"},
        {"a:nan(1)|c", false, "a value that is no number"},
        {"a:NaN|c", false, "a value that is not finite"},
        {"a:inf|c", false, "a value that is not finite"},
        {"a:1e999|c", false, "a value that is not finite"},
        {"a:1|c|@x", false, "a rate that is no number"},
        {"a:1|c|@", false, "a rate that is no number"},
        {"a:1|c|#k", false, "a tag without key or value"},
        {"a:1|c|#:v", true, "a tag without key or value"},
        {"a:1|c|x", false, "a part that is not known"},
        {"a:1|ms|T1700000000", false, "a timestamp of neither counter nor gauge"},
        {"a:1|c|Tx", false, "a timestamp that is no number"},
        {"a:1|c|T99999999999", false, "a timestamp that is no number"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_statsd_line line;
        char seen[SEEN_MAX];
        const char *wrong =
            hf_statsd_read(hf_slice_text(cases[i].text), cases[i].simple_tags, &line);
        if (wrong == NULL) {
            describe(&line, seen);
        } else {
            snprintf(seen, sizeof(seen), "%s", wrong);
        }
        if (strcmp(seen, cases[i].seen) != 0) {
            fail_msg("%s: %s, not %s", cases[i].text, seen, cases[i].seen);
        }
    }
}

static void takes_as_many_tags_as_it_has_room_for(void **state)
{
    struct hf_statsd_line line;
    char text[16 + 8 * (HF_STATSD_TAGS_MAX + 1)] = "a:1|c|#";
    (void)state;
    for (unsigned i = 0; i < HF_STATSD_TAGS_MAX; i++) {
        snprintf(text + strlen(text), 9, "k%03u:v,", i);
    }
    assert_null(hf_statsd_read(hf_slice_text(text), false, &line));
    assert_int_equal(line.tag_count, HF_STATSD_TAGS_MAX);
    snprintf(text + strlen(text), 7, "more:v");
    assert_string_equal(hf_statsd_read(hf_slice_text(text), false, &line), "more than 128 tags");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines_as_the_go_collector),
        cmocka_unit_test(takes_as_many_tags_as_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
