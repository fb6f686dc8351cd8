/* Reviews in, answers out, and the patch between. */
#include "webhook/review.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "webhook/inject.h"

#define HEAD "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{"

struct world {
    struct hf_arena arena;
    struct hf_review review;
    struct hf_bytes out;
    char error[HF_JSON_ERROR_MAX];
};

static enum hf_status read_review(struct world *world, const char *text)
{
    *world = (struct world){.arena.limit = 4 << 20};
    return hf_review_read(hf_slice_text(text), &world->arena, &world->review, world->error);
}

static void end(struct world *world)
{
    hf_arena_release(&world->arena);
    hf_bytes_release(&world->out);
}

static const char *text_of(struct world *world)
{
    assert_int_equal(hf_bytes_append(&world->out, hf_slice_of("", 1)), HF_OK);
    return (const char *)world->out.data;
}

static void only_pods_that_are_made_count(void **state)
{
    static const struct {
        const char *text;
        enum hf_status status;
        bool has_pod;
    } rows[] = {
        {HEAD "\"uid\":\"u\",\"kind\":{\"group\":\"\",\"kind\":\"Pod\"},\"operation\":\"CREATE\","
              "\"object\":{}}}",
         HF_OK, true},
        {HEAD "\"uid\":\"u\",\"kind\":{\"kind\":\"Pod\"},\"operation\":\"UPDATE\",\"object\":{}}}",
         HF_OK, false},
        {HEAD "\"uid\":\"u\",\"kind\":{\"group\":\"x\",\"kind\":\"Pod\"},\"operation\":\"CREATE\","
              "\"object\":{}}}",
         HF_OK, false},
        {HEAD "\"uid\":\"u\",\"kind\":{\"kind\":\"Pod\"},\"operation\":\"CREATE\",\"subResource\":"
              "\"exec\",\"object\":{}}}",
         HF_OK, false},
        {HEAD "\"uid\":\"u\",\"kind\":{\"kind\":\"Pod\"},\"operation\":\"CREATE\"}}", HF_OK, false},
        {HEAD "\"uid\":\"u\"}}", HF_OK, false},
        {HEAD "\"kind\":{\"kind\":\"Pod\"}}}", HF_INVALID, false},
        {"{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\",\"request\":{"
         "\"uid\":\"u\"}}",
         HF_INVALID, false},
        {"{\"kind\":\"Pod\"}", HF_INVALID, false},
        {"[]", HF_INVALID, false},
        {"{", HF_INVALID, false},
        {"", HF_INVALID, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        assert_int_equal(read_review(&world, rows[i].text), rows[i].status);
        assert_true(rows[i].status != HF_OK || (world.review.pod != NULL) == rows[i].has_pod);
        assert_true(rows[i].status == HF_OK || world.error[0] != '\0');
        end(&world);
    }
}

static void a_review_that_is_too_large_is_refused(void **state)
{
    struct hf_arena arena = {.limit = 64};
    struct hf_review review;
    char error[HF_JSON_ERROR_MAX];
    (void)state;
    assert_int_not_equal(
        hf_review_read(hf_slice_text(HEAD "\"uid\":\"u\",\"object\":[1,2,3,4,5,6,7,8"
                                          ",9,10,11,12,13,14,15,16]}}"),
                       &arena, &review, error),
        HF_OK);
    hf_arena_release(&arena);
}

static void an_answer_allows_always(void **state)
{
    struct world world;
    (void)state;
    assert_int_equal(read_review(&world, HEAD "\"uid\":\"a\\\"b\"}}"), HF_OK);
    assert_int_equal(hf_review_answer(&world.review, HF_EMPTY_SLICE, "", &world.out), HF_OK);
    assert_string_equal(text_of(&world),
                        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                        "\"response\":{\"uid\":\"a\\\"b\",\"allowed\":true}}");
    world.out.size = 0;
    assert_int_equal(hf_review_answer(&world.review, hf_slice_text("[]"), "why", &world.out),
                     HF_OK);
    assert_string_equal(text_of(&world),
                        "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                        "\"response\":{\"uid\":\"a\\\"b\",\"allowed\":true,\"patchType\":"
                        "\"JSONPatch\",\"patch\":\"W10=\",\"warnings\":[\"why\"]}}");
    end(&world);
}

/* ---- the patch ---- */

static const struct hf_webhook_settings settings = {.image = "holdfast:1",
                                                    .own_namespace = "observability",
                                                    .config_map = "holdfast-sidecar",
                                                    .queue_size = "4Gi"};

static const struct hf_json *read_pod(struct world *world, const char *text)
{
    const struct hf_json *pod = NULL;
    *world = (struct world){.arena.limit = 4 << 20};
    assert_int_equal(hf_json_read(hf_slice_text(text), &world->arena, &pod, world->error), HF_OK);
    return pod;
}

static const char *inject(struct world *world, const struct hf_json *pod, bool is_native)
{
    const struct hf_inject_config config = {.text = hf_slice_text("receivers: {}\n"),
                                            .about = hf_slice_text("a test")};
    const struct hf_inject_options options = {.settings = &settings,
                                              .config = &config,
                                              .pod = pod,
                                              .namespace = hf_slice_text("shop"),
                                              .is_native = is_native};
    const struct hf_json *patch = NULL;
    assert_int_equal(hf_inject(&options, &world->out), HF_OK);
    assert_int_equal(hf_json_read(hf_slice_of(world->out.data, world->out.size), &world->arena,
                                  &patch, world->error),
                     HF_OK);
    assert_int_equal(patch->kind, HF_JSON_LIST);
    return text_of(world);
}

/* Is each of the texts there, in this order? */
static void expect(const char *text, const char *const *parts)
{
    for (size_t i = 0; parts[i] != NULL; i++) {
        text = strstr(text, parts[i]);
        assert_non_null(text);
    }
}

static void what_is_missing_in_a_bare_pod_is_made_first(void **state)
{
    static const char *const parts[] = {
        "\"path\":\"/metadata/annotations\",\"value\":{}",
        "\"path\":\"/metadata/annotations/sidecar.holdfast.dev~1injected\",\"value\":\"a test\"",
        "\"path\":\"/spec/volumes\",\"value\":[]",
        "\"path\":\"/spec/volumes/-\"",
        "\"path\":\"/spec/containers/0/env\",\"value\":[]",
        "\"path\":\"/spec/containers/0/env/-\"",
        "\"path\":\"/spec/initContainers\",\"value\":[]",
        "\"path\":\"/spec/initContainers/0\"",
        "\"restartPolicy\":\"Always\"",
        NULL};
    struct world world;
    const struct hf_json *pod =
        read_pod(&world, "{\"spec\":{\"containers\":[{\"name\":\"app\"}],\"volumes\":null}}");
    (void)state;
    expect(inject(&world, pod, true), parts);
    end(&world);
}

static void what_is_there_stays(void **state)
{
    struct world world;
    const struct hf_json *pod = read_pod(
        &world,
        "{\"metadata\":{\"annotations\":{\"a\":\"b\"}},\"spec\":{\"volumes\":[{\"name\":\"v\"}],"
        "\"containers\":[{\"name\":\"app\",\"env\":[{\"name\":\"OTEL_SERVICE_NAME\",\"value\":"
        "\"x\"}]}]}}");
    (void)state;
    const char *patch = inject(&world, pod, false);
    assert_null(strstr(patch, "\"path\":\"/metadata/annotations\","));
    assert_null(strstr(patch, "\"path\":\"/spec/volumes\","));
    assert_null(strstr(patch, "\"path\":\"/spec/containers/0/env\","));
    assert_null(strstr(patch, "OTEL_SERVICE_NAME"));
    assert_null(strstr(patch, "initContainers"));
    assert_non_null(strstr(patch, "\"path\":\"/spec/containers/-\""));
    end(&world);
}

static void a_pod_that_has_it_is_known(void **state)
{
    static const struct {
        const char *pod;
        bool is_there;
    } rows[] = {
        {"{}", false},
        {"{\"spec\":{\"containers\":[{\"name\":\"app\"}]}}", false},
        {"{\"spec\":{\"containers\":[{\"name\":\"app\"},{\"name\":\"holdfast\"}]}}", true},
        {"{\"spec\":{\"initContainers\":[{\"name\":\"holdfast\"}]}}", true},
        {"{\"metadata\":{\"annotations\":{\"sidecar.holdfast.dev/injected\":\"x\"}}}", true},
        {"{\"spec\":{\"containers\":3}}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        assert_int_equal(hf_inject_is_there(read_pod(&world, rows[i].pod)), rows[i].is_there);
        end(&world);
    }
}

static void what_stands_against_it_is_told(void **state)
{
    static const char job[] = "{\"metadata\":{\"ownerReferences\":[{\"kind\":\"Job\"}]}}";
    struct world world;
    (void)state;
    assert_null(hf_inject_hindrance(read_pod(&world, "{}"), false));
    end(&world);
    assert_non_null(hf_inject_hindrance(read_pod(&world, job), false));
    end(&world);
    assert_null(hf_inject_hindrance(read_pod(&world, job), true));
    end(&world);
    assert_non_null(
        hf_inject_hindrance(read_pod(&world, "{\"spec\":{\"hostNetwork\":true}}"), true));
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_pods_that_are_made_count),
        cmocka_unit_test(a_review_that_is_too_large_is_refused),
        cmocka_unit_test(an_answer_allows_always),
        cmocka_unit_test(what_is_missing_in_a_bare_pod_is_made_first),
        cmocka_unit_test(what_is_there_stays),
        cmocka_unit_test(a_pod_that_has_it_is_known),
        cmocka_unit_test(what_stands_against_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
