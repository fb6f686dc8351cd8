#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

#include "kubernetes/watch_state.h"

struct fixture {
    struct hf_kube_state state;
    struct hf_arena arena;
    char query[20000];
    unsigned seconds;
};

static void begin_at(struct fixture *fixture, const char *version)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->arena.limit = 1 << 20;
    hf_kube_state_init(&fixture->state, version);
}

static void end(struct fixture *fixture)
{
    hf_kube_state_release(&fixture->state);
    hf_arena_release(&fixture->arena);
}

static const struct hf_json *parsed(struct fixture *fixture, const char *text)
{
    const struct hf_json *value;
    char error[HF_JSON_ERROR_MAX];
    assert_int_equal(hf_json_read(hf_slice_text(text), &fixture->arena, &value, error), HF_OK);
    return value;
}

static const char *ask(struct fixture *fixture)
{
    assert_int_equal(hf_kube_state_begin(&fixture->state, "", 0.5, fixture->query,
                                         sizeof(fixture->query), &fixture->seconds),
                     HF_OK);
    return fixture->query;
}

static enum hf_kube_verdict element(struct fixture *fixture, const char *uid, const char *version)
{
    char text[200];
    snprintf(text, sizeof(text), "{\"metadata\": {\"uid\": \"%s\", \"resourceVersion\": \"%s\"}}",
             uid, version);
    return hf_kube_state_element(&fixture->state, parsed(fixture, text));
}

static enum hf_kube_verdict line(struct fixture *fixture, const char *type, const char *uid,
                                 const char *version)
{
    char text[300], error[HF_ERROR_MAX];
    const struct hf_json *object;
    snprintf(text, sizeof(text),
             "{\"type\": \"%s\", \"object\": {\"metadata\": {\"uid\": \"%s\", \"resourceVersion\": "
             "\"%s\"}}}",
             type, uid, version);
    return hf_kube_state_line(&fixture->state, parsed(fixture, text), &object, error);
}

static enum hf_kube_page page(struct fixture *fixture, const char *metadata)
{
    char text[300];
    snprintf(text, sizeof(text), "{\"metadata\": {%s}}", metadata);
    return hf_kube_state_page(&fixture->state, parsed(fixture, text));
}

/* A list of one page is done. */
static void list(struct fixture *fixture, const char *const *uids, const char *version)
{
    char metadata[100];
    (void)ask(fixture);
    for (; *uids != NULL; uids++) {
        (void)element(fixture, *uids, "1");
    }
    snprintf(metadata, sizeof(metadata), "\"resourceVersion\": \"%s\"", version);
    assert_int_equal(page(fixture, metadata), HF_KUBE_PAGE_LAST);
    const struct hf_kube_end whole = {.was_list = true, .is_whole = true, .code = 200};
    assert_int_equal(hf_kube_state_end(&fixture->state, &whole, 0.5), 0);
}

static void a_list_comes_in_pages_and_then_the_watch(void **state)
{
    struct fixture fixture;
    (void)state;
    begin_at(&fixture, NULL);
    assert_string_equal(ask(&fixture), "resourceVersion=0&limit=500");
    assert_int_equal(element(&fixture, "a", "1"), HF_KUBE_ADDED);
    assert_int_equal(page(&fixture, "\"continue\": \"a/b=\", \"resourceVersion\": \"7\""),
                     HF_KUBE_PAGE_MORE);
    assert_string_equal(ask(&fixture), "limit=500&continue=a%2Fb%3D");
    assert_int_equal(element(&fixture, "b", "2"), HF_KUBE_ADDED);
    assert_int_equal(page(&fixture, "\"resourceVersion\": \"7\""), HF_KUBE_PAGE_LAST);
    assert_string_equal(ask(&fixture),
                        "watch=1&allowWatchBookmarks=true&timeoutSeconds=450&resourceVersion=7");
    assert_true(fixture.seconds > 450);
    end(&fixture);
}

static void a_watch_goes_on_from_the_last_version_that_was_seen(void **state)
{
    struct fixture fixture;
    (void)state;
    begin_at(&fixture, "5");
    (void)ask(&fixture);
    assert_int_equal(line(&fixture, "ADDED", "a", "6"), HF_KUBE_ADDED);
    assert_int_equal(line(&fixture, "MODIFIED", "a", "8"), HF_KUBE_MODIFIED);
    assert_int_equal(line(&fixture, "MODIFIED", "a", "8"), HF_KUBE_SKIP);
    assert_int_equal(line(&fixture, "BOOKMARK", "", "12"), HF_KUBE_SKIP);
    assert_non_null(strstr(ask(&fixture), "resourceVersion=12"));
    assert_int_equal(line(&fixture, "DELETED", "a", "13"), HF_KUBE_DELETED);
    assert_int_equal(line(&fixture, "ADDED", "a", "14"), HF_KUBE_ADDED);
    end(&fixture);
}

static void after_410_what_changed_and_what_vanished_is_shown(void **state)
{
    struct fixture fixture;
    const struct hf_json *object;
    char error[HF_ERROR_MAX], uid[HF_KUBE_UID_MAX];
    size_t cursor = 0;
    (void)state;
    begin_at(&fixture, NULL);
    list(&fixture, (const char *const[]){"a", "b", "c", NULL}, "10");
    (void)ask(&fixture);
    assert_int_equal(
        hf_kube_state_line(&fixture.state,
                           parsed(&fixture, "{\"type\": \"ERROR\", \"object\": {\"code\": 410}}"),
                           &object, error),
        HF_KUBE_BROKEN);
    assert_string_equal(error, "");
    const struct hf_kube_end broken = {.is_whole = true, .is_broken = true, .code = 200};
    assert_true(hf_kube_state_end(&fixture.state, &broken, 0.5) < HF_KUBE_WAIT_LEAST_NS);
    assert_string_equal(ask(&fixture), "resourceVersion=&limit=500");
    assert_int_equal(element(&fixture, "a", "1"), HF_KUBE_SKIP);
    assert_int_equal(element(&fixture, "b", "11"), HF_KUBE_MODIFIED);
    assert_int_equal(element(&fixture, "d", "12"), HF_KUBE_ADDED);
    assert_int_equal(page(&fixture, "\"resourceVersion\": \"20\""), HF_KUBE_PAGE_LAST);
    assert_true(hf_kube_known_sweep(&fixture.state.known, fixture.state.generation, &cursor, uid));
    assert_string_equal(uid, "c");
    assert_false(hf_kube_known_sweep(&fixture.state.known, fixture.state.generation, &cursor, uid));
    end(&fixture);
}

static void an_expired_page_leads_to_a_list_without_pages(void **state)
{
    struct fixture fixture;
    (void)state;
    begin_at(&fixture, NULL);
    (void)ask(&fixture);
    assert_int_equal(page(&fixture, "\"continue\": \"x\""), HF_KUBE_PAGE_MORE);
    (void)ask(&fixture);
    const struct hf_kube_end gone = {.was_list = true, .code = 410};
    (void)hf_kube_state_end(&fixture.state, &gone, 0.5);
    assert_string_equal(ask(&fixture), "resourceVersion=0");
    end(&fixture);
}

static void waits_grow_and_obey_the_server(void **state)
{
    struct fixture fixture;
    const struct hf_kube_end refused = {.was_list = true, .code = 500};
    const struct hf_kube_end busy = {.code = 429, .retry_after_ns = UINT64_C(40000000000)};
    const struct hf_kube_end none = {.code = 0};
    uint64_t before = 0;
    (void)state;
    begin_at(&fixture, NULL);
    for (int i = 0; i < 6; i++) {
        (void)ask(&fixture);
        uint64_t wait_ns = hf_kube_state_end(&fixture.state, &refused, 0.5);
        assert_true(wait_ns > before);
        before = wait_ns;
    }
    for (int i = 0; i < 10; i++) {
        assert_true(hf_kube_state_end(&fixture.state, &refused, 0.99) <=
                    HF_KUBE_WAIT_MOST_NS * 3 / 2);
    }
    end(&fixture);
    begin_at(&fixture, "5");
    (void)ask(&fixture);
    assert_int_equal(hf_kube_state_end(&fixture.state, &busy, 0.5), busy.retry_after_ns);
    (void)ask(&fixture);
    (void)line(&fixture, "ADDED", "a", "6");
    assert_true(hf_kube_state_end(&fixture.state, &none, 0.5) < HF_KUBE_WAIT_LEAST_NS);
    end(&fixture);
}

static void nonsense_ends_a_request(void **state)
{
    static const char *const lines[] = {"{}", "[]", "{\"type\": \"ADDED\"}",
                                        "{\"type\": \"ADDED\", \"object\": {\"metadata\": {}}}"};
    struct fixture fixture;
    (void)state;
    begin_at(&fixture, "5");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const struct hf_json *object;
        char error[HF_ERROR_MAX] = "";
        assert_int_equal(
            hf_kube_state_line(&fixture.state, parsed(&fixture, lines[i]), &object, error),
            HF_KUBE_BROKEN);
        assert_true(error[0] != '\0');
    }
    hf_kube_state_list_again(&fixture.state);
    assert_int_equal(page(&fixture, ""), HF_KUBE_PAGE_BAD);
    end(&fixture);
}

static void many_objects_are_known_and_forgotten(void **state)
{
    struct hf_kube_known known = {0};
    char uid[HF_KUBE_UID_MAX];
    enum hf_kube_finding finding;
    size_t cursor = 0, swept = 0;
    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(uid, sizeof(uid), "uid-%d", i);
        assert_int_equal(hf_kube_known_note(&known, hf_slice_text(uid), hf_slice_text("1"),
                                            (uint32_t)(i % 2), &finding),
                         HF_OK);
        assert_int_equal(finding, HF_KUBE_NEW);
    }
    for (int i = 0; i < 5000; i += 5) {
        snprintf(uid, sizeof(uid), "uid-%d", i);
        assert_true(hf_kube_known_remove(&known, hf_slice_text(uid)));
        assert_false(hf_kube_known_remove(&known, hf_slice_text(uid)));
    }
    while (hf_kube_known_sweep(&known, 1, &cursor, uid)) {
        swept++;
    }
    assert_int_equal(swept, 2000);
    for (int i = 0; i < 5000; i++) {
        snprintf(uid, sizeof(uid), "uid-%d", i);
        assert_int_equal(hf_kube_known_remove(&known, hf_slice_text(uid)),
                         i % 2 == 1 && i % 5 != 0);
    }
    hf_kube_known_release(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_comes_in_pages_and_then_the_watch),
        cmocka_unit_test(a_watch_goes_on_from_the_last_version_that_was_seen),
        cmocka_unit_test(after_410_what_changed_and_what_vanished_is_shown),
        cmocka_unit_test(an_expired_page_leads_to_a_list_without_pages),
        cmocka_unit_test(waits_grow_and_obey_the_server),
        cmocka_unit_test(nonsense_ends_a_request),
        cmocka_unit_test(many_objects_are_known_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
