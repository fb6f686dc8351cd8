#include "support/scrape/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_server_on_this_machine_has_its_name(void **state)
{
    static const char *const here[] = {"localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1"};
    static const char *const elsewhere[] = {"10.0.0.1", "::2", "127.example.com", "db"};
    char machine[HF_INSTANCE_HOST_SIZE], found[HF_INSTANCE_HOST_SIZE];
    (void)state;
    assert_int_equal(gethostname(machine, sizeof(machine)), 0);
    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
        hf_instance_host(here[i], found);
        assert_string_equal(found, machine);
    }
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        hf_instance_host(elsewhere[i], found);
        assert_string_equal(found, elsewhere[i]);
    }
}

static void an_address_with_colons_stands_in_brackets(void **state)
{
    char joined[64];
    (void)state;
    hf_instance_join("db", "3306", joined, sizeof(joined));
    assert_string_equal(joined, "db:3306");
    hf_instance_join("::2", "3306", joined, sizeof(joined));
    assert_string_equal(joined, "[::2]:3306");
}

/* Made with uuid.uuid5() of Python. */
static void a_seed_has_one_uuid(void **state)
{
    static const struct {
        const char *seed, *uuid;
    } cases[] = {
        {"db:3306", "acec5913-5531-5738-896e-2624d87dcef3"},
        {"10.0.0.1:3306", "50fd852f-3c43-5428-a07e-aaa876aa125d"},
        {"", "778f72e5-f77c-594e-9915-b8a66fe1b88d"},
    };
    char found[HF_INSTANCE_UUID_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(hf_instance_uuid(hf_slice_text(cases[i].seed), found), HF_OK);
        assert_string_equal(found, cases[i].uuid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_on_this_machine_has_its_name),
        cmocka_unit_test(an_address_with_colons_stands_in_brackets),
        cmocka_unit_test(a_seed_has_one_uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
