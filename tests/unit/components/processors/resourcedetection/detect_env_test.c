/* The variable's list is taken as a whole, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <string.h>

#include "components/processors/resourcedetection/detect.h"

static void reads_the_variable(void **state)
{
    static const struct {
        const char *text, *key, *value; /* key NULL: refused */
    } cases[] = {
        {"a=1", "a", "1"},
        {" a = b+c , d=e ", "a", "b c"},
        {"a=%C3%A4", "a", "\xc3\xa4"},
        {"a=b=c", "a", "b=c"},
        {"a=", "a", ""},
        {"a=1,", "a", "1"},
        {"a=%4", NULL, NULL},
        {"a=%zz", NULL, NULL},
        {"a", NULL, NULL},
        {"a=1,b", NULL, NULL},
        {"=1", NULL, NULL},
        {"a=\xc3\xa4", NULL, NULL},
        {"a=%C3", "", NULL},
    };
    static const struct hf_detector_config config;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_detection detection = {.detector = &hf_detector_env,
                                         .config = &config,
                                         .arena = {.limit = HF_DETECTION_LIMIT_BYTES}};
        detection.found.lender = &detection.arena;
        detection.maker.arena = &detection.arena;
        setenv("OTEL_RESOURCE_ATTRIBUTES", cases[i].text, 1);
        enum hf_status status = hf_detector_env.detect(&detection);
        assert_int_equal(status, cases[i].key != NULL ? HF_OK : HF_INVALID);
        if (cases[i].value != NULL) {
            const struct hf_attribute *found =
                hf_attributes_find(&detection.found, hf_slice_text(cases[i].key));
            assert_non_null(found);
            assert_true(hf_slice_is(hf_any_read(found->value).bytes, cases[i].value));
        } else {
            assert_int_equal(detection.found.count, 0);
        }
        hf_arena_release(&detection.arena);
    }
}

static void takes_the_attributes_that_are_wanted(void **state)
{
    static const char *const included[] = {"k8s.*"}, *const excluded[] = {"*.secret"};
    static const struct hf_detector_config config = {
        .attributes = {.included = {included, 1}, .excluded = {excluded, 1}}};
    struct hf_detection detection = {.detector = &hf_detector_env,
                                     .config = &config,
                                     .arena = {.limit = HF_DETECTION_LIMIT_BYTES}};
    (void)state;
    detection.found.lender = &detection.arena;
    detection.maker.arena = &detection.arena;
    setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=a,k8s.secret=b,host.name=c", 1);
    assert_int_equal(hf_detector_env.detect(&detection), HF_OK);
    assert_int_equal(detection.found.count, 1);
    assert_true(hf_slice_is(detection.found.items[0].key, "k8s.pod.name"));
    hf_arena_release(&detection.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_the_variable),
                                       cmocka_unit_test(takes_the_attributes_that_are_wanted)};
    return cmocka_run_group_tests_name("detect_env", tests, NULL, NULL);
}
