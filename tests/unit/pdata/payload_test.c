#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/payload.h"

static const char *const texts[] = {"first piece, ", "second piece, ", "third"};
static const char *const whole = "first piece, second piece, third";
#define COUNT 3

/* The three texts in the codings given; `made` holds what was encoded. */
static void make_pieces(const enum hf_coding codings[COUNT], struct hf_export_body bodies[COUNT],
                        struct hf_bytes made[COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        struct hf_slice text = hf_slice_text(texts[i]);
        made[i] = (struct hf_bytes){0};
        assert_int_equal(hf_encode(codings[i], 0, &text, 1, &made[i]), HF_OK);
        bodies[i] = (struct hf_export_body){.wire = hf_slice_of(made[i].data, made[i].size),
                                            .coding = codings[i],
                                            .items = 1,
                                            .raw_size = text.size};
    }
}

static void release_pieces(struct hf_bytes made[COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        hf_bytes_release(&made[i]);
    }
}

static void assert_is(const struct hf_payload *payload, enum hf_coding coding, const char *expected)
{
    struct hf_bytes joined = {0}, plain = {0};
    for (size_t i = 0; i < payload->count; i++) {
        assert_int_equal(hf_bytes_append(&joined, payload->slices[i]), HF_OK);
    }
    assert_int_equal(joined.size, payload->size);
    assert_int_equal(hf_decode(coding, hf_slice_of(joined.data, joined.size), 10000, &plain),
                     HF_OK);
    assert_int_equal(plain.size, strlen(expected));
    assert_memory_equal(plain.data, expected, plain.size);
    hf_bytes_release(&joined);
    hf_bytes_release(&plain);
}

/* Every mixture of codings in, every coding out, forwarding or not. */
static void joins_pieces_of_any_coding_in_any_coding(void **state)
{
    (void)state;
    struct hf_payload payload = {0};
    for (int mix = 0; mix < HF_CODING_COUNT * HF_CODING_COUNT * HF_CODING_COUNT; mix++) {
        const enum hf_coding codings[COUNT] = {
            (enum hf_coding)(mix % HF_CODING_COUNT),
            (enum hf_coding)(mix / HF_CODING_COUNT % HF_CODING_COUNT),
            (enum hf_coding)(mix / HF_CODING_COUNT / HF_CODING_COUNT)};
        struct hf_export_body bodies[COUNT];
        struct hf_bytes made[COUNT];
        make_pieces(codings, bodies, made);
        for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
            for (int forward = 0; forward < 2; forward++) {
                assert_int_equal(hf_payload_build(&payload, bodies, COUNT, (enum hf_coding)coding,
                                                  0, forward == 1),
                                 HF_OK);
                assert_is(&payload, (enum hf_coding)coding, whole);
            }
        }
        release_pieces(made);
    }
    hf_payload_release(&payload);
}

static void points_at_pieces_that_have_the_coding(void **state)
{
    (void)state;
    static const struct {
        enum hf_coding codings[COUNT];
        enum hf_coding out;
        bool forward;
        size_t count;
        unsigned by_reference; /* bit a slice */
    } rows[] = {
        {{HF_IDENTITY, HF_IDENTITY, HF_IDENTITY}, HF_IDENTITY, false, 3, 7},
        {{HF_IDENTITY, HF_GZIP, HF_IDENTITY}, HF_IDENTITY, false, 3, 5},
        {{HF_ZSTD, HF_ZSTD, HF_ZSTD}, HF_ZSTD, true, 3, 7},
        {{HF_ZSTD, HF_ZSTD, HF_ZSTD}, HF_ZSTD, false, 1, 0},
        {{HF_IDENTITY, HF_GZIP, HF_ZSTD}, HF_ZSTD, true, 2, 2},
        {{HF_GZIP, HF_IDENTITY, HF_GZIP}, HF_GZIP, true, 3, 5},
        {{HF_DEFLATE, HF_DEFLATE, HF_DEFLATE}, HF_DEFLATE, true, 1, 0},
        {{HF_SNAPPY_BLOCK, HF_SNAPPY_BLOCK, HF_SNAPPY_BLOCK}, HF_SNAPPY_BLOCK, true, 1, 0},
    };
    struct hf_payload payload = {0};
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct hf_export_body bodies[COUNT];
        struct hf_bytes made[COUNT];
        make_pieces(rows[r].codings, bodies, made);
        assert_int_equal(hf_payload_build(&payload, bodies, COUNT, rows[r].out, 0, rows[r].forward),
                         HF_OK);
        assert_int_equal(payload.count, rows[r].count);
        for (size_t i = 0; i < payload.count; i++) {
            bool referred = false;
            for (size_t p = 0; p < COUNT; p++) {
                referred = referred || payload.slices[i].data == bodies[p].wire.data;
            }
            assert_int_equal(referred, rows[r].by_reference >> i & 1);
        }
        release_pieces(made);
    }
    hf_payload_release(&payload);
}

static void forwards_a_lone_piece_whatever_its_coding(void **state)
{
    (void)state;
    struct hf_payload payload = {0};
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        const enum hf_coding codings[COUNT] = {(enum hf_coding)coding, HF_IDENTITY, HF_IDENTITY};
        struct hf_export_body bodies[COUNT];
        struct hf_bytes made[COUNT];
        make_pieces(codings, bodies, made);
        assert_int_equal(hf_payload_build(&payload, bodies, 1, (enum hf_coding)coding, 0, false),
                         HF_OK);
        assert_int_equal(payload.count, 1);
        assert_ptr_equal(payload.slices[0].data, bodies[0].wire.data);
        release_pieces(made);
    }
    hf_payload_release(&payload);
}

static void says_corrupt_of_a_piece_that_is_not_what_it_says(void **state)
{
    (void)state;
    struct hf_payload payload = {0};
    const enum hf_coding codings[COUNT] = {HF_GZIP, HF_GZIP, HF_IDENTITY};
    struct hf_export_body bodies[COUNT];
    struct hf_bytes made[COUNT];
    make_pieces(codings, bodies, made);
    bodies[1].raw_size++;
    assert_int_equal(hf_payload_build(&payload, bodies, COUNT, HF_IDENTITY, 0, true), HF_CORRUPT);
    bodies[1].raw_size -= 2;
    assert_int_equal(hf_payload_build(&payload, bodies, COUNT, HF_ZSTD, 0, true), HF_CORRUPT);
    bodies[1].raw_size++;
    made[0].data[12] ^= 0xff;
    assert_int_equal(hf_payload_build(&payload, bodies, COUNT, HF_IDENTITY, 0, true), HF_CORRUPT);
    assert_int_equal(payload.count, 0);
    release_pieces(made);
    hf_payload_release(&payload);
}

static void writes_one_json_text_of_all_pieces(void **state)
{
    (void)state;
    /* Two requests of one empty resource each. */
    static const uint8_t request[] = {0x0a, 0x00};
    struct hf_slice raw = hf_slice_of(request, sizeof(request));
    struct hf_bytes coded = {0};
    assert_int_equal(hf_encode(HF_ZSTD, 0, &raw, 1, &coded), HF_OK);
    const struct hf_export_body bodies[] = {
        {.wire = raw, .coding = HF_IDENTITY, .raw_size = 2},
        {.wire = hf_slice_of(coded.data, coded.size), .coding = HF_ZSTD, .raw_size = 2}};
    struct hf_payload payload = {0};
    static const enum hf_coding codings[] = {HF_IDENTITY, HF_GZIP};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(hf_payload_build_json(&payload, HF_TRACES, bodies, 2, codings[i], 0),
                         HF_OK);
        assert_is(&payload, codings[i], "{\"resourceSpans\":[{},{}]}");
        assert_int_equal(hf_payload_build_json(&payload, HF_TRACES, bodies + 1, 1, codings[i], 0),
                         HF_OK);
        assert_is(&payload, codings[i], "{\"resourceSpans\":[{}]}");
    }
    hf_bytes_release(&coded);
    hf_payload_release(&payload);
    hf_payload_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_pieces_of_any_coding_in_any_coding),
        cmocka_unit_test(points_at_pieces_that_have_the_coding),
        cmocka_unit_test(forwards_a_lone_piece_whatever_its_coding),
        cmocka_unit_test(says_corrupt_of_a_piece_that_is_not_what_it_says),
        cmocka_unit_test(writes_one_json_text_of_all_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
