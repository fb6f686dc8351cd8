#include "components/receivers/mysql/my_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "components/receivers/mysql/my_config.h"
#include "components/receivers/mysql/my_host.h"
#include "tests/support/wanted_all.h"

/* The points that a status of so many variables makes. */
static uint32_t points_of(const char *const (*variables)[2], size_t count)
{
    static struct hf_metric_choice choices[MY_METRIC_COUNT];
    struct hf_points points;
    struct hf_builder builder;
    const struct hf_metric_set metrics = {my_rows, choices, MY_METRIC_COUNT, 0};
    struct my_status status = {.points = &points};
    bool failed = true;
    WANT_METRICS(choices);
    assert_int_equal(hf_points_init(&points, &metrics), HF_OK);
    for (size_t i = 0; i < count; i++) {
        my_status_take(&status, hf_slice_text(variables[i][0]), hf_slice_text(variables[i][1]));
    }
    my_status_end(&status);
    hf_builder_init(&builder, HF_METRICS, 1u << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    uint32_t written = hf_points_write(&points, &builder, 1, 2, &failed);
    assert_false(failed);
    hf_builder_release(&builder);
    hf_points_release(&points);
    return written;
}

static void variables_are_points_and_others_nothing(void **state)
{
    static const char *const known[][2] = {
        {"Bytes_sent", "7"}, {"Queries", "8"}, {"Mysqlx_worker_threads", "2"}};
    static const char *const others[][2] = {
        {"Wsrep_ready", "OFF"},
        {"bytes_sent", "7"},
        {"Queries", "many"},
        {"Innodb_buffer_pool_pages_misc", "18446744073709551599"}}; /* below 0 for the server */
    (void)state;
    assert_int_equal(points_of(known, 3), 3);
    assert_int_equal(points_of(others, 4), 0);
}

static void the_clean_rest_needs_both_numbers(void **state)
{
    static const char *const pages[][2] = {{"Innodb_buffer_pool_pages_data", "10"},
                                           {"Innodb_buffer_pool_pages_dirty", "3"}};
    (void)state;
    assert_int_equal(points_of(pages, 1), 1); /* of mysql.buffer_pool.pages */
    assert_int_equal(points_of(pages, 2), 3);
    assert_int_equal(points_of(pages + 1, 1), 1);
}

static void the_log_and_a_replica_have_one_point_by_either_name(void **state)
{
    static const char *const of_mysql[][2] = {{"Innodb_redo_log_current_lsn", "30"},
                                              {"Innodb_redo_log_checkpoint_lsn", "10"},
                                              {"Replica_open_temp_tables", "2"},
                                              {"Slave_open_temp_tables", "2"}};
    static const char *const of_mariadb[][2] = {{"Innodb_lsn_current", "30"},
                                                {"Innodb_lsn_last_checkpoint", "10"},
                                                {"Slave_open_temp_tables", "2"}};
    (void)state;
    assert_int_equal(points_of(of_mysql, 4), 4);
    assert_int_equal(points_of(of_mariadb, 3), 4);
    assert_int_equal(points_of(of_mariadb, 1), 1); /* no age of a checkpoint */
}

static void a_client_is_its_address_and_port(void **state)
{
    static const struct {
        const char *host, *address;
        int64_t port;
    } cases[] = {
        {"10.0.0.1:5000", "10.0.0.1", 5000},
        {"localhost", "localhost", 0},
        {"[::1]:80", "::1", 80},
        {"fe80::x", "fe80::x", 0},
        {"", "", 0},
        {":1", "", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_slice address;
        int64_t port = -1;
        my_host_split(hf_slice_text(cases[i].host), &address, &port);
        assert_true(hf_slice_is(address, cases[i].address));
        assert_int_equal(port, cases[i].port);
    }
}

static void the_keys_of_tls_are_what_the_library_has(void **state)
{
    struct hf_tls_config keys = {.ca_file = "/ca", .min_version = "1.1", .max_version = "1.2"};
    struct my_config config = {.tls = &keys};
    struct hf_mysql_tls tls;
    char versions[40];
    (void)state;
    assert_ptr_equal(my_config_tls(&config, &tls, versions), &tls);
    assert_string_equal(tls.versions, "TLSv1.1,TLSv1.2");
    assert_string_equal(tls.ca_file, "/ca");
    assert_true(tls.verifies);
    keys = (struct hf_tls_config){.min_version = "1.0", .include_system_ca_certs_pool = true};
    assert_non_null(my_config_tls(&config, &tls, versions));
    assert_string_equal(tls.versions, "TLSv1.0,TLSv1.1,TLSv1.2,TLSv1.3");
    assert_string_equal(tls.ca_file, "/etc/ssl/certs/ca-certificates.crt");
    assert_string_equal(tls.ca_folder, "/etc/ssl/certs");
    keys = (struct hf_tls_config){.ca_file = "/ca", .insecure_skip_verify = true};
    assert_non_null(my_config_tls(&config, &tls, versions));
    assert_true(!tls.verifies && tls.ca_file == NULL);
    keys = (struct hf_tls_config){.insecure = true};
    assert_null(my_config_tls(&config, &tls, versions));
    keys = (struct hf_tls_config){.ca_file = "/ca"};
    config.net.transport = HF_NET_UNIX;
    assert_null(my_config_tls(&config, &tls, versions));
    config = (struct my_config){.tls = NULL};
    assert_null(my_config_tls(&config, &tls, versions));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_points_and_others_nothing),
        cmocka_unit_test(the_clean_rest_needs_both_numbers),
        cmocka_unit_test(the_log_and_a_replica_have_one_point_by_either_name),
        cmocka_unit_test(a_client_is_its_address_and_port),
        cmocka_unit_test(the_keys_of_tls_are_what_the_library_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
