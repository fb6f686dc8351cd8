#include "support/scrape/watch_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_place_comes_back_as_it_was(void **state)
{
    struct hf_watch_place place = {.version = "4711", .time_ns = UINT64_C(1714979289123456789)},
                          back;
    char text[HF_OFFER_PLACE_MAX];
    (void)state;
    hf_watch_place_print(&place, text);
    assert_true(hf_watch_place_read(hf_slice_text(text), &back));
    assert_string_equal(back.version, "4711");
    assert_int_equal(back.time_ns, place.time_ns);
    memset(place.version, 'v', sizeof(place.version) - 1);
    hf_watch_place_print(&place, text);
    assert_true(hf_watch_place_read(hf_slice_text(text), &back));
    assert_string_equal(back.version, place.version);
}

static void what_is_none_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "1 ",
                                        " 1",
                                        "x 1",
                                        "-1 2",
                                        "1x",
                                        "1 vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
                                        "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"};
    struct hf_watch_place place;
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(hf_watch_place_read(hf_slice_text(texts[i]), &place));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_comes_back_as_it_was),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
