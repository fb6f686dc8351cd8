/* The service and region of hosts of AWS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those before it */

#include "aws/host_scope.h"

static void hosts_say_service_and_region(void **state)
{
    (void)state;
    static const struct {
        const char *url, *service, *region; /* NULL: none */
    } rows[] = {
        {"https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write",
         "aps", "eu-west-1"},
        {"https://aps-workspaces-fips.us-gov-west-1.amazonaws.com:443/x", "aps", "us-gov-west-1"},
        {"https://search-my-domain-abc.us-east-2.es.amazonaws.com", "es", "us-east-2"},
        {"https://logs.us-east-1.amazonaws.com/v1/logs", "logs", "us-east-1"},
        {"https://XRay.us-east-1.amazonaws.com/v1/traces", "xray", "us-east-1"},
        {"https://monitoring.ap-south-1.amazonaws.com/v1/metrics", "monitoring", "ap-south-1"},
        {"https://example.com/aps-workspaces.eu-west-1.amazonaws.com", NULL, NULL},
        {"http://127.0.0.1:4318/v1/logs", NULL, NULL},
        {"https://aps-workspaces", NULL, NULL},
        {"https://aps-workspaces/a.b.c", NULL, NULL},
        {"https://logs.local:4318/v1/logs", NULL, NULL},
        {"https://logs..amazonaws.com", NULL, NULL},
        {"https://logs.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com",
         NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_aws_host_scope scope;
        bool found = hf_aws_host_scope(rows[i].url, &scope);
        assert_int_equal(found, rows[i].service != NULL);
        assert_string_equal(scope.service, found ? rows[i].service : "");
        assert_string_equal(scope.region, found ? rows[i].region : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_say_service_and_region),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
