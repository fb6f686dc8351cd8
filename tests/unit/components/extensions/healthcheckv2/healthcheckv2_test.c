/* The status and the configuration page of the second version. */
#include "tests/unit/components/extensions/pages.h"

extern const struct hf_component hf_extension_healthcheckv2;

#define V2                                                                                         \
    {"use_v2", "true"},                                                                            \
    {                                                                                              \
        "http.endpoint", "localhost:0"                                                             \
    }

static void the_status_is_that_of_the_components(void **state)
{
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_healthcheckv2, (const char *const[][2]){V2, {NULL, NULL}});
    assert_page("/status", 200, "\"healthy\":true,\"status\":\"StatusOK\"");
    assert_page("/status?pipeline=logs/a", 200, "StatusOK");
    assert_page("/status?pipeline=extensions", 200, "StatusOK");
    assert_page("/status?pipeline=traces", 404, "no such pipeline");
    assert_page("/status?verbose", 200,
                "\"pipeline:logs/a\":{\"healthy\":true,\"status\":\"StatusOK\"");
    assert_page("/config", 404, "");
    exporter_state = HF_STATE_STARTING;
    assert_page("/status", 503, "StatusStarting");
    exporter_state = HF_STATE_FATAL_ERROR;
    assert_page("/status", 500, "\"error\":\"no key\"");
    exporter_state = HF_STATE_PERMANENT_ERROR; /* errors do not count unless it is said */
    assert_page("/status?verbose", 200,
                "\"exporter:out/1\":{\"healthy\":true,\"status\":\"StatusPermanentError\"");
    pages.node.is_not_durable = true;
    assert_page("/status", 503, "\"healthy\":false");
    close_pages(&pages);
}

static void errors_count_when_they_are_included(void **state)
{
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_healthcheckv2,
               (const char *const[][2]){V2,
                                        {"component_health.include_permanent_errors", "true"},
                                        {"component_health.include_recoverable_errors", "true"},
                                        {"component_health.recovery_duration", "1s"},
                                        {NULL, NULL}});
    exporter_state = HF_STATE_PERMANENT_ERROR;
    assert_page("/status", 500, "\"healthy\":false,\"status\":\"StatusPermanentError\"");
    exporter_state = HF_STATE_RECOVERABLE_ERROR; /* since 1970 */
    assert_page("/status", 500, "\"healthy\":false,\"status\":\"StatusRecoverableError\"");
    exporter_state = HF_STATE_OK;
    assert_page("/status", 200, "\"healthy\":true");
    close_pages(&pages);
}

static void the_configuration_is_shown_where_it_is_wanted(void **state)
{
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_healthcheckv2,
               (const char *const[][2]){V2,
                                        {"http.config.enabled", "true"},
                                        {"http.config.path", "/conf"},
                                        {"http.status.path", "/how"},
                                        {NULL, NULL}});
    assert_page("/conf", 200, "{\"receivers\":{}}");
    assert_page("/how", 200, "StatusOK");
    assert_page("/status", 404, "");
    close_pages(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_is_that_of_the_components),
        cmocka_unit_test(errors_count_when_they_are_included),
        cmocka_unit_test(the_configuration_is_shown_where_it_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
