/* Addresses of buckets and keys, and the texts of answers. */
#include "aws/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "util/loop.h"

static void buckets_and_keys_become_urls(void **state)
{
    static const struct {
        const char *region, *endpoint;
        bool path_style, plain;
        const char *bucket, *key, *query, *url;
    } rows[] = {
        {"eu-west-1", NULL, false, false, "logs", "a/b", NULL,
         "https://logs.s3.eu-west-1.amazonaws.com/a/b"},
        {"cn-north-1", "", false, false, "logs", "a", NULL,
         "https://logs.s3.cn-north-1.amazonaws.com.cn/a"},
        {"eu-west-1", NULL, true, true, "logs", "a", "uploads",
         "http://s3.eu-west-1.amazonaws.com/logs/a?uploads"},
        {"r", "minio:9000", false, true, "logs", "k=1/x y+%", NULL,
         "http://logs.minio:9000/k%3D1/x%20y%2B%25"},
        {"r", "http://127.0.0.1:9000/", false, false, "logs", "a", NULL,
         "http://127.0.0.1:9000/logs/a"},
        {"r", "https://[::1]:9000", false, false, "logs", "", "list-type=2",
         "https://[::1]:9000/logs?list-type=2"},
        /* No name of a host with these. */
        {"r", "https://minio", false, false, "a.b", "k", NULL, "https://minio/a.b/k"},
        {"r", "http://minio", false, false, "a.b", "k", NULL, "http://a.b.minio/k"},
        {"r", "https://minio", false, false, "Big/../x", "k", NULL, "https://minio/Big/../x/k"},
        {"r", "https://minio", false, false, "a@evil", "k", NULL, "https://minio/a%40evil/k"},
        {"r", "https://logs.minio", false, false, "", "k", NULL, "https://logs.minio/k"},
    };
    struct hf_loop *loop = NULL;
    (void)state;
    assert_int_equal(hf_loop_new(&loop), HF_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char error[512] = "", url[HF_S3_URL_MAX];
        struct hf_s3 *s3 = NULL;
        const struct hf_s3_options options = {.loop = loop,
                                              .region = rows[i].region,
                                              .endpoint = rows[i].endpoint,
                                              .force_path_style = rows[i].path_style,
                                              .disable_ssl = rows[i].plain};
        assert_int_equal(hf_s3_new(&options, &s3, error), HF_OK);
        assert_int_equal(hf_s3_url(s3, rows[i].bucket, rows[i].key, rows[i].query, url), HF_OK);
        assert_string_equal(url, rows[i].url);
        hf_s3_free(s3);
    }
    hf_loop_free(loop);
}

static void urls_have_a_limit(void **state)
{
    struct hf_loop *loop = NULL;
    struct hf_s3 *s3 = NULL;
    char error[512] = "", url[HF_S3_URL_MAX], key[HF_S3_URL_MAX];
    const struct hf_s3_options options = {.region = "r", .endpoint = "http://minio"};
    (void)state;
    assert_int_equal(hf_loop_new(&loop), HF_OK);
    struct hf_s3_options with_loop = options;
    with_loop.loop = loop;
    assert_int_equal(hf_s3_new(&with_loop, &s3, error), HF_OK);
    memset(key, ' ', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    assert_int_equal(hf_s3_url(s3, "b", key, NULL, url), HF_TOO_LARGE);
    hf_s3_free(s3);
    with_loop.endpoint = "http://";
    assert_int_equal(hf_s3_new(&with_loop, &s3, error), HF_INVALID);
    hf_loop_free(loop);
}

static void texts_of_answers_are_read_one_by_one(void **state)
{
    struct hf_slice xml = hf_slice_text("<L><Key>a&amp;b&lt;&quot;</Key><Size>1</Size>"
                                        "<Key>second</Key><Key></Key></L>");
    char text[16];
    (void)state;
    assert_true(hf_s3_next_text(&xml, "Key", text, sizeof(text)));
    assert_string_equal(text, "a&b<\"");
    assert_true(hf_s3_next_text(&xml, "Key", text, sizeof(text)));
    assert_string_equal(text, "second");
    assert_true(hf_s3_next_text(&xml, "Key", text, sizeof(text)));
    assert_string_equal(text, "");
    assert_false(hf_s3_next_text(&xml, "Key", text, sizeof(text)));
    xml = hf_slice_text("<Key>longer</Key>");
    assert_false(hf_s3_next_text(&xml, "Key", text, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_and_keys_become_urls),
        cmocka_unit_test(urls_have_a_limit),
        cmocka_unit_test(texts_of_answers_are_read_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
