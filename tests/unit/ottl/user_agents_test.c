/* User-Agent headers are known by a table; what is not in it is Other. */
#include "run.h"

static void knows_agents(void **state)
{
    static const struct run_case cases[] = {
        {"UserAgent(\"curl/7.81.0\") == {\"user_agent.name\": \"curl\", \"user_agent.original\": "
         "\"curl/7.81.0\", \"user_agent.version\": \"7.81.0\", \"os.name\": \"Other\"}",
         HF_OTTL_TRUE},
        {"UserAgent(\"Mozilla/5.0 (Windows NT 6.1) Chrome/120.0.6099.71 "
         "Safari/537.36\")[\"os.version\"] == \"7\"",
         HF_OTTL_TRUE},
        {"UserAgent(\"Mozilla/5.0 (Windows NT 6.1) Chrome/120.0.6099.71 "
         "Safari/537.36\")[\"user_agent.name\"] == \"Chrome\"",
         HF_OTTL_TRUE},
        {"UserAgent(\"\")[\"user_agent.name\"] == \"Other\"", HF_OTTL_TRUE},
        {"UserAgent(\"python-requests/2.31.0\")[\"user_agent.version\"] == \"2.31\"", HF_OTTL_TRUE},
        {"UserAgent(attributes[\"n\"]) == {}", HF_OTTL_ERROR},
    };
    (void)state;
    RUN_CASES(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_agents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
