/* Resources are left out by the values of their attributes. */
#include "support/scrape/resource_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include <holdfast/component.h>

#include "pdata/build.h"
#include "pdata/build_metrics.h"

static const char *const names[] = {"name", "pid"};

/* A resource of each name, with its place as a number, and a point. */
static struct hf_batch *make_batch(const char *const *values, size_t count)
{
    struct hf_builder builder;
    hf_builder_init(&builder, HF_METRICS, 1u << 20);
    for (size_t i = 0; i < count; i++) {
        const struct hf_build_metric metric = {.name = hf_slice_text("m")};
        const struct hf_build_point point = {.time_ns = 1};
        hf_build_resource(&builder, HF_EMPTY_SLICE);
        if (values[i] != NULL) {
            hf_build_attribute_string(&builder, hf_slice_text("name"), hf_slice_text(values[i]));
        }
        hf_build_attribute_int(&builder, hf_slice_text("pid"), (int64_t)i);
        hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
        hf_build_metric(&builder, &metric);
        hf_build_point_int(&builder, &point, 1);
        hf_build_end(&builder);
    }
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    return batch;
}

static bool holds(const struct hf_batch *batch, const char *text)
{
    return batch != NULL && memmem(batch->raw.data, batch->raw.size, text, strlen(text)) != NULL;
}

static void values_decide_which_resources_stay(void **state)
{
    static const struct hf_filter_list_config sshd[] = {{.strict = "sshd"}};
    static const struct hf_filter_list_config shells[] = {{.regexp = "^(ba)?sh$"},
                                                          {.strict = "zsh"}};
    static const struct hf_filter_list_config one[] = {{.strict = "1"}};
    static const struct {
        struct hf_resource_choice name, pid;
        bool has_sshd, has_bash, has_zsh, has_none; /* which are left */
    } cases[] = {
        {.name = {.metrics_include = {sshd, 1}}, .has_sshd = true, .has_none = true},
        {.name = {.metrics_exclude = {sshd, 1}},
         .has_bash = true,
         .has_zsh = true,
         .has_none = true},
        {.name = {.metrics_include = {shells, 2}},
         .has_bash = true,
         .has_zsh = true,
         .has_none = true},
        {.name = {.metrics_exclude = {shells, 2}}, .has_sshd = true, .has_none = true},
        {.name = {.metrics_include = {shells, 2}},
         .pid = {.metrics_exclude = {one, 1}},
         .has_zsh = true,
         .has_none = true},
        {.pid = {.metrics_include = {one, 1}}, .has_bash = true},
    };
    static const char *const values[] = {"sshd", "bash", "zsh", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct hf_resource_choice items[] = {cases[i].name, cases[i].pid};
        const struct hf_resource_choices choices = {names, items, 2};
        struct hf_resource_filter *filter = NULL;
        struct hf_batch *left = NULL;
        char why[HF_ERROR_MAX];
        assert_int_equal(hf_resource_filter_new(&choices, HF_METRICS, &filter, why), HF_OK);
        assert_non_null(filter);
        assert_int_equal(hf_resource_filter_take(filter, make_batch(values, 4), &left), HF_OK);
        assert_non_null(left);
        uint32_t items_left =
            (uint32_t)cases[i].has_sshd + cases[i].has_bash + cases[i].has_zsh + cases[i].has_none;
        assert_int_equal(left->items, items_left);
        assert_int_equal(holds(left, "sshd"), cases[i].has_sshd);
        assert_int_equal(holds(left, "bash"), cases[i].has_bash);
        assert_int_equal(holds(left, "zsh"), cases[i].has_zsh);
        hf_ref_drop(&left->ref);
        hf_resource_filter_free(filter);
    }
}

static void a_batch_of_which_nothing_stays_is_none(void **state)
{
    static const struct hf_filter_list_config all[] = {{.regexp = "."}};
    static const char *const values[] = {"a", "b"};
    const struct hf_resource_choice item = {.metrics_exclude = {all, 1}};
    const struct hf_resource_choices choices = {names, &item, 1};
    struct hf_resource_filter *filter = NULL;
    struct hf_batch *left = NULL;
    char why[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_resource_filter_new(&choices, HF_METRICS, &filter, why), HF_OK);
    assert_int_equal(hf_resource_filter_take(filter, make_batch(values, 2), &left), HF_OK);
    assert_null(left);
    hf_resource_filter_free(filter);
}

static void what_is_said_of_events_does_not_concern_metrics(void **state)
{
    static const struct hf_filter_list_config all[] = {{.strict = "a"}};
    const struct hf_resource_choice item = {.events_include = {all, 1}};
    const struct hf_resource_choices choices = {names, &item, 1};
    struct hf_resource_filter *filter = NULL;
    char why[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_resource_filter_new(&choices, HF_METRICS, &filter, why), HF_OK);
    assert_null(filter);
    assert_int_equal(hf_resource_filter_new(&choices, HF_LOGS, &filter, why), HF_OK);
    assert_non_null(filter);
    hf_resource_filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_decide_which_resources_stay),
        cmocka_unit_test(a_batch_of_which_nothing_stays_is_none),
        cmocka_unit_test(what_is_said_of_events_does_not_concern_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
