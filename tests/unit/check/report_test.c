/* The results of a check, as a table and as JSON. */
#include "check/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static const struct hf_check_line lines[] = {
    {"exporter otlp", "dns", "gateway", "10.0.0.7:4317", HF_PROBE_OK},
    {"exporter otlp", "tls", "gateway", "expired\nyesterday \"really\"", HF_PROBE_FAILED},
    {"receiver filelog", "file", "/var/log", "0 files", HF_PROBE_WARNING},
};

static char *print(bool json, size_t count)
{
    struct hf_check_report report = {0};
    char *text = NULL;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        hf_check_report_add(&report, &lines[i]);
    }
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    hf_check_report_print(&report, json, out);
    fclose(out);
    hf_check_report_release(&report);
    return text;
}

static void a_table_has_columns_and_a_sum(void **state)
{
    char *text = print(false, 3);
    (void)state;
    assert_string_equal(
        text, "COMPONENT         STEP  TARGET    RESULT   DETAIL\n"
              "exporter otlp     dns   gateway   ok       10.0.0.7:4317\n"
              "exporter otlp     tls   gateway   failed   expired\\nyesterday \"really\"\n"
              "receiver filelog  file  /var/log  warning  0 files\n"
              "ok: 1, warnings: 1, failed: 1\n");
    free(text);
}

static void json_says_whether_all_is_good(void **state)
{
    char *bad = print(true, 2);
    char *good = print(true, 1);
    char *empty = print(true, 0);
    (void)state;
    assert_non_null(strstr(bad, "{\"ok\":false,\"checks\":["));
    assert_non_null(strstr(bad, "\"result\":\"failed\",\"detail\":\"expired\\nyesterday "
                                "\\\"really\\\"\"}"));
    assert_string_equal(good, "{\"ok\":true,\"checks\":[\n{\"component\":\"exporter otlp\","
                              "\"step\":\"dns\",\"target\":\"gateway\",\"result\":\"ok\","
                              "\"detail\":\"10.0.0.7:4317\"}\n]}\n");
    assert_string_equal(empty, "{\"ok\":true,\"checks\":[\n]}\n");
    free(bad);
    free(good);
    free(empty);
}

static void counts_by_result(void **state)
{
    struct hf_check_report report = {0};
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        hf_check_report_add(&report, &lines[i % 3]);
    }
    assert_int_equal(hf_check_report_count(&report, HF_PROBE_OK), 34);
    assert_int_equal(hf_check_report_count(&report, HF_PROBE_FAILED), 33);
    assert_int_equal(hf_check_report_count(&report, HF_PROBE_WARNING), 33);
    assert_false(report.is_incomplete);
    hf_check_report_release(&report);
    hf_check_report_release(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_columns_and_a_sum),
        cmocka_unit_test(json_says_whether_all_is_good),
        cmocka_unit_test(counts_by_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
