#include "support/discovery/docker_images.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <holdfast/component.h>

static void patterns_say_what_is_left_out(void **state)
{
    static const struct {
        const char *patterns[3];
        const char *image;
        bool matches;
    } rows[] = {
        {{NULL}, "a", false},
        {{"a"}, "a", true},
        {{"a"}, "ab", false},
        {{"team/*"}, "team/app:1", true},
        {{"team/*"}, "other/app:1", false},
        {{"app:?"}, "app:1", true},
        {{"/^app:[0-9]+$/"}, "app:12", true},
        {{"/^app:[0-9]+$/"}, "app:x", false},
        {{"*", "!keep"}, "keep", false},
        {{"*", "!keep"}, "drop", true},
        {{"*", "!/^keep/"}, "keep-2", false},
        {{"!keep"}, "other", false},
        {{"/"}, "/", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_docker_images *images;
        char error[HF_ERROR_MAX];
        size_t count = 0;
        while (count < 3 && rows[i].patterns[count] != NULL) {
            count++;
        }
        const struct hf_string_list list = {.items = rows[i].patterns, .count = count};
        assert_int_equal(hf_docker_images_new(&list, &images, error), HF_OK);
        assert_int_equal(hf_docker_images_match(images, hf_slice_text(rows[i].image)),
                         rows[i].matches);
        hf_docker_images_free(images);
    }
    hf_docker_images_free(NULL);
}

static void a_wrong_pattern_is_named(void **state)
{
    static const char *const patterns[] = {"good", "/(/"};
    const struct hf_string_list list = {.items = patterns, .count = 2};
    struct hf_docker_images *images = NULL;
    char error[HF_ERROR_MAX];
    (void)state;
    assert_int_equal(hf_docker_images_new(&list, &images, error), HF_INVALID);
    assert_non_null(strstr(error, "excluded_images[1]: /(/"));
    assert_null(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_say_what_is_left_out),
        cmocka_unit_test(a_wrong_pattern_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
