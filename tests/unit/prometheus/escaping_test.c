/* Names as scrapers ask for them. The cases of the schemes are those of Prometheus' page on them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "prometheus/escaping.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void each_scheme_escapes_what_is_not_classic(void **state)
{
    (void)state;
    static const struct {
        const char *name, *underscores, *dots, *values;
    } cases[] = {
        {"mysystem.prod.west.cpu.load", "mysystem_prod_west_cpu_load",
         "mysystem_dot_prod_dot_west_dot_cpu_dot_load",
         "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load"},
        {"mysystem.prod.west.cpu.load_total", "mysystem_prod_west_cpu_load_total",
         "mysystem_dot_prod_dot_west_dot_cpu_dot_load__total",
         "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total"},
        {"http.status:sum", "http_status:sum", "http_dot_status:sum", "U__http_2e_status:sum"},
        {"label with \xf0\x9f\x98\xb1", "label_with__", "label__with____",
         "U__label_20_with_20__1f631_"},
        {"2x", "_x", "__x", "U___32_x"},
        {"no:escaping_required", "no:escaping_required", "no:escaping_required",
         "no:escaping_required"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *expected[] = {
            [HF_PROM_UNDERSCORES] = cases[i].underscores,
            [HF_PROM_ALLOW_UTF8] = cases[i].name,
            [HF_PROM_DOTS] = cases[i].dots,
            [HF_PROM_VALUES] = cases[i].values,
        };
        for (size_t scheme = 0; scheme < COUNT(expected); scheme++) {
            struct hf_bytes out = {0};
            assert_int_equal(hf_prom_escape_name(HF_PROM_METRIC_NAME, hf_slice_text(cases[i].name),
                                                 (enum hf_prom_escaping)scheme, &out),
                             HF_OK);
            assert_int_equal(hf_bytes_append(&out, hf_slice_of("", 1)), HF_OK);
            assert_string_equal((const char *)out.data, expected[scheme]);
            hf_bytes_release(&out);
        }
    }
}

static void a_colon_is_classic_in_metrics_alone(void **state)
{
    (void)state;
    assert_true(hf_prom_is_classic(HF_PROM_METRIC_NAME, hf_slice_text("a:b_9")));
    assert_false(hf_prom_is_classic(HF_PROM_LABEL_NAME, hf_slice_text("a:b_9")));
    assert_true(hf_prom_is_classic(HF_PROM_LABEL_NAME, hf_slice_text("_a9")));
    assert_false(hf_prom_is_classic(HF_PROM_LABEL_NAME, hf_slice_text("9a")));
    assert_false(hf_prom_is_classic(HF_PROM_METRIC_NAME, HF_EMPTY_SLICE));
}

static void schemes_have_names(void **state)
{
    (void)state;
    for (int i = HF_PROM_UNDERSCORES; i <= HF_PROM_VALUES; i++) {
        enum hf_prom_escaping found = HF_PROM_UNDERSCORES;
        const char *name = hf_prom_escaping_name((enum hf_prom_escaping)i);
        assert_true(hf_prom_escaping_of(hf_slice_text(name), &found));
        assert_int_equal(found, i);
    }
    enum hf_prom_escaping found = HF_PROM_DOTS;
    assert_false(hf_prom_escaping_of(hf_slice_text("other"), &found));
    assert_int_equal(found, HF_PROM_DOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_scheme_escapes_what_is_not_classic),
        cmocka_unit_test(a_colon_is_classic_in_metrics_alone),
        cmocka_unit_test(schemes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
