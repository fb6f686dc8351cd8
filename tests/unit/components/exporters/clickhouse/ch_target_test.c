/* Endpoints as configurations of the Go collector have them. */
#include "components/exporters/clickhouse/ch_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static const struct ch_config plain = {.database = "default", .async_insert = true};

static void endpoints_become_urls(void **state)
{
    static const struct {
        const char *endpoint, *hosts[3];
        bool is_mapped;
    } cases[] = {
        {"http://ch:8123", {"http://ch:8123/"}, false},
        {"https://ch", {"https://ch/"}, false},
        {"http://ch:8123?secure=true", {"https://ch:8123/"}, false},
        {"tcp://ch:9000", {"http://ch:8123/"}, true},
        {"tcp://ch", {"http://ch:8123/"}, true},
        {"clickhouse://ch:9440?secure=true", {"https://ch:8443/"}, true},
        {"clickhouse://ch:9440", {"https://ch:8443/"}, true},
        {"tcp://ch:9000?secure=true", {"https://ch:8443/"}, true},
        {"tcp://a:9000,tcp://b:9000,c:9000",
         {"http://a:8123/", "http://b:8123/", "http://c:8123/"},
         true},
        {"http://[::1]:8123,b:8124", {"http://[::1]:8123/", "http://b:8124/"}, false},
        {"http://u:p@ch:8123/db?http_path=/proxy", {"http://ch:8123/proxy"}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ch_config config = plain;
        struct ch_target target;
        size_t count = 0;
        config.endpoint = cases[i].endpoint;
        assert_null(ch_target_read(&config, &target));
        for (; count < 3 && cases[i].hosts[count] != NULL; count++) {
            assert_string_equal(target.hosts[count], cases[i].hosts[count]);
        }
        assert_int_equal(target.host_count, count);
        assert_int_equal(target.has_native_ports, cases[i].is_mapped);
        ch_target_release(&target);
    }
}

static void the_user_is_that_of_the_keys_then_of_the_endpoint(void **state)
{
    struct ch_config config = plain;
    struct ch_target target;
    (void)state;
    config.endpoint = "http://us%40er:p%2Fw@ch:8123/d%20b?username=";
    assert_null(ch_target_read(&config, &target));
    assert_string_equal(target.user, "");
    ch_target_release(&target);
    config.endpoint = "http://us%40er:p%2Fw@ch:8123/d%20b";
    assert_null(ch_target_read(&config, &target));
    assert_string_equal(target.user, "us@er");
    assert_string_equal(target.password, "p/w");
    assert_string_equal(target.database, "d b");
    ch_target_release(&target);
    config.username = "own";
    config.database = "otel";
    assert_null(ch_target_read(&config, &target));
    assert_string_equal(target.user, "own");
    assert_string_equal(target.password, "");
    assert_string_equal(target.database, "otel");
    ch_target_release(&target);
}

static void expect_settings(const struct ch_config *config, const char *text)
{
    struct ch_target target;
    assert_null(ch_target_read(config, &target));
    assert_int_equal(target.settings.size, strlen(text));
    assert_memory_equal(target.settings.data, text, strlen(text));
    ch_target_release(&target);
}

static void parameters_are_settings_but_for_the_drivers(void **state)
{
    static const struct hf_string_pair pairs[] = {{"max_execution_time", "60"}, {"debug", "true"}};
    struct ch_config config = plain;
    (void)state;
    config.endpoint = "http://ch?max_execution_time=5&a%20b=c+d&compress=gzip";
    config.connection_params = (struct hf_string_map){pairs, 2};
    expect_settings(&config, "date_time_input_format=best_effort&async_insert=1&"
                             "wait_for_async_insert=1&async_insert_deduplicate=1&"
                             "max_execution_time=60&a%20b=c%20d");
    config.async_insert = false;
    config.json = true;
    config.connection_params.count = 0;
    config.endpoint = "http://ch?date_time_input_format=basic";
    expect_settings(&config, "async_insert=0&type_json_skip_duplicated_paths=1&"
                             "date_time_input_format=basic");
}

static void an_ok_before_the_write_is_noted(void **state)
{
    struct ch_config config = plain;
    struct ch_target target;
    (void)state;
    config.endpoint = "http://ch?wait_for_async_insert=0";
    assert_null(ch_target_read(&config, &target));
    assert_true(target.has_weak_async);
    ch_target_release(&target);
}

static void words_for_compression(void **state)
{
    static const char *const cases[][2] = {
        {NULL, "zstd"},    {"", "zstd"},     {"true", "zstd"},
        {"lz4", "zstd"},   {"zstd", "zstd"}, {"none", "none"},
        {"false", "none"}, {"gzip", "gzip"}, {"deflate", "deflate"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ch_config config = plain;
        struct ch_target target;
        config.endpoint = "http://ch";
        config.compress = cases[i][0];
        assert_null(ch_target_read(&config, &target));
        assert_string_equal(target.compression, cases[i][1]);
        ch_target_release(&target);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    static const char *const cases[][2] = {
        {NULL, "endpoint must be specified"},
        {"", "endpoint must be specified"},
        {"ch:9000", "has to be a URL"},
        {"udp://ch", "the scheme"},
        {"tcp://ch:19000", "http://host:8123"},
        {"http://", "has to be a URL"},
        {"http://a,,b", "a host is missing"},
        {"http://a b", "a host is missing"},
        {"http://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "more than 16 hosts"},
        {"http://ch?connection_open_strategy=best", "connection_open_strategy"},
        {"http://ch?compress=br", "br is not built in"},
        {"http://ch?compress=7z", "compress has to be"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ch_config config = plain;
        struct ch_target target;
        config.endpoint = cases[i][0];
        const char *why = ch_target_read(&config, &target);
        assert_non_null(why);
        assert_non_null(strstr(why, cases[i][1]));
        ch_target_release(&target);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_become_urls),
        cmocka_unit_test(the_user_is_that_of_the_keys_then_of_the_endpoint),
        cmocka_unit_test(parameters_are_settings_but_for_the_drivers),
        cmocka_unit_test(an_ok_before_the_write_is_noted),
        cmocka_unit_test(words_for_compression),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
