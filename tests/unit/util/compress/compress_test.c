#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/compress/compress.h"
#include "util/compress/gzip_stream.h"

static const enum hf_coding coded[] = {HF_GZIP, HF_ZSTD, HF_SNAPPY_FRAMED, HF_DEFLATE,
                                       HF_SNAPPY_BLOCK};
#define CODED (sizeof(coded) / sizeof(coded[0]))

/* Letters of a small alphabet, each line of 32 said twice: every coding makes it shorter. */
static uint8_t *make_text(size_t size)
{
    uint8_t *text = malloc(size + 1);
    assert_non_null(text);
    uint32_t seed = 12345;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        text[i] = i % 64 >= 32 ? text[i - 32] : (uint8_t)('a' + (seed >> 24) % 16);
    }
    return text;
}

static void encode(enum hf_coding coding, struct hf_slice text, struct hf_bytes *out)
{
    assert_int_equal(hf_encode(coding, 0, &text, 1, out), HF_OK);
}

static void assert_decodes(enum hf_coding coding, struct hf_slice in, size_t limit,
                           struct hf_slice text)
{
    struct hf_bytes out = {0};
    assert_int_equal(hf_decode(coding, in, limit, &out), HF_OK);
    assert_int_equal(out.size, text.size);
    assert_true(text.size == 0 || memcmp(out.data, text.data, text.size) == 0);
    hf_bytes_release(&out);
}

static void assert_refuses(enum hf_coding coding, struct hf_slice in, size_t limit,
                           enum hf_status expected)
{
    /* In a block of its very size, so that reading past its end is seen. */
    uint8_t *exact = malloc(in.size == 0 ? 1 : in.size);
    assert_non_null(exact);
    if (in.size != 0) {
        memcpy(exact, in.data, in.size);
    }
    struct hf_bytes out = {0};
    assert_int_equal(hf_decode(coding, hf_slice_of(exact, in.size), limit, &out), expected);
    assert_int_equal(out.size, 0);
    hf_bytes_release(&out);
    free(exact);
}

static void gives_back_what_was_put_in(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 17, 1000, 65535, 65536, 65537, 1000000};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        uint8_t *text = make_text(sizes[s]);
        for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
            struct hf_bytes out = {0};
            encode((enum hf_coding)coding, hf_slice_of(text, sizes[s]), &out);
            assert_decodes((enum hf_coding)coding, hf_slice_of(out.data, out.size), sizes[s],
                           hf_slice_of(text, sizes[s]));
            if (sizes[s] >= 1000 && coding != HF_IDENTITY) {
                assert_true(out.size < sizes[s] * 4 / 5 + 200);
            }
            hf_bytes_release(&out);
        }
        free(text);
    }
}

static void takes_pieces_as_one_text(void **state)
{
    (void)state;
    size_t size = 300000;
    uint8_t *text = make_text(size);
    const struct hf_slice pieces[] = {hf_slice_of(text, 1), HF_EMPTY_SLICE,
                                      hf_slice_of(text + 1, 99999),
                                      hf_slice_of(text + 100000, 200000), HF_EMPTY_SLICE};
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        struct hf_bytes out = {0};
        assert_int_equal(hf_encode((enum hf_coding)coding, 0, pieces, 5, &out), HF_OK);
        assert_decodes((enum hf_coding)coding, hf_slice_of(out.data, out.size), size,
                       hf_slice_of(text, size));
        hf_bytes_release(&out);
    }
    free(text);
}

static void encodes_no_pieces_as_an_empty_text(void **state)
{
    (void)state;
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        struct hf_bytes out = {0};
        assert_int_equal(hf_encode((enum hf_coding)coding, 0, NULL, 0, &out), HF_OK);
        assert_decodes((enum hf_coding)coding, hf_slice_of(out.data, out.size), 0, HF_EMPTY_SLICE);
        hf_bytes_release(&out);
    }
}

static void appends_to_what_is_there(void **state)
{
    (void)state;
    for (int coding = 0; coding < HF_CODING_COUNT; coding++) {
        struct hf_bytes in = {0}, out = {0};
        assert_int_equal(hf_bytes_append(&in, hf_slice_text("left")), HF_OK);
        encode((enum hf_coding)coding, hf_slice_text("some text"), &in);
        assert_memory_equal(in.data, "left", 4);
        assert_int_equal(hf_bytes_append(&out, hf_slice_text("head ")), HF_OK);
        struct hf_slice body = hf_slice_of(in.data + 4, in.size - 4);
        assert_int_equal(hf_decode_append((enum hf_coding)coding, body, 9, &out), HF_OK);
        assert_int_equal(out.size, 14);
        assert_memory_equal(out.data, "head some text", 14);
        assert_int_equal(hf_decode_append((enum hf_coding)coding, body, 8, &out), HF_TOO_LARGE);
        assert_int_equal(out.size, 14);
        hf_bytes_release(&in);
        hf_bytes_release(&out);
    }
}

static void reads_members_and_frames_one_after_another(void **state)
{
    (void)state;
    static const enum hf_coding joined[] = {HF_GZIP, HF_ZSTD, HF_SNAPPY_FRAMED};
    size_t size = 200000;
    uint8_t *text = make_text(size);
    for (size_t i = 0; i < 3; i++) {
        struct hf_bytes out = {0};
        encode(joined[i], hf_slice_of(text, 10), &out);
        encode(joined[i], hf_slice_of(text + 10, size - 20), &out);
        encode(joined[i], HF_EMPTY_SLICE, &out);
        encode(joined[i], hf_slice_of(text + size - 10, 10), &out);
        encode(joined[i], HF_EMPTY_SLICE, &out);
        struct hf_slice body = hf_slice_of(out.data, out.size);
        assert_decodes(joined[i], body, size, hf_slice_of(text, size));
        assert_refuses(joined[i], body, size - 1, HF_TOO_LARGE);
        hf_bytes_release(&out);
    }
    free(text);
}

static void refuses_what_ends_too_early_or_too_late(void **state)
{
    (void)state;
    uint8_t *text = make_text(500);
    for (size_t i = 0; i < CODED; i++) {
        struct hf_bytes out = {0};
        encode(coded[i], hf_slice_of(text, 500), &out);
        for (size_t size = 0; size < out.size; size++) {
            if (coded[i] == HF_SNAPPY_FRAMED && size == 10) {
                continue; /* a stream of nothing */
            }
            assert_refuses(coded[i], hf_slice_of(out.data, size), 10000, HF_INVALID);
        }
        assert_int_equal(hf_bytes_append(&out, hf_slice_text("garbage behind it")), HF_OK);
        assert_refuses(coded[i], hf_slice_of(out.data, out.size), 10000, HF_INVALID);
        hf_bytes_release(&out);
    }
    free(text);
}

static void notices_damage_where_the_format_has_a_checksum(void **state)
{
    (void)state;
    static const enum hf_coding checked[] = {HF_GZIP, HF_DEFLATE, HF_SNAPPY_FRAMED};
    uint8_t *text = make_text(500);
    for (size_t i = 0; i < 3; i++) {
        struct hf_bytes out = {0};
        encode(checked[i], hf_slice_of(text, 500), &out);
        out.data[out.size / 2] ^= 0x10;
        assert_refuses(checked[i], hf_slice_of(out.data, out.size), 10000, HF_INVALID);
        hf_bytes_release(&out);
    }
    free(text);
}

static void stops_at_the_limit(void **state)
{
    (void)state;
    size_t size = 20u << 20;
    uint8_t *zeros = calloc(1, size);
    assert_non_null(zeros);
    for (size_t i = 0; i < CODED; i++) {
        struct hf_bytes bomb = {0}, out = {0};
        encode(coded[i], hf_slice_of(zeros, size), &bomb);
        struct hf_slice in = hf_slice_of(bomb.data, bomb.size);
        assert_int_equal(hf_decode(coded[i], in, 100000, &out), HF_TOO_LARGE);
        assert_true(out.capacity < 400000);
        assert_int_equal(hf_decode(coded[i], in, size - 1, &out), HF_TOO_LARGE);
        assert_int_equal(hf_decode(coded[i], in, SIZE_MAX, &out), HF_OK);
        assert_int_equal(out.size, size);
        hf_bytes_release(&bomb);
        hf_bytes_release(&out);
    }
    assert_refuses(HF_IDENTITY, hf_slice_of(zeros, 100), 99, HF_TOO_LARGE);
    free(zeros);
}

static void reads_what_other_programs_wrote(void **state)
{
    (void)state;
    static const struct {
        enum hf_coding coding;
        size_t size;
        uint8_t bytes[48];
    } vectors[] = {
        {HF_GZIP, 28, {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                       0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00,
                       0x80, 0x88, 0xf9, 0xe5, 0x11, 0x00, 0x00, 0x00}},
        {HF_DEFLATE,
         16,
         {0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00, 0x3a, 0x2e, 0x06,
          0x7d}},
        /* without content size, with checksum */
        {HF_ZSTD, 25, {0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x65, 0x00, 0x00, 0x30, 0x68, 0x65, 0x6c,
                       0x6c, 0x6f, 0x20, 0x01, 0x00, 0x31, 0x4a, 0x11, 0xa2, 0xed, 0x1e, 0x0c}},
        /* padding, then a chunk that is not compressed */
        {HF_SNAPPY_FRAMED, 42, {0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59, 0xfe,
                                0x03, 0x00, 0x00, 0x09, 0x09, 0x09, 0x01, 0x15, 0x00, 0x00, 0xab,
                                0x04, 0xb5, 0x1d, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x68, 0x65,
                                0x6c, 0x6c, 0x6f, 0x20, 0x68, 0x65, 0x6c, 0x6c, 0x6f}},
        {HF_SNAPPY_BLOCK, 11, {0x11, 0x14, 'h', 'e', 'l', 'l', 'o', ' ', 0x2a, 0x06, 0x00}},
    };
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct hf_slice in = hf_slice_of(vectors[i].bytes, vectors[i].size);
        assert_decodes(vectors[i].coding, in, 1000, hf_slice_text("hello hello hello"));
        assert_refuses(vectors[i].coding, in, 16, HF_TOO_LARGE);
    }
}

static void takes_the_framed_format_for_a_block(void **state)
{
    (void)state;
    struct hf_bytes out = {0};
    encode(HF_SNAPPY_FRAMED, hf_slice_text("either way"), &out);
    assert_decodes(HF_SNAPPY_BLOCK, hf_slice_of(out.data, out.size), 100,
                   hf_slice_text("either way"));
    hf_bytes_release(&out);
}

static void does_not_believe_claims_of_size(void **state)
{
    (void)state;
    static const uint8_t block[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 'a'};
    assert_refuses(HF_SNAPPY_BLOCK, hf_slice_of(block, sizeof(block)), SIZE_MAX, HF_INVALID);
    struct hf_bytes gzip = {0}, out = {0};
    encode(HF_GZIP, hf_slice_text("small"), &gzip);
    memset(gzip.data + gzip.size - 4, 0xff, 4);
    assert_int_equal(hf_decode(HF_GZIP, hf_slice_of(gzip.data, gzip.size), SIZE_MAX, &out),
                     HF_INVALID);
    assert_true(out.capacity < 100000);
    hf_bytes_release(&gzip);
    hf_bytes_release(&out);
}

static void knows_the_levels(void **state)
{
    (void)state;
    static const int levels[] = {-7, -1, 0, 1, 2, 3, 6, 9, 19, 100};
    uint8_t *text = make_text(5000);
    for (size_t i = 0; i < CODED; i++) {
        for (size_t l = 0; l < sizeof(levels) / sizeof(levels[0]); l++) {
            struct hf_slice in = hf_slice_of(text, 5000);
            struct hf_bytes out = {0};
            assert_int_equal(hf_encode(coded[i], levels[l], &in, 1, &out), HF_OK);
            assert_decodes(coded[i], hf_slice_of(out.data, out.size), 5000, in);
            hf_bytes_release(&out);
        }
    }
    free(text);
}

static void knows_codings_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum hf_status status;
        enum hf_coding coding;
    } rows[] = {
        {"", HF_OK, HF_IDENTITY},
        {"identity", HF_OK, HF_IDENTITY},
        {"gzip", HF_OK, HF_GZIP},
        {"GZIP", HF_OK, HF_GZIP},
        {"zstd", HF_OK, HF_ZSTD},
        {"deflate", HF_OK, HF_DEFLATE},
        {"zlib", HF_OK, HF_DEFLATE},
        {"snappy", HF_OK, HF_SNAPPY_BLOCK},
        {"x-snappy-framed", HF_OK, HF_SNAPPY_FRAMED},
        {"br", HF_UNSUPPORTED, HF_IDENTITY},
        {"gzi", HF_UNSUPPORTED, HF_IDENTITY},
        {"gzip, zstd", HF_UNSUPPORTED, HF_IDENTITY},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum hf_coding coding = HF_IDENTITY;
        assert_int_equal(hf_coding_by_name(hf_slice_text(rows[i].name), &coding), rows[i].status);
        assert_int_equal(coding, rows[i].coding);
    }
    struct hf_bytes out = {0};
    assert_int_equal(hf_decode((enum hf_coding)77, hf_slice_text("x"), 10, &out), HF_UNSUPPORTED);
}

/* Parts of any size, the last of them empty too, are one member. */
static void a_stream_of_parts_is_one_member(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    static const size_t sizes[] = {1, 1000, 65536, SIZE};
    uint8_t *text = make_text(SIZE);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct hf_gzip_stream *stream = hf_gzip_stream_new();
        struct hf_bytes out = {0};
        assert_non_null(stream);
        for (size_t at = 0; at < SIZE; at += sizes[i]) {
            size_t size = SIZE - at < sizes[i] ? SIZE - at : sizes[i];
            assert_int_equal(hf_gzip_stream_add(stream, hf_slice_of(text + at, size), false, &out),
                             HF_OK);
        }
        assert_int_equal(hf_gzip_stream_add(stream, HF_EMPTY_SLICE, true, &out), HF_OK);
        assert_decodes(HF_GZIP, hf_slice_of(out.data, out.size), SIZE, hf_slice_of(text, SIZE));
        hf_bytes_release(&out);
        hf_gzip_stream_free(stream);
    }
    hf_gzip_stream_free(NULL);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_put_in),
        cmocka_unit_test(takes_pieces_as_one_text),
        cmocka_unit_test(encodes_no_pieces_as_an_empty_text),
        cmocka_unit_test(appends_to_what_is_there),
        cmocka_unit_test(reads_members_and_frames_one_after_another),
        cmocka_unit_test(refuses_what_ends_too_early_or_too_late),
        cmocka_unit_test(notices_damage_where_the_format_has_a_checksum),
        cmocka_unit_test(stops_at_the_limit),
        cmocka_unit_test(reads_what_other_programs_wrote),
        cmocka_unit_test(takes_the_framed_format_for_a_block),
        cmocka_unit_test(does_not_believe_claims_of_size),
        cmocka_unit_test(knows_the_levels),
        cmocka_unit_test(knows_codings_by_name),
        cmocka_unit_test(a_stream_of_parts_is_one_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
