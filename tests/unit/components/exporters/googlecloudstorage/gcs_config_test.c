/* What a configuration of the exporter may be. */
#include "components/exporters/googlecloudstorage/gcs_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static void each_mistake_has_its_sentence(void **state)
{
    static const struct {
        struct gcs_config config;
        const char *text; /* NULL: it is good */
    } cases[] = {
        {{.bucket = {.name = "abc"}}, NULL},
        {{.bucket = {.name = "a.b_c-1"}}, NULL},
        {{.bucket = {.name = NULL}}, "bucket::name is required"},
        {{.bucket = {.name = "ab"}}, "bucket::name has to be"},
        {{.bucket = {.name = "a/b"}}, "bucket::name has to be"},
        {{.bucket = {.name = "Abc"}}, "bucket::name has to be"},
        {{.bucket = {.name = "abc"}, .encoding = "text"}, "encoding extensions are not built in"},
        {{.bucket = {.name = "abc", .compression = 1}, .format = HF_OBJECT_SUMO_IC}, "sumo_ic"},
        {{.bucket = {.name = "abc"}, .hmac = {.access_id = "a"}}, "both"},
        {{.bucket = {.name = "abc"}, .hmac = {.secret = "a"}}, "both"},
        {{.bucket = {.name = "abc"}, .hmac = {"a", "b"}}, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = gcs_check(&cases[i].config);
        if (cases[i].text == NULL) {
            assert_null(why);
        } else {
            assert_non_null(why);
            assert_non_null(strstr(why, cases[i].text));
        }
    }
}

static void codings_of_objects(void **state)
{
    struct gcs_config config = {.bucket = {.compression = 0}};
    (void)state;
    assert_int_equal(gcs_coding(&config), HF_IDENTITY);
    config.bucket.compression = 1;
    assert_int_equal(gcs_coding(&config), HF_GZIP);
    config.bucket.compression = 2;
    assert_int_equal(gcs_coding(&config), HF_ZSTD);
    config.format = HF_OBJECT_SUMO_IC;
    assert_int_equal(gcs_coding(&config), HF_GZIP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_has_its_sentence),
        cmocka_unit_test(codings_of_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
