#include "components/exporters/loadbalancing/lb_service_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void reads_names_with_and_without_a_namespace(void **state)
{
    static const struct {
        const char *text, *name, *name_space; /* NULL: refused */
    } rows[] = {
        {"gateway", "gateway", ""},
        {"gateway.tracing", "gateway", "tracing"},
        {"gateway.tracing.svc.cluster.local", "gateway", "tracing"},
        {"", NULL, NULL},
        {".tracing", NULL, NULL},
        {"gateway.", NULL, NULL},
        {"gateway..svc.x", NULL, NULL},
        {"gateway.tracing.svc", NULL, NULL},
        {"gateway.tracing.pod.cluster.local", NULL, NULL},
        {"a123456789012345678901234567890123456789012345678901234567890123", NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lb_service_name name;
        bool good = lb_service_name_parse(rows[i].text, &name);
        assert_int_equal(good, rows[i].name != NULL);
        if (good) {
            assert_string_equal(name.name, rows[i].name);
            assert_string_equal(name.name_space, rows[i].name_space);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_names_with_and_without_a_namespace),
    };
    return cmocka_run_group_tests_name("lb_service_name", tests, NULL, NULL);
}
