/* The one page of the first version. */
#include "tests/unit/components/extensions/pages.h"

extern const struct hf_component hf_extension_health_check;

static void it_is_healthy_while_data_can_be_stored(void **state)
{
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_health_check, (const char *const[][2]){{NULL, NULL}});
    assert_page("/", 200, "\"status\":\"Server available\",\"upSince\":\"");
    assert_page("/any/path", 200, "Server available");
    not_durable = "the disk is full";
    pages.node.is_not_durable = true;
    assert_page("/", 503, "the disk is full");
    not_durable = NULL;
    pages.node.is_not_durable = false;
    exporter_state = HF_STATE_PERMANENT_ERROR; /* a backend does not count */
    assert_page("/", 200, "Server available");
    close_pages(&pages);
}

static void a_path_of_its_own_is_the_only_one(void **state)
{
    struct pages pages;
    char body[16384];
    (void)state;
    open_pages(&pages, &hf_extension_health_check,
               (const char *const[][2]){{"path", "/health"}, {NULL, NULL}});
    assert_int_equal(get_page("/health", body), 200);
    assert_int_equal(get_page("/", body), 404);
    assert_int_equal(get_page("/health/more", body), 404);
    close_pages(&pages);
}

static void texts_stand_in_place_of_the_json(void **state)
{
    struct pages pages;
    (void)state;
    open_pages(&pages, &hf_extension_health_check,
               (const char *const[][2]){{"response_body.healthy", "fine"},
                                        {"response_body.unhealthy", "not fine"},
                                        {NULL, NULL}});
    assert_page("/", 200, "fine");
    not_durable = "full";
    pages.node.is_not_durable = true;
    assert_page("/", 503, "not fine");
    close_pages(&pages);
}

static void wrong_settings_are_named(void **state)
{
    static const struct {
        const char *key, *text, *part;
    } rows[] = {{"path", "health", "path must start with /"},
                {"use_v2", "true", "must specify at least one protocol"}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct made_config made;
        made_config(&made, &hf_extension_health_check,
                    (const char *const[][2]){{rows[i].key, rows[i].text}, {NULL, NULL}});
        const char *wrong = hf_extension_health_check.check(made.config);
        assert_non_null(wrong);
        assert_non_null(strstr(wrong, rows[i].part));
        made_config_release(&made);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_healthy_while_data_can_be_stored),
        cmocka_unit_test(a_path_of_its_own_is_the_only_one),
        cmocka_unit_test(texts_stand_in_place_of_the_json),
        cmocka_unit_test(wrong_settings_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
