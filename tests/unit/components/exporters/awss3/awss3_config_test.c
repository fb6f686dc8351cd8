/* What a configuration of the exporter may be, and what it means. */
#include "components/exporters/awss3/awss3_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

static const struct awss3_config plain = {.s3 = {.region = "us-east-1", .bucket = "b"}};

static void expect(const struct awss3_config *config, const char *text)
{
    const char *why = awss3_check(config);
    if (text == NULL) {
        assert_null(why);
    } else {
        assert_non_null(why);
        assert_non_null(strstr(why, text));
    }
}

static void each_mistake_has_its_sentence(void **state)
{
    struct awss3_config config = plain;
    char region[80];
    (void)state;
    expect(&plain, NULL);
    config.s3.bucket = NULL;
    expect(&config, "s3uploader::s3_bucket or s3uploader::endpoint is required");
    config.s3.endpoint = "https://bucket.store.test";
    expect(&config, NULL);
    config.s3.region = "";
    expect(&config, "s3uploader::region is required");
    memset(region, 'x', sizeof(region));
    region[sizeof(region) - 1] = '\0';
    config.s3.region = region;
    expect(&config, "s3uploader::region is too long");
    config = plain;
    config.encoding = "text";
    expect(&config, "encoding extensions are not built in");
    config = plain;
    config.format = HF_OBJECT_SUMO_IC;
    config.s3.coding = 2;
    expect(&config, "sumo_ic has gzip of its own");
    config.s3.coding = 3; /* "" */
    expect(&config, NULL);
    config = plain;
    config.s3.partition = 1;
    config.s3.partition_format = "%Y";
    expect(&config, "exclude each other");
}

static void a_partition_is_by_minute_hour_or_layout(void **state)
{
    struct awss3_config config = plain;
    (void)state;
    assert_string_equal(awss3_partition_format(&config),
                        "year=%Y/month=%m/day=%d/hour=%H/minute=%M");
    config.s3.partition = 1; /* minute */
    assert_string_equal(awss3_partition_format(&config),
                        "year=%Y/month=%m/day=%d/hour=%H/minute=%M");
    config.s3.partition = 2; /* hour */
    assert_string_equal(awss3_partition_format(&config), "year=%Y/month=%m/day=%d/hour=%H");
    config.s3.partition_format = "";
    assert_string_equal(awss3_partition_format(&config), "");
}

static void the_format_of_sumo_logic_is_gzip(void **state)
{
    static const enum hf_coding codings[] = {HF_IDENTITY, HF_GZIP, HF_ZSTD, HF_IDENTITY};
    struct awss3_config config = plain;
    (void)state;
    for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++) {
        config.s3.coding = (int64_t)i;
        config.format = HF_OBJECT_OTLP_JSON;
        assert_int_equal(awss3_coding(&config), codings[i]);
        config.format = HF_OBJECT_SUMO_IC;
        assert_int_equal(awss3_coding(&config), HF_GZIP);
    }
}

static void headers_are_sent_when_they_say_something(void **state)
{
    struct awss3_config config = plain;
    (void)state;
    assert_null(awss3_acl(&config));
    assert_null(awss3_storage_class(&config)); /* STANDARD is what a store does anyway */
    config.s3.acl = 1;
    config.s3.storage_class = 1;
    assert_string_equal(awss3_acl(&config), "private");
    assert_string_equal(awss3_storage_class(&config), "STANDARD_IA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_has_its_sentence),
        cmocka_unit_test(a_partition_is_by_minute_hour_or_layout),
        cmocka_unit_test(the_format_of_sumo_logic_is_gzip),
        cmocka_unit_test(headers_are_sent_when_they_say_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
