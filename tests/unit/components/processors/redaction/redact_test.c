/* What must not be told is not told, whatever the patterns and the types are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "components/processors/redaction/redact.h"
#include "tests/support/node_stub.c"
#include "util/regex/regex.h"

static struct hf_regex *regex(const char *pattern)
{
    char why[HF_REGEX_ERROR_MAX];
    struct hf_regex *made = NULL;
    assert_int_equal(hf_regex_new(pattern, &made, why), HF_OK);
    return made;
}

static void masks_each_match(void **state)
{
    static const struct {
        const char *pattern, *text, *masked; /* NULL: no match */
        const char *stars;                   /* NULL: **** */
    } cases[] = {
        {"4[0-9]+", "a 411 b 42", "a [gone] b [gone]", "[gone]"},
        {"4[0-9]+", "a 411 b 42", "a **** b ****", NULL},
        {"x", "abc", NULL, NULL},
        {"b*", "abc", "****a****c****", NULL},
        {".*", "ab", "****", NULL},
        {".*", "", "****", NULL},
        {"^a", "aa", "****a", NULL},
        {"\xc3\xa4*", "\xc3\xa4o\xc3\xbc", "****o****\xc3\xbc****", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *stars = cases[i].stars != NULL ? cases[i].stars : "****";
        const struct hf_mask mask = {.kind = HF_MASK_STARS, .stars = hf_slice_text(stars)};
        struct hf_bytes out = {0};
        struct hf_regex *pattern = regex(cases[i].pattern);
        enum hf_status status = hf_mask_matches(&mask, pattern, hf_slice_text(cases[i].text), &out);
        assert_int_equal(status, cases[i].masked != NULL ? HF_OK : HF_NOT_FOUND);
        if (cases[i].masked != NULL &&
            !hf_slice_is(hf_slice_of(out.data, out.size), cases[i].masked)) {
            fail_msg("%s in %s: %.*s", cases[i].pattern, cases[i].text, (int)out.size,
                     (const char *)out.data);
        }
        hf_bytes_release(&out);
        hf_regex_free(pattern);
    }
}

/* Two patterns that both match leave the text in the memory that it was first in. */
static void notices_every_change_of_a_value_that_is_no_text(void **state)
{
    struct hf_regex *patterns[] = {regex("[0-9]+"), regex("[*]+")};
    const struct hf_redact_rules rules = {
        .allow_all_keys = true, .all_types = true, .blocked_values = {patterns, 2}};
    struct hf_document *document = hf_document_borrow(HF_LOGS, HF_EMPTY_SLICE);
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *group = hf_message_append(hf_document_root(document), 1);
    struct hf_message *record = hf_message_append(hf_message_append(group, 2), 2);
    struct hf_attributes *attributes = hf_message_attributes(record, 6);
    (void)state;
    hf_attributes_set(attributes, hf_slice_text("n"), hf_any_make_int(&maker, 1234));
    assert_int_equal(hf_redact(&rules, document), HF_OK);
    struct hf_any any = hf_any_read(attributes->items[0].value);
    assert_true(hf_slice_is(any.bytes, "****"));
    hf_document_return(document);
    hf_regex_free(patterns[0]);
    hf_regex_free(patterns[1]);
}

static void masks_what_takes_too_long_to_tell(void **state)
{
    struct hf_regex *pattern = regex("(a+)+$|(a|aa)+b");
    const struct hf_mask mask = {.kind = HF_MASK_STARS, .stars = hf_slice_text("****")};
    char text[4001];
    struct hf_bytes out = {0};
    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = 'c';
    enum hf_status status = hf_mask_matches(&mask, pattern, hf_slice_of(text, sizeof(text)), &out);
    assert_true(status == HF_NOT_FOUND || hf_slice_is(hf_slice_of(out.data, out.size), "****"));
    hf_bytes_release(&out);
    hf_regex_free(pattern);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_each_match),
        cmocka_unit_test(notices_every_change_of_a_value_that_is_no_text),
        cmocka_unit_test(masks_what_takes_too_long_to_tell),
    };
    return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
