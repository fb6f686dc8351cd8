/* What is written reads back the same; what is cut short or malformed is not read. */
#include "pdata/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/wire_find.h"

static const uint64_t numbers[] = {
    0,          1,          127,        128,        300,       16383,      16384,
    UINT32_MAX, 1ull << 35, 1ull << 56, 1ull << 62, INT64_MAX, 1ull << 63, UINT64_MAX,
};
#define NUMBER_COUNT (sizeof(numbers) / sizeof(numbers[0]))

static void reads_back_what_it_wrote(void **state)
{
    static const uint32_t fields[] = {1, 15, 16, 2047, 2048, HF_WIRE_NUMBER_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        for (size_t k = 0; k < NUMBER_COUNT; k++) {
            struct hf_bytes bytes = {0};
            struct hf_wire_writer writer = {.out = &bytes};
            struct hf_wire_field field;
            hf_wire_put_varint(&writer, fields[i], numbers[k]);
            hf_wire_put_fixed64(&writer, fields[i], numbers[k]);
            hf_wire_put_fixed32(&writer, fields[i], (uint32_t)numbers[k]);
            hf_wire_put_bytes(&writer, fields[i], hf_slice_text("text"));
            hf_wire_put_bytes(&writer, fields[i], HF_EMPTY_SLICE);
            assert_int_equal(hf_wire_status(&writer), HF_OK);

            struct hf_wire wire = hf_wire_of(hf_slice_of(bytes.data, bytes.size));
            const uint8_t *start = bytes.data;
            enum hf_schema_wire types[] = {HF_WIRE_VARINT, HF_WIRE_64, HF_WIRE_32, HF_WIRE_BYTES,
                                           HF_WIRE_BYTES};
            uint64_t values[] = {numbers[k], numbers[k], (uint32_t)numbers[k], 0, 0};
            for (size_t n = 0; n < 5; n++) {
                assert_true(hf_wire_next(&wire, &field));
                assert_int_equal(field.number, fields[i]);
                assert_int_equal(field.wire, types[n]);
                assert_true(field.value == values[n]);
                assert_true(hf_slice_is(field.bytes, n == 3 ? "text" : ""));
                assert_ptr_equal(field.whole.data, start);
                start += field.whole.size;
            }
            assert_true(hf_wire_at_end(wire));
            assert_ptr_equal(start, bytes.data + bytes.size);
            hf_bytes_release(&bytes);
        }
    }
}

static void reads_nothing_from_a_field_cut_short(void **state)
{
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        bytes.size = 0;
        switch (kind) {
        case 0:
            hf_wire_put_varint(&writer, 2000, UINT64_MAX);
            break;
        case 1:
            hf_wire_put_fixed64(&writer, 2000, 1);
            break;
        case 2:
            hf_wire_put_fixed32(&writer, 2000, 1);
            break;
        default:
            hf_wire_put_bytes(&writer, 2000, hf_slice_text("text"));
            break;
        }
        for (size_t size = 0; size < bytes.size; size++) {
            uint8_t *cut = malloc(size + 1);
            assert_non_null(cut);
            memcpy(cut, bytes.data, size);
            struct hf_wire wire = hf_wire_of(hf_slice_of(cut, size));
            struct hf_wire_field field = {.number = 4711};
            assert_false(hf_wire_next(&wire, &field));
            assert_int_equal(field.number, 4711);
            assert_ptr_equal(wire.at, cut);
            free(cut);
        }
    }
    hf_bytes_release(&bytes);
}

static void refuses_what_is_no_field(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"\x00\x00", 2}, /* number 0 */
        {"\x0b", 1},     /* groups */
        {"\x0c", 1},
        {"\x0e\x00", 2}, /* wire types that do not exist */
        {"\x0f\x00", 2},
        {"\x80\x80\x80\x80\x10\x00", 6}, /* a number too large */
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 11},
        {"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* a length beyond all */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_wire wire = hf_wire_of(hf_slice_of(cases[i].bytes, cases[i].size));
        struct hf_wire_field field;
        if (hf_wire_next(&wire, &field)) {
            fail_msg("case %zu", i);
        }
    }
}

static void reads_varints_with_needless_bytes(void **state)
{
    struct hf_wire wire = hf_wire_of(hf_slice_of("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10));
    uint64_t value = 0;
    (void)state;
    assert_true(hf_wire_varint(&wire, &value));
    assert_true(value == 1);
    assert_true(hf_wire_at_end(wire));
}

static void knows_the_size_of_a_varint(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        struct hf_bytes bytes = {0};
        struct hf_wire_writer writer = {.out = &bytes};
        hf_wire_put_varint(&writer, 1, numbers[i]);
        assert_int_equal(hf_wire_status(&writer), HF_OK);
        assert_int_equal(bytes.size, 1 + hf_wire_varint_size(numbers[i]));
        hf_bytes_release(&bytes);
    }
}

/* Whatever was expected, the length ends up in as few bytes as it takes. */
static void closes_messages_of_any_size(void **state)
{
    static const size_t sizes[] = {0, 1, 127, 128, 16383, 16384, 2097151, 2097152};
    const size_t count = sizeof(sizes) / sizeof(sizes[0]);
    uint8_t *content = malloc(sizes[count - 1]);
    (void)state;
    assert_non_null(content);
    for (size_t i = 0; i < sizes[count - 1]; i++) {
        content[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            struct hf_bytes bytes = {0};
            struct hf_bytes expected = {0};
            struct hf_wire_writer writer = {.out = &bytes};
            struct hf_wire_writer plain = {.out = &expected};
            struct hf_slice slice = {content, sizes[i]};
            hf_wire_put_varint(&writer, 9, 1);
            struct hf_wire_message outer = hf_wire_open(&writer, 20, sizes[k]);
            struct hf_wire_message inner = hf_wire_open(&writer, 2, sizes[k]);
            hf_wire_put_raw(&writer, slice);
            hf_wire_close(&writer, inner);
            hf_wire_close(&writer, outer);
            hf_wire_put_varint(&writer, 9, 2);

            struct hf_bytes middle = {0};
            struct hf_wire_writer between = {.out = &middle};
            hf_wire_put_bytes(&between, 2, slice);
            hf_wire_put_varint(&plain, 9, 1);
            hf_wire_put_bytes(&plain, 20, hf_slice_of(middle.data, middle.size));
            hf_wire_put_varint(&plain, 9, 2);

            assert_int_equal(hf_wire_status(&writer), HF_OK);
            assert_int_equal(hf_wire_status(&plain), HF_OK);
            assert_int_equal(hf_wire_status(&between), HF_OK);
            assert_true(hf_slice_equal(hf_slice_of(bytes.data, bytes.size),
                                       hf_slice_of(expected.data, expected.size)));
            hf_bytes_release(&bytes);
            hf_bytes_release(&middle);
            hf_bytes_release(&expected);
        }
    }
    free(content);
}

/* hf_wire_step() against hf_wire_next(), on bytes of any kind. */
static void steps_as_it_reads(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t bytes[24];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            random = random * UINT64_C(6364136223846793005) + 1;
            bytes[i] = (uint8_t)(random >> 58); /* tags and lengths of one byte, mostly */
        }
        bytes[round % sizeof(bytes)] = (uint8_t)(random >> 40);
        struct hf_slice slice = hf_slice_of(bytes, random >> 33 & 15);
        struct hf_wire read = hf_wire_of(slice), step = read;
        struct hf_wire_field expected, found;
        bool is_read = hf_wire_next(&read, &expected);
        assert_int_equal(hf_wire_step(&step, &found), is_read);
        assert_ptr_equal(step.at, read.at);
        if (is_read) {
            assert_int_equal(found.number, expected.number);
            assert_int_equal(found.wire, expected.wire);
            assert_true(hf_slice_equal(found.bytes, expected.bytes));
            assert_ptr_equal(found.whole.data, expected.whole.data);
            assert_int_equal(found.whole.size, expected.whole.size);
            assert_true(found.wire == HF_WIRE_BYTES || found.value == expected.value);
        }
    }
}

static void skips_a_row_and_no_more(void **state)
{
    static const struct {
        const char *bytes;
        size_t size, skipped;
    } cases[] = {
        {"", 0, 0},
        {"\x4a\x01x", 3, 3},
        {"\x4a\x01x\x4a\x00\x4a\x02yz\x08\x01", 11, 9}, /* another field behind */
        {"\x4a\x01x\x4a\x03yz", 7, 3},                  /* cut short */
        {"\x4a", 1, 0},
        {"\x4a\x80\x00", 3, 0}, /* a length of two bytes */
        {"\x48\x01\x4a\x00", 4, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_wire wire = hf_wire_of(hf_slice_of(cases[i].bytes, cases[i].size));
        hf_wire_skip_row(&wire, 9);
        assert_ptr_equal(wire.at, (const uint8_t *)cases[i].bytes + cases[i].skipped);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(reads_nothing_from_a_field_cut_short),
        cmocka_unit_test(refuses_what_is_no_field),
        cmocka_unit_test(reads_varints_with_needless_bytes),
        cmocka_unit_test(knows_the_size_of_a_varint),
        cmocka_unit_test(closes_messages_of_any_size),
        cmocka_unit_test(steps_as_it_reads),
        cmocka_unit_test(skips_a_row_and_no_more),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
