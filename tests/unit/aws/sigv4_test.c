/* Signatures, beside those that AWS publishes for its own examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "aws/sigv4.h"
#include "util/compress/compress.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define S3_TIME 1369353600u    /* 20130524T000000Z */
#define SUITE_TIME 1440938160u /* 20150830T123600Z */

static const struct hf_aws_credentials s3 = {
    .access_key = "AKIAIOSFODNN7EXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
static const struct hf_aws_credentials suite = {
    .access_key = "AKIDEXAMPLE", .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

#define HEADER(a, b)                                                                               \
    {                                                                                              \
        .name = {(const uint8_t *)(a), sizeof(a) - 1}, .value = {                                  \
            (const uint8_t *)(b),                                                                  \
            sizeof(b) - 1                                                                          \
        }                                                                                          \
    }

static const struct hf_header range[] = {HEADER("range", "bytes=0-9"),
                                         HEADER("user-agent", "not signed")};
static const struct hf_header storage[] = {HEADER("date", "Fri, 24 May 2013 00:00:00 GMT"),
                                           HEADER("x-amz-storage-class", "REDUCED_REDUNDANCY")};

static const struct {
    const struct hf_aws_credentials *credentials;
    struct hf_sigv4_request request;
    const char *signature;
} published[] = {
    {&s3,
     {.method = "GET",
      .url = "https://examplebucket.s3.amazonaws.com/test.txt",
      .region = "us-east-1",
      .service = "s3",
      .headers = range,
      .header_count = 2,
      .payload_sha256 = EMPTY,
      .time_s = S3_TIME,
      .has_payload_header = true},
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {&s3,
     {.method = "PUT",
      .url = "https://examplebucket.s3.amazonaws.com/test%24file.text",
      .region = "us-east-1",
      .service = "s3",
      .headers = storage,
      .header_count = 2,
      .payload_sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      .time_s = S3_TIME,
      .has_payload_header = true},
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {&s3,
     {.method = "GET",
      .url = "https://examplebucket.s3.amazonaws.com/?lifecycle",
      .region = "us-east-1",
      .service = "s3",
      .payload_sha256 = EMPTY,
      .time_s = S3_TIME,
      .has_payload_header = true},
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {&s3,
     {.method = "GET",
      .url = "https://examplebucket.s3.amazonaws.com:443/?prefix=J&max-keys=2",
      .region = "us-east-1",
      .service = "s3",
      .payload_sha256 = EMPTY,
      .time_s = S3_TIME,
      .has_payload_header = true},
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {&suite,
     {.method = "GET",
      .url = "http://example.amazonaws.com",
      .region = "us-east-1",
      .service = "service",
      .payload_sha256 = EMPTY,
      .time_s = SUITE_TIME},
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
};

static void published_signatures_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        struct hf_sigv4 made;
        assert_int_equal(hf_sigv4_sign(published[i].credentials, &published[i].request, &made),
                         HF_OK);
        const char *found = strstr(made.authorization, "Signature=");
        assert_non_null(found);
        assert_string_equal(found + strlen("Signature="), published[i].signature);
    }
}

static void the_parts_of_the_header_stand_in_order(void **state)
{
    (void)state;
    struct hf_sigv4 made;
    struct hf_aws_credentials credentials = suite;
    snprintf(credentials.session_token, sizeof(credentials.session_token), "token");
    const struct hf_sigv4_request request = {.method = "POST",
                                             .url = "https://user@h:8443/a%20b?x",
                                             .region = "eu-west-1",
                                             .service = "aps",
                                             .payload_sha256 = EMPTY,
                                             .time_s = SUITE_TIME};
    assert_int_equal(hf_sigv4_sign(&credentials, &request, &made), HF_OK);
    assert_string_equal(made.date, "20150830T123600Z");
    static const char wanted[] =
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/aps/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=";
    assert_memory_equal(made.authorization, wanted, sizeof(wanted) - 1);
}

static void what_cannot_be_signed_is_refused(void **state)
{
    (void)state;
    struct hf_sigv4 made;
    char region[1024];
    memset(region, 'r', sizeof(region) - 1);
    region[sizeof(region) - 1] = '\0';
    struct hf_sigv4_request request = {
        .method = "GET", .url = "nowhere", .region = "r", .service = "s", .payload_sha256 = EMPTY};
    assert_int_equal(hf_sigv4_sign(&suite, &request, &made), HF_INVALID);
    request.url = "http:///path";
    assert_int_equal(hf_sigv4_sign(&suite, &request, &made), HF_INVALID);
    request.url = "http://host";
    request.region = region;
    assert_int_equal(hf_sigv4_sign(&suite, &request, &made), HF_INVALID);
}

/* The first is of the documentation of S3, the others are made by botocore 1.44.8. */
static void urls_are_signed(void **state)
{
    static const char msk[] =
        "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect";
    static const struct {
        const struct hf_aws_credentials *credentials;
        const char *token;
        struct hf_sigv4_request request;
        uint32_t expires_s;
        const char *url, *signature;
    } rows[] = {
        {&s3,
         "",
         {.method = "GET",
          .url = "https://examplebucket.s3.amazonaws.com/test.txt",
          .region = "us-east-1",
          .service = "s3",
          .payload_sha256 = "UNSIGNED-PAYLOAD",
          .time_s = S3_TIME},
         86400,
         "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
         "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
         "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
         "&X-Amz-Signature=",
         "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"},
        {&suite,
         "",
         {.method = "GET",
          .url = msk,
          .region = "eu-west-1",
          .service = "kafka-cluster",
          .payload_sha256 = EMPTY,
          .time_s = SUITE_TIME},
         900,
         "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=",
         "f28e8f5d58461eadd7f29727b37c00ba271af034a7d0c0c1510fa07467b22862"},
        {&suite,
         "session/token+with=marks",
         {.method = "GET",
          .url = msk,
          .region = "eu-west-1",
          .service = "kafka-cluster",
          .payload_sha256 = EMPTY,
          .time_s = SUITE_TIME},
         900,
         "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=",
         "831922730c5a5dd5515e56ba4a0ed18a1046c7f77fd6b360cfe3f9fabc91461d"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_bytes url = {0};
        struct hf_aws_credentials credentials = *rows[i].credentials;
        snprintf(credentials.session_token, sizeof(credentials.session_token), "%s", rows[i].token);
        assert_int_equal(hf_sigv4_presign(&credentials, &rows[i].request, rows[i].expires_s, &url),
                         HF_OK);
        assert_true(url.size >= strlen(rows[i].url) + 64);
        assert_memory_equal(url.data, rows[i].url, strlen(rows[i].url));
        assert_memory_equal(url.data + url.size - 64, rows[i].signature, 64);
        hf_bytes_release(&url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures_come_out),
        cmocka_unit_test(the_parts_of_the_header_stand_in_order),
        cmocka_unit_test(urls_are_signed),
        cmocka_unit_test(what_cannot_be_signed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
