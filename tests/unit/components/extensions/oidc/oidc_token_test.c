/* Tokens and keys of OpenID Connect. The signatures are PyJWT's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "components/extensions/oidc/oidc_keys.h"
#include "components/extensions/oidc/oidc_token.h"

/* Claims: iss http://i, aud [a, b], nbf 1000, exp 2000, sub me. */
static const struct vector {
    const char *algorithm, *keys, *token;
} vectors[] = {
    {"RS256",
     "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"jYCFLvwCaJI16_"
     "ZA54qzWSo21f2STrGyfukP8ropMCgoJ4ID1dSR0YmbU548C"
     "lveZZQQ9W5BSSf5eOOA_WuNNbPlQajm_rXXUv_TFIR1slHdIM1CK1r5F42jUr2XOThRgN6Tk0ij6gVctSny4tOfv"
     "qHEN_MLk_TBMGwE_1sc3y6u_kn4pmiQ4muNrDJgMJ5LDgGCFXR2wILqNbq2AV9_ezjf1CTUkjy20F7ejXHouhJSO"
     "1rgdQmvrqFTaL2vnROXBEp-_U1ZHksT0AVJpkVgKDhGDJ3tfwpXixmvGQTKfLx_isBywdPP1nzhYHDczWxKj7SfE"
     "drjlyofhSADOTgF6Q\",\"e\":\"AQAB\",\"kid\":\"k\",\"use\":\"sig\"}]}",
     "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vaSIsImF1ZCI6WyJhI"
     "iwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMCwic3ViIjoibWUifQ.Wyt9cFHhRp77U7jqMCn84j4WYA_MFGzn1N"
     "zRmLC7lM5eQWcM-h4kylAsS4SbA8dg_kzE8EU_DAC5IATp1-k19w3veATwEI-HuafQ7AoKmTCOCiSByIvl44zPJe"
     "H1WjXx-TZJStXIzHtmmbNruXKSfhRVH3OcIb5XxWP_y4v7HPGfKRJNr8voJyDP7pxoFMtI7rqxQHhtp37jNEGPoo"
     "tDsuieVq6bAum4PzKcOwzk_i_YVss323cZWN3RvN26NVYN3D7sev4RCXCp7nb5gnrrTX1rQ7Z2C7xMM1snJ6cAqb"
     "i2iMp9VjqsqEwGdCkMJhIHRNQD9VHzALa7gebNRx_2ew"},
    {"PS256",
     "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"p_ty_POyIL0AdF1fZq7zf4cPZhMrqpA-"
     "CxWn5KHSktyjshoNQKPkf0u2B3uA0"
     "15lWLRKIp3RvZgBm-nms6qpfx8GFCGEZBfwLRHeSD7mQ1lRWa1UdjAT4pqEHhK_W9xOkCu48xOC2K8d2T8NbrHcj"
     "GDGokvuGV_L-M0WJjhIXCp8B2M7eU7jh_eXmry4SYJL67T_Ve0ayP6SPkVaeLrXN0fSRQVwTwBYFb4Z1IAt9H-kA"
     "ms7lNv2LlD-HkIJGc20V_yLb4Sky-8hO4oMMeGYOzT1EtolYLUSeRfUjfuPQFxqi4nRVOFgIcDT8X2hA99WkGdHI"
     "gpzWVuZbVE8bLw7Bw\",\"e\":\"AQAB\",\"kid\":\"k\",\"use\":\"sig\"}]}",
     "eyJhbGciOiJQUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vaSIsImF1ZCI6WyJhI"
     "iwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMCwic3ViIjoibWUifQ.O3X_1N9vf2iKl9hU4lcjCor0vRoRY7jImP"
     "9zRucS3enH75ISitqDc8x4cDrnhJvRqwc61HsO5ivqaPrn85qzsEPm-GAaFjkQByOtOdEY6jQARkqdTT9XmV9Wys"
     "mZsLcMMY6TV0oXbYrYhDjAsr1M082uo8afT83XrtyGbPndc_82XyNYO8yEpu3A49NhzsuuEJTXx1Gbbjk2HiVcAh"
     "MYYuQd5UUXQ-VgT9Ooy4Mj4z-lwjuGSw1KpOmzIcfV2KdOZjshS951TaZOyvTejH3leZX4Kcxo5To56UQi0kZcF3"
     "MARHOviIEqQu9XTq9KzCYUcs-7-5oVP4L39oVLoxGTEw"},
    {"ES256",
     "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
     "\"KHkzORrdNnSRoKuhGXHUz3JlRpvoGx5A7eQWMPoDhPY\",\"y\""
     ":\"KvomRwbXebkPxoIprhT8LClYNjz_zrbycNU1-glqHGg\",\"kid\":\"k\",\"use\":\"sig\"}]}",
     "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vaSIsImF1ZCI6WyJhI"
     "iwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMCwic3ViIjoibWUifQ.8JVj66sM4EOUY8QtHr-pnYhXdqXPLK-cRq"
     "muOOzKEJavl_14pqdP-MLOBPFJFh6jKu2l5H8Xq2N-YdVu3RV9vg"},
    {"ES384",
     "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"KEF0i-LOFLpc7xYd4fuCb0QD_DDGt-"
     "X2nGRLngYZ676SzpTv"
     "ItxKidD6mq6NlG7F\",\"y\":\"fqFJ5veuDSBpgW5coqKhB5QxVikohSo4Cpf3Ui9LCBMfS1M-ee9fWsCKCRe5foin\""
     ",\"kid\":\"k\",\"use\":\"sig\"}]}",
     "eyJhbGciOiJFUzM4NCIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vaSIsImF1ZCI6WyJhI"
     "iwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMCwic3ViIjoibWUifQ.6NnMEn7mbsIlcUXAd4M0nsVxlKZBMWVq40"
     "hdZgXqGxv7dnlz21jt0f15yHgl0If6vN933sX3zqwEX-hZl11obwSZ9LOnLeDBGvyQO-bDo6YNQA_e0SvQSHm985"
     "HPD1un"},
    {"ES512",
     "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AVaRuntI_"
     "ufE9IaeNwMjUbjjSWtGVnpiGlbwAZdX_xD53CbT"
     "Ooj-Sx9hPKHNLXJWb-_44uUVkVp6q1p4Mo8p4paP\",\"y\":\"AISj5zhIb4US9cCLQLmD4V1xDRDWKlBo3kU_CiVsu"
     "ekR4JAGflJjE_0b-7DzxnNeTjq1TMTofjt-W9ttKwXtTwLk\",\"kid\":\"k\",\"use\":\"sig\"}]}",
     "eyJhbGciOiJFUzUxMiIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vaSIsImF1ZCI6WyJhI"
     "iwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMCwic3ViIjoibWUifQ.ANBsy8j6B8ZbG9bTPUitEQrd3EPcqarDX-"
     "nTRm98W5wtU9EU1up40F1QABbAEzTzMmNSjieTWrVz2u-p5zn0r5nkAG0ANQWj9T4kyQyhQN6fVvNU_5nCY883RN"
     "XGJ0rz4B2f-b1b8StDNQKaDGjpQj7vyy9sAqWSR6MtYLIz6wRvn4-o"},
    {"EdDSA",
     "{\"keys\":[{\"x\":\"1EbX_5JsVtF6DCvoGSnea1gd-AwU82u0CJbTqkr-oEo\",\"kty\":\"OKP\",\"crv\":"
     "\"Ed25519\","
     "\"kid\":\"k\",\"use\":\"sig\"}]}",
     "eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwOi8vaSIsImF1ZCI6WyJhI"
     "iwiYiJdLCJleHAiOjIwMDAsIm5iZiI6MTAwMCwic3ViIjoibWUifQ.9WrSTzrEkgGZSxAEtegDStTzxef7lFbwQL"
     "eFDC92qRtWZUZb9BbvXhUHFq9bjOTT4z-emkwRela7a4QzqZpvCw"},

};

#define VECTOR_COUNT (sizeof(vectors) / sizeof(vectors[0]))

static void signatures_are_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct oidc_keys *keys = NULL;
        struct oidc_token token;
        assert_int_equal(oidc_keys_read(hf_slice_text(vectors[i].keys), &keys), HF_OK);
        assert_int_equal(oidc_token_read(hf_slice_text(vectors[i].token), &arena, &token), HF_OK);
        assert_true(hf_slice_is(token.algorithm, vectors[i].algorithm));
        assert_true(oidc_keys_has(keys, token.key_id));
        assert_false(oidc_keys_has(keys, hf_slice_text("other")));
        struct hf_slice data = token.signed_part, signature = token.signature;
        assert_true(oidc_keys_verify(keys, token.key_id, token.algorithm, data, signature));
        assert_true(oidc_keys_verify(keys, HF_EMPTY_SLICE, token.algorithm, data, signature));
        data.size--;
        assert_false(oidc_keys_verify(keys, token.key_id, token.algorithm, data, signature));
        data.size++;
        signature.size--;
        assert_false(oidc_keys_verify(keys, token.key_id, token.algorithm, data, signature));
        assert_false(oidc_keys_verify(keys, token.key_id, token.algorithm, data, HF_EMPTY_SLICE));
        oidc_keys_free(keys);
        hf_arena_release(&arena);
    }
}

static void a_key_is_for_its_algorithms_only(void **state)
{
    (void)state;
    static const char *const names[] = {"RS256", "PS256", "ES256", "ES384", "ES512",
                                        "EdDSA", "HS256", "none",  ""};
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct oidc_keys *keys = NULL;
        struct oidc_token token;
        assert_int_equal(oidc_keys_read(hf_slice_text(vectors[i].keys), &keys), HF_OK);
        assert_int_equal(oidc_token_read(hf_slice_text(vectors[i].token), &arena, &token), HF_OK);
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            bool is_own = strcmp(names[j], vectors[i].algorithm) == 0;
            assert_int_equal(oidc_keys_verify(keys, token.key_id, hf_slice_text(names[j]),
                                              token.signed_part, token.signature),
                             is_own);
        }
        oidc_keys_free(keys);
        hf_arena_release(&arena);
    }
}

static void claims_hold_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *issuer, *audience;
        int64_t now_s;
        bool holds;
    } rows[] = {
        {"http://i", "a", 1500, true},  {"http://i", "b", 1500, true},
        {NULL, NULL, 1500, true},       {"http://j", "a", 1500, false},
        {"http://i", "c", 1500, false}, {"http://i", "a", 2000, false},
        {"http://i", "a", 1999, true},  {"http://i", "a", 700, true},
        {"http://i", "a", 699, false},
    };
    struct hf_arena arena = {.limit = 1 << 20};
    struct oidc_token token;
    assert_int_equal(oidc_token_read(hf_slice_text(vectors[0].token), &arena, &token), HF_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(oidc_token_holds(&token, rows[i].issuer, rows[i].audience, rows[i].now_s),
                         rows[i].holds);
    }
    hf_arena_release(&arena);
}

static void other_texts_are_no_tokens(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "a",
                                        "a.b",
                                        "a.b.c",
                                        "e30.e30.",
                                        "e30.e30",
                                        "e30..e30",
                                        ".e30.e30",
                                        "e30.e30.e30.e30",
                                        "e30.W10.AA" /* [] */,
                                        "MQ.e30.AA" /* 1 */,
                                        "e30.e30.***",
                                        "***.e30.AA"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct hf_arena arena = {.limit = 1 << 20};
        struct oidc_token token;
        assert_int_equal(oidc_token_read(hf_slice_text(texts[i]), &arena, &token), HF_INVALID);
        hf_arena_release(&arena);
    }
}

static void sets_without_a_key_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{}",
        "{\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", /* too short */
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}",
        "{\"keys\":[7,null,{\"kty\":[]}]}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct oidc_keys *keys = NULL;
        assert_int_equal(oidc_keys_read(hf_slice_text(texts[i]), &keys), HF_INVALID);
        assert_null(keys);
    }
    oidc_keys_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_verified),
        cmocka_unit_test(a_key_is_for_its_algorithms_only),
        cmocka_unit_test(claims_hold_or_not),
        cmocka_unit_test(other_texts_are_no_tokens),
        cmocka_unit_test(sets_without_a_key_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
