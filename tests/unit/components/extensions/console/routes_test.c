/* Which page answers which path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include <holdfast/control.h>

#include "components/extensions/console/routes.h"

/* Of the graph, which no test here has. */
enum hf_status hf_node_control(const struct hf_node *node, const char *const *words,
                               size_t limit_bytes, struct hf_control_answer *ret_answer)
{
    (void)node;
    (void)words;
    (void)limit_bytes;
    (void)ret_answer;
    return HF_CLOSED;
}

static void finds_pages_by_path_and_method(void **state)
{
    static const struct {
        const char *method, *path;
        bool is_there, is_other;
    } rows[] = {{"GET", "/", true, false},           {"HEAD", "/", true, false},
                {"POST", "/", false, true},          {"PUT", "/", false, true},
                {"GET", "/letters/do", false, true}, {"POST", "/letters/do", true, false},
                {"GET", "/validate", true, true},    {"POST", "/validate", true, true},
                {"GET", "/nothing", false, false},   {"GET", "", false, false},
                {"GET", "/Letters", false, false},   {"get", "/", false, true}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_other = false;
        const struct hf_console_route *route =
            hf_console_route_find(rows[i].method, rows[i].path, &is_other);
        if ((route != NULL) != rows[i].is_there ||
            (route == NULL && is_other != rows[i].is_other)) {
            fail_msg("%s %s", rows[i].method, rows[i].path);
        }
    }
}

static void changes_only_by_post(void **state)
{
    static const char *const changes[] = {"/letters/ask", "/letters/do", "/letters/export"};
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        bool is_other = false;
        assert_null(hf_console_route_find("GET", changes[i], &is_other));
        assert_true(is_other);
        assert_int_equal(hf_console_route_find("POST", changes[i], &is_other)->kind,
                         HF_CONSOLE_CHANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_pages_by_path_and_method),
        cmocka_unit_test(changes_only_by_post),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
