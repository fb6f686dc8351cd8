#include "components/receivers/kubeletstats/pods.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char text[] =
    "{\"items\":[{\"metadata\":{\"uid\":\"other\"}},{\"metadata\":{\"uid\":\"u\"},\"spec\":{"
    "\"containers\":[{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":\"2\",\"memory\":\"1Ki\"},"
    "\"requests\":{\"cpu\":\"100m\"}}},{\"name\":\"b\",\"resources\":{\"limits\":{\"cpu\":1}}}],"
    "\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]},\"status\":{"
    "\"containerStatuses\":[{\"name\":\"a\",\"containerID\":\"cri-o://x://y\"},"
    "{\"name\":\"b\"}],\"initContainerStatuses\":[{\"name\":\"i\",\"containerID\":\"plain\"}]}}]}";

struct fixture {
    struct hf_arena arena;
    const struct hf_json *list, *pod;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    char error[HF_JSON_ERROR_MAX];
    fixture = (struct fixture){.arena = {.limit = 1 << 20}};
    assert_int_equal(hf_json_read(hf_slice_text(text), &fixture.arena, &fixture.list, error),
                     HF_OK);
    fixture.pod = kubelet_pod_find(fixture.list, hf_slice_text("u"));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    hf_arena_release(&((struct fixture *)*state)->arena);
    return 0;
}

static void finds_a_pod_by_its_uid(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(fixture->pod);
    assert_null(kubelet_pod_find(fixture->list, hf_slice_text("none")));
    assert_null(kubelet_pod_find(NULL, hf_slice_text("u")));
}

static void knows_what_a_container_may_use(void **state)
{
    struct fixture *fixture = *state;
    struct kubelet_limits a = kubelet_pod_container_limits(fixture->pod, hf_slice_text("a"));
    struct kubelet_limits b = kubelet_pod_container_limits(fixture->pod, hf_slice_text("b"));
    struct kubelet_limits none = kubelet_pod_container_limits(NULL, hf_slice_text("a"));
    assert_true(a.cpu_limit == 2 && a.cpu_request == 0.1 && a.memory_limit == 1024);
    assert_true(b.cpu_limit == 1 && b.cpu_request == 0 && b.memory_limit == 0);
    assert_true(none.cpu_limit == 0 && none.memory_request == 0);
}

static void sums_only_what_all_containers_have(void **state)
{
    struct fixture *fixture = *state;
    struct kubelet_limits sum = kubelet_pod_limits(fixture->pod);
    assert_true(sum.cpu_limit == 3);
    assert_true(sum.cpu_request == 0 && sum.memory_limit == 0 && sum.memory_request == 0);
}

static void cuts_the_runtime_off_an_id(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name, *id;
    } rows[] = {{"a", "x://y"}, {"b", ""}, {"i", "plain"}, {"none", ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice id = kubelet_pod_container_id(fixture->pod, hf_slice_text(rows[i].name));
        assert_true(hf_slice_is(id, rows[i].id));
    }
}

static void finds_a_volume(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(hf_json_get(kubelet_pod_volume(fixture->pod, hf_slice_text("v")), "emptyDir"));
    assert_null(kubelet_pod_volume(fixture->pod, hf_slice_text("w")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_a_pod_by_its_uid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_what_a_container_may_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sums_only_what_all_containers_have, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_the_runtime_off_an_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_a_volume, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
