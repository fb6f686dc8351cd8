/* The parts of a request hold its items, each once, in order, with all that stands around them. */
#include "pdata/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/scan.h"
#include "tests/support/bodies.c"

static struct hf_slice slice_of(const struct hf_bytes *bytes)
{
    return hf_slice_of(bytes->data, bytes->size);
}

static void is_the_whole_when_all_is_wanted(void **state)
{
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint64_t seed = 0; seed < 50; seed++) {
            struct hf_bytes whole = {0};
            struct hf_bytes part = {0};
            bodies_make((enum hf_signal)signal, seed, seed, &whole);
            assert_int_equal(
                hf_split((enum hf_signal)signal, slice_of(&whole), 0, (uint32_t)seed, &part),
                HF_OK);
            assert_true(hf_slice_equal(slice_of(&whole), slice_of(&part)));
            part.size = 0;
            assert_int_equal(
                hf_split((enum hf_signal)signal, slice_of(&whole), 0, UINT32_MAX, &part), HF_OK);
            assert_true(hf_slice_equal(slice_of(&whole), slice_of(&part)));
            hf_bytes_release(&whole);
            hf_bytes_release(&part);
        }
    }
}

#define ITEMS_MAX 32

struct items {
    struct hf_slice slices[ITEMS_MAX];
    size_t count;
};

static void collect(const struct hf_schema_message *message, struct hf_slice bytes,
                    struct items *items)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    if (message->is_item) {
        assert_true(items->count < ITEMS_MAX);
        items->slices[items->count++] = bytes;
        return;
    }
    while (!hf_wire_at_end(wire)) {
        assert_true(hf_wire_next(&wire, &field));
        if (field.number <= HF_SCHEMA_NUMBER_MAX &&
            message->fields[field.number].type == HF_SCHEMA_MESSAGE) {
            collect(message->fields[field.number].message, field.bytes, items);
        }
    }
}

static void check_part(enum hf_signal signal, const struct items *items, struct hf_slice part,
                       size_t first)
{
    struct items found = {.count = 0};
    struct hf_scan scan;
    assert_int_equal(hf_scan(signal, part, &scan), HF_OK);
    collect(hf_schema_request(signal), part, &found);
    assert_int_equal(scan.items, found.count);
    assert_true(first + found.count <= items->count);
    for (size_t i = 0; i < found.count; i++) {
        assert_true(hf_slice_equal(found.slices[i], items->slices[first + i]));
    }
}

static void parts_hold_the_items_in_order(void **state)
{
    enum { ITEMS = 23 };
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint32_t step = 1; step <= ITEMS + 1; step++) {
            struct hf_bytes whole = {0};
            struct hf_bytes part = {0};
            struct items items = {.count = 0};
            bodies_make((enum hf_signal)signal, step, ITEMS, &whole);
            collect(hf_schema_request((enum hf_signal)signal), slice_of(&whole), &items);
            assert_int_equal(items.count, ITEMS);
            for (uint32_t first = 0; first < ITEMS; first += step) {
                struct hf_scan scan;
                part.size = 0;
                assert_int_equal(
                    hf_split((enum hf_signal)signal, slice_of(&whole), first, step, &part), HF_OK);
                assert_int_equal(hf_scan((enum hf_signal)signal, slice_of(&part), &scan), HF_OK);
                assert_int_equal(scan.items, ITEMS - first < step ? ITEMS - first : step);
                check_part((enum hf_signal)signal, &items, slice_of(&part), first);
            }
            hf_bytes_release(&whole);
            hf_bytes_release(&part);
        }
    }
}

static void takes_several_ranges_at_once(void **state)
{
    enum { ITEMS = 23 };
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint32_t step = 1; step <= ITEMS; step++) {
            struct hf_bytes whole = {0};
            struct hf_bytes part = {0};
            struct items items = {.count = 0}, found = {.count = 0}, wanted = {.count = 0};
            struct hf_split_range ranges[ITEMS];
            size_t count = 0;
            bodies_make((enum hf_signal)signal, step, ITEMS, &whole);
            collect(hf_schema_request((enum hf_signal)signal), slice_of(&whole), &items);
            for (uint32_t first = step % 3; first < ITEMS; first += 2 * step) {
                ranges[count++] = (struct hf_split_range){first, step};
                for (uint32_t i = first; i < first + step && i < ITEMS; i++) {
                    wanted.slices[wanted.count++] = items.slices[i];
                }
            }
            assert_int_equal(
                hf_split_ranges((enum hf_signal)signal, slice_of(&whole), ranges, count, &part),
                HF_OK);
            collect(hf_schema_request((enum hf_signal)signal), slice_of(&part), &found);
            assert_int_equal(found.count, wanted.count);
            for (size_t i = 0; i < found.count; i++) {
                assert_true(hf_slice_equal(found.slices[i], wanted.slices[i]));
            }
            hf_bytes_release(&whole);
            hf_bytes_release(&part);
        }
    }
}

/* Writes one level around what `out` holds. */
static void wrap(struct hf_bytes *out, uint32_t number, const char *before, size_t before_size,
                 const char *after)
{
    struct hf_bytes outer = {0};
    struct hf_bytes content = {0};
    struct hf_wire_writer inside = {.out = &content};
    struct hf_wire_writer writer = {.out = &outer};
    hf_wire_put_raw(&inside, hf_slice_of(before, before_size));
    hf_wire_put_raw(&inside, slice_of(out));
    hf_wire_put_raw(&inside, hf_slice_text(after));
    hf_wire_put_bytes(&writer, number, slice_of(&content));
    assert_int_equal(hf_wire_status(&inside), HF_OK);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    hf_bytes_release(&content);
    hf_bytes_release(out);
    *out = outer;
}

static void repeats_what_stands_around_the_items(void **state)
{
    /* A metric "m" with the points [flags 1], [flags 2]; then names of scope and resource level. */
    struct hf_bytes whole = {0};
    struct hf_bytes expected = {0};
    struct hf_bytes part = {0};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct hf_bytes *out = i == 0 ? &whole : &expected;
        const char *points = i == 0 ? "\x0a\x02\x40\x01\x0a\x02\x40\x02" : "\x0a\x02\x40\x02";
        assert_int_equal(hf_bytes_append(out, hf_slice_text(points)), HF_OK);
        wrap(out, 7, "\x10\x02", 2, "\x18\x01");           /* Sum: temporality, is_monotonic */
        wrap(out, 2, "\x0a\x01m", 3, "\x1a\x01s");         /* Metric: name, unit */
        wrap(out, 2, "\x0a\x03\x0a\x01l", 5, "\x1a\x01u"); /* scope, schema_url */
        wrap(out, 1, "\x0a\x02\x10\x01", 4, "\x1a\x01v");  /* resource, schema_url */
    }
    assert_int_equal(hf_split(HF_METRICS, slice_of(&whole), 1, 1, &part), HF_OK);
    assert_true(hf_slice_equal(slice_of(&part), slice_of(&expected)));
    hf_bytes_release(&whole);
    hf_bytes_release(&expected);
    hf_bytes_release(&part);
}

static void keeps_empty_messages_in_one_part(void **state)
{
    /* Three resources: without spans, with two, without. */
    static const uint8_t whole[] = {0x0a, 0x03, 0x1a, 0x01, 'a',  0x0a, 0x06, 0x12, 0x04,
                                    0x12, 0x00, 0x12, 0x00, 0x0a, 0x03, 0x1a, 0x01, 'b'};
    static const uint8_t first[] = {0x0a, 0x03, 0x1a, 0x01, 'a', 0x0a,
                                    0x04, 0x12, 0x02, 0x12, 0x00};
    static const uint8_t second[] = {0x0a, 0x04, 0x12, 0x02, 0x12, 0x00,
                                     0x0a, 0x03, 0x1a, 0x01, 'b'};
    struct hf_slice raw = hf_slice_of(whole, sizeof(whole));
    struct hf_bytes part = {0};
    (void)state;
    assert_int_equal(hf_split(HF_TRACES, raw, 0, 1, &part), HF_OK);
    assert_true(hf_slice_equal(slice_of(&part), hf_slice_of(first, sizeof(first))));
    part.size = 0;
    assert_int_equal(hf_split(HF_TRACES, raw, 1, 1, &part), HF_OK);
    assert_true(hf_slice_equal(slice_of(&part), hf_slice_of(second, sizeof(second))));
    part.size = 0;
    assert_int_equal(hf_split(HF_TRACES, raw, 2, 10, &part), HF_OK);
    assert_int_equal(part.size, 0);
    hf_bytes_release(&part);
}

static void appends_and_leaves_the_buffer_alone_when_it_fails(void **state)
{
    struct hf_bytes out = {0};
    (void)state;
    assert_int_equal(hf_bytes_append(&out, hf_slice_text("kept")), HF_OK);
    assert_int_equal(hf_split(HF_TRACES, hf_slice_of("\x0a\x02\x12\x05", 4), 0, 1, &out),
                     HF_INVALID);
    assert_true(hf_slice_is(slice_of(&out), "kept"));
    assert_int_equal(hf_split(HF_LOGS, hf_slice_of("\x0a\x04\x12\x02\x12\x00", 6), 0, 1, &out),
                     HF_OK);
    assert_true(hf_slice_equal(slice_of(&out), hf_slice_of("kept\x0a\x04\x12\x02\x12\x00", 10)));
    hf_bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_whole_when_all_is_wanted),
        cmocka_unit_test(parts_hold_the_items_in_order),
        cmocka_unit_test(takes_several_ranges_at_once),
        cmocka_unit_test(repeats_what_stands_around_the_items),
        cmocka_unit_test(keeps_empty_messages_in_one_part),
        cmocka_unit_test(appends_and_leaves_the_buffer_alone_when_it_fails),
    };
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
