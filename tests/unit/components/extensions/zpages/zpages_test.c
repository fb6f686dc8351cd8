/* The pages about the process. */
#include "tests/unit/components/extensions/pages.h"

extern const struct hf_component hf_extension_zpages;

static void each_page_has_what_it_is_for(void **state)
{
    static const struct {
        const char *path, *part;
    } rows[] = {
        {"/debug/servicez", "/debug/pipelinez"},
        {"/debug/pipelinez", "logs/a"},
        {"/debug/pipelinez", "out/1"},
        {"/debug/pipelinez?pipelinenamez=logs/a&componentnamez=out/1&componentkindz=exporter",
         "out/1"},
        {"/debug/extensionz", "ext"},
        {"/debug/extensionz?extensionnamez=ext", "ext"},
        {"/debug/featurez", "--feature-gates"},
    };
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_zpages, (const char *const[][2]){{NULL, NULL}});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_page(rows[i].path, 200, rows[i].part);
    }
    close_pages(&pages);
}

static void other_paths_lead_to_the_first_page(void **state)
{
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_zpages, (const char *const[][2]){{NULL, NULL}});
    assert_page("/", 404, "see /debug/servicez");
    assert_page("/debug/expvarz", 404, "see /debug/servicez");
    close_pages(&pages);
}

static void variables_are_shown_where_they_are_wanted(void **state)
{
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_zpages,
               (const char *const[][2]){{"expvar.enabled", "true"}, {NULL, NULL}});
    assert_page("/debug/expvarz", 200, "\"memstats\":{\"Alloc\":");
    close_pages(&pages);
}

static void markup_of_a_query_is_text(void **state)
{
    struct pages pages;
    char body[16384];
    (void)state;
    open_pages(&pages, &hf_extension_zpages, (const char *const[][2]){{NULL, NULL}});
    (void)get_page("/debug/extensionz?extensionnamez=%3Cscript%3E", body);
    assert_null(strstr(body, "<script>"));
    close_pages(&pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_page_has_what_it_is_for),
        cmocka_unit_test(other_paths_lead_to_the_first_page),
        cmocka_unit_test(variables_are_shown_where_they_are_wanted),
        cmocka_unit_test(markup_of_a_query_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
