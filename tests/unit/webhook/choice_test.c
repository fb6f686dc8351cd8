/* Which configuration a pod and its namespace ask for. */
#include "webhook/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static void pod_and_namespace_are_combined(void **state)
{
    static const struct {
        const char *pod, *namespace;
        bool good, wants;
        const char *space, *name;
    } rows[] = {
        {"", "", true, false, "", ""},
        {"true", "", true, true, "", ""},
        {"TRUE", "", true, true, "", ""},
        {"false", "true", true, false, "", ""},
        {"False", "mine", true, false, "", ""},
        {"", "true", true, true, "", ""},
        {"", "mine", true, true, "", "mine"},
        {"", "false", true, false, "", ""},
        {"true", "false", true, true, "", ""},
        {"true", "mine", true, true, "", "mine"},
        {"own", "mine", true, true, "", "own"},
        {"other/own", "true", true, true, "other", "own"},
        {"a/b/c", "", false, true, "a", "b/c"},
        {"/own", "", false, true, "", "own"},
        {"own/", "", false, true, "own", ""},
        {"..", "", false, true, "", ".."},
        {"a.b-c.9", "", true, true, "", "a.b-c.9"},
        {"own?x=1", "", false, true, "", "own?x=1"},
        {"Own", "", false, true, "", "Own"},
        {"-own", "", false, true, "", "-own"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_choice choice;
        bool good =
            hf_choose(hf_slice_text(rows[i].pod), hf_slice_text(rows[i].namespace), &choice);
        assert_int_equal(good, rows[i].good);
        assert_int_equal(choice.wants, rows[i].wants);
        assert_true(!good || hf_slice_is(choice.name, rows[i].name));
        assert_true(!good || hf_slice_is(choice.namespace, rows[i].space));
    }
}

static void a_name_has_a_limit(void **state)
{
    char name[300];
    struct hf_choice choice;
    (void)state;
    memset(name, 'a', sizeof(name));
    assert_true(hf_choose(hf_slice_of(name, 253), HF_EMPTY_SLICE, &choice));
    assert_false(hf_choose(hf_slice_of(name, 254), HF_EMPTY_SLICE, &choice));
}

static void our_own_annotation_comes_first(void **state)
{
    static const char text[] = "{\"metadata\":{\"annotations\":{\"sidecar.otel.io/inject\":\"two\","
                               "\"sidecar.holdfast.dev/inject\":\"one\","
                               "\"sidecar.opentelemetry.io/inject\":\"three\"}}}";
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *pod = NULL;
    char error[HF_JSON_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_json_read(hf_slice_text(text), &arena, &pod, error), HF_OK);
    assert_true(hf_slice_is(hf_inject_wish(pod), "one"));
    assert_true(hf_slice_is(hf_annotation(pod, "sidecar.otel.io/inject"), "two"));
    assert_int_equal(hf_annotation(pod, "none").size, 0);
    assert_int_equal(hf_inject_wish(NULL).size, 0);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pod_and_namespace_are_combined),
        cmocka_unit_test(a_name_has_a_limit),
        cmocka_unit_test(our_own_annotation_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
