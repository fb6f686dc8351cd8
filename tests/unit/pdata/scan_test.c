/*
 * The scan accepts what the tables of schema.c describe and nothing else. It is compared with a
 * plain reading of those tables, over each field and wire type and over many damaged requests.
 */
#include "pdata/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/schema.h"
#include "tests/support/bodies.c"

/* ---- the plain reading: slow, by the tables, without a short cut ---- */

static bool plain_varint(struct hf_slice *in, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < in->size; i++) {
        uint8_t byte = in->data[i];
        if (i == 9 && byte > 1) {
            return false;
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *in = (struct hf_slice){in->data + i + 1, in->size - i - 1};
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool plain_text(struct hf_slice text)
{
    for (size_t i = 0; i < text.size;) {
        static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
        uint8_t first = text.data[i];
        unsigned size = first < 0x80             ? 1
                        : (first & 0xe0) == 0xc0 ? 2
                        : (first & 0xf0) == 0xe0 ? 3
                        : (first & 0xf8) == 0xf0 ? 4
                                                 : 0;
        if (size == 0 || size > text.size - i) {
            return false;
        }
        uint32_t point = size == 1 ? first : first & (0x7fu >> size);
        for (unsigned k = 1; k < size; k++) {
            if ((text.data[i + k] & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (text.data[i + k] & 0x3fu);
        }
        if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
            return false;
        }
        i += size;
    }
    return true;
}

static bool plain_message(const struct hf_schema_message *message, struct hf_slice in,
                          unsigned depth, struct hf_scan *counts);

static bool plain_packed(const struct hf_schema_field *field, struct hf_slice in)
{
    size_t sizes[] = {[HF_WIRE_64] = 8, [HF_WIRE_32] = 4};
    uint64_t value;
    if (hf_schema_wire(field->type) != HF_WIRE_VARINT) {
        return in.size % sizes[hf_schema_wire(field->type)] == 0;
    }
    while (in.size > 0) {
        if (!plain_varint(&in, &value)) {
            return false;
        }
    }
    return true;
}

static bool plain_content(const struct hf_schema_field *field, struct hf_slice content,
                          unsigned depth, struct hf_scan *counts)
{
    switch (field->type) {
    case HF_SCHEMA_NONE:
    case HF_SCHEMA_BYTES:
        return true;
    case HF_SCHEMA_ID:
        return content.size == 0 ||
               content.size == (strcmp(field->name, "trace_id") == 0 ? 16u : 8u);
    case HF_SCHEMA_STRING:
        return plain_text(content);
    case HF_SCHEMA_MESSAGE:
        return plain_message(field->message, content, depth + 1, counts);
    default:
        return field->repeated && plain_packed(field, content);
    }
}

static bool plain_field(const struct hf_schema_field *field, unsigned wire, struct hf_slice *in,
                        unsigned depth, struct hf_scan *counts)
{
    static const unsigned sizes[] = {[1] = 8, [5] = 4};
    uint64_t value;
    if (field->type != HF_SCHEMA_NONE && wire != HF_WIRE_BYTES &&
        wire != hf_schema_wire(field->type)) {
        return false;
    }
    if (wire == HF_WIRE_VARINT) {
        return plain_varint(in, &value);
    }
    if (wire == HF_WIRE_64 || wire == HF_WIRE_32) {
        if (in->size < sizes[wire]) {
            return false;
        }
        *in = (struct hf_slice){in->data + sizes[wire], in->size - sizes[wire]};
        return true;
    }
    if (wire != HF_WIRE_BYTES || !plain_varint(in, &value) || value > in->size) {
        return false;
    }
    struct hf_slice content = {in->data, (size_t)value};
    *in = (struct hf_slice){in->data + value, in->size - (size_t)value};
    return plain_content(field, content, depth, counts);
}

static bool plain_message(const struct hf_schema_message *message, struct hf_slice in,
                          unsigned depth, struct hf_scan *counts)
{
    static const struct hf_schema_field none = {.type = HF_SCHEMA_NONE};
    counts->items += message->is_item;
    while (in.size > 0) {
        uint64_t tag;
        if (!plain_varint(&in, &tag) || tag >> 3 == 0 || tag >> 3 >= 1u << 29) {
            return false;
        }
        uint64_t number = tag >> 3;
        counts->resources += depth == 0 && number == 1;
        const struct hf_schema_field *field =
            number <= HF_SCHEMA_NUMBER_MAX ? &message->fields[number] : &none;
        if (!plain_field(field, (unsigned)(tag & 7), &in, depth, counts)) {
            return false;
        }
    }
    return depth <= HF_SCAN_DEPTH_MAX;
}

static bool agree(enum hf_signal signal, struct hf_slice raw)
{
    const uint32_t untouched = 4711;
    struct hf_scan plain = {0};
    struct hf_scan scan = {untouched, untouched};
    bool expected = plain_message(hf_schema_request(signal), raw, 0, &plain);
    enum hf_status status = hf_scan(signal, raw, &scan);
    if (!expected) {
        return status == HF_INVALID && scan.items == untouched && scan.resources == untouched;
    }
    return status == HF_OK && scan.items == plain.items && scan.resources == plain.resources;
}

/* ---- tests ---- */

static void counts_items_and_resources(void **state)
{
    (void)state;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint64_t items = 0; items < 40; items++) {
            struct hf_bytes bytes = {0};
            struct hf_scan scan;
            bodies_make((enum hf_signal)signal, items, items, &bytes);
            struct hf_slice raw = hf_slice_of(bytes.data, bytes.size);
            assert_int_equal(hf_scan((enum hf_signal)signal, raw, &scan), HF_OK);
            assert_int_equal(scan.items, items);
            assert_true(items == 0 ? scan.resources == 0 : scan.resources > 0);
            assert_true(signal == HF_PROFILES || agree((enum hf_signal)signal, raw));
            hf_bytes_release(&bytes);
        }
    }
}

/* How to reach a message from the request: the field numbers on the way. */
struct path {
    uint32_t numbers[8];
    size_t size;
};

static void compare_at(enum hf_signal signal, const struct path *path, struct hf_slice field)
{
    struct hf_bytes inner = {0};
    assert_int_equal(hf_bytes_append(&inner, field), HF_OK);
    for (size_t i = path->size; i > 0; i--) {
        struct hf_bytes outer = {0};
        struct hf_wire_writer writer = {.out = &outer};
        hf_wire_put_bytes(&writer, path->numbers[i - 1], hf_slice_of(inner.data, inner.size));
        assert_int_equal(hf_wire_status(&writer), HF_OK);
        hf_bytes_release(&inner);
        inner = outer;
    }
    if (!agree(signal, hf_slice_of(inner.data, inner.size))) {
        fail_msg("signal %d, %zu levels below the last of %u: field %02x %02x...", (int)signal,
                 path->size, path->size > 0 ? path->numbers[path->size - 1] : 0, field.data[0],
                 field.size > 1 ? field.data[1] : 0);
    }
    hf_bytes_release(&inner);
}

static void compare_fields(enum hf_signal signal, const struct path *path)
{
    static const uint8_t payload[40] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    /* Of varints and texts both the good and the bad; of fixed numbers and ids each size. */
    static const uint8_t sizes[] = {0, 1, 4, 7, 8, 9, 10, 11, 16, 17};
    for (uint32_t tag = 0; tag < (HF_SCHEMA_NUMBER_MAX + 4) << 3; tag++) {
        uint8_t field[64];
        size_t start = 0;
        if (tag >= 0x80) {
            field[start++] = (uint8_t)(tag | 0x80);
        }
        field[start++] = (uint8_t)(tag >= 0x80 ? tag >> 7 : tag);
        for (size_t i = 0; i < sizeof(sizes); i++) {
            size_t at = start;
            if ((tag & 7) == HF_WIRE_BYTES) {
                field[at++] = sizes[i];
            }
            memcpy(field + at, payload, sizes[i]);
            compare_at(signal, path, hf_slice_of(field, at + sizes[i]));
            memset(field + at, 'a', sizes[i]);
            compare_at(signal, path, hf_slice_of(field, at + sizes[i]));
            memset(field + at, 0, sizes[i]);
            compare_at(signal, path, hf_slice_of(field, at + sizes[i]));
        }
    }
}

static void compare_messages(enum hf_signal signal, const struct hf_schema_message *message,
                             const struct path *path, bool *seen)
{
    seen[message->index] = true;
    compare_fields(signal, path);
    for (uint32_t number = 1; number <= HF_SCHEMA_NUMBER_MAX; number++) {
        const struct hf_schema_field *field = &message->fields[number];
        if (field->type == HF_SCHEMA_MESSAGE && !seen[field->message->index]) {
            struct path inner = *path;
            assert_true(inner.size < 8);
            inner.numbers[inner.size++] = number;
            compare_messages(signal, field->message, &inner, seen);
        }
    }
}

static void treats_each_field_as_the_schema_says(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        bool seen[HF_SCHEMA_MESSAGE_COUNT] = {false};
        compare_messages((enum hf_signal)signal, hf_schema_request((enum hf_signal)signal),
                         &(struct path){.size = 0}, seen);
    }
}

/* Profiles are in development: of what is in a profile only the framing counts. */
static void takes_profiles_of_any_version(void **state)
{
    static const uint8_t older[] = {
        0x0a, 0x0e, 0x12, 0x0c, 0x12, 0x0a, /* resource, scope, profile */
        0x12, 0x02, 0x08, 0x01,             /* a sample */
        0x18, 0x07,                         /* the time as a varint */
        0x2a, 0x02, 0xff, 0xfe,             /* what is a message today */
        0x12, 0x01, 0xff,                   /* the tables */
    };
    struct hf_scan scan;
    (void)state;
    assert_int_equal(hf_scan(HF_PROFILES, hf_slice_of(older, sizeof(older)), &scan), HF_OK);
    assert_int_equal(scan.items, 1);
    assert_int_equal(hf_scan(HF_PROFILES, hf_slice_of(older, 15), &scan), HF_INVALID);
}

static void damage(struct bodies *random, struct hf_bytes *bytes)
{
    for (uint64_t i = 1 + bodies_draw(random, 3); i > 0 && bytes->size > 1; i--) {
        size_t at = (size_t)bodies_draw(random, bytes->size);
        switch (bodies_draw(random, 6)) {
        case 0:
            bytes->data[at] = (uint8_t)(bytes->data[at] ^ 1u << bodies_draw(random, 8));
            break;
        case 1:
            bytes->data[at] = (uint8_t)bodies_draw(random, 256);
            break;
        case 2: /* lengths and tags are small numbers */
            bytes->data[at] = (uint8_t)(bytes->data[at] + 1 - 2 * bodies_draw(random, 2));
            break;
        case 3: /* a byte goes, and the framing around it stays right now and then */
            memmove(&bytes->data[at], &bytes->data[at + 1], bytes->size - at - 1);
            bytes->data[bytes->size - 1] = 0;
            break;
        case 4:
            bytes->data[at] |= 0x80;
            break;
        default:
            bytes->size = bodies_draw(random, 20) == 0 ? at : bytes->size;
            break;
        }
    }
}

static void agrees_with_a_plain_reading_of_damaged_requests(void **state)
{
    enum { BODIES = 400, DAMAGED = 500 };
    unsigned refused = 0;
    (void)state;
    for (unsigned i = 0; i < BODIES; i++) {
        enum hf_signal signal = (enum hf_signal)(i % (HF_LOGS + 1));
        struct bodies random = {.random = i + 1};
        struct hf_bytes whole = {0};
        bodies_make(signal, i, 1 + i % 3, &whole);
        for (unsigned k = 0; k < DAMAGED; k++) {
            /* In a block of just its size, so that a read beyond is seen. */
            uint8_t *copy = malloc(whole.size);
            assert_non_null(copy);
            memcpy(copy, whole.data, whole.size);
            struct hf_bytes bytes = {copy, whole.size, whole.size};
            struct hf_scan scan;
            damage(&random, &bytes);
            struct hf_slice raw = hf_slice_of(bytes.data, bytes.size);
            if (!agree(signal, raw)) {
                fail_msg("body %u, damage %u", i, k);
            }
            refused += hf_scan(signal, raw, &scan) != HF_OK;
            free(copy);
        }
        hf_bytes_release(&whole);
    }
    /* Or else the damage is too light, or too heavy, to tell anything. */
    assert_in_range(refused, BODIES * DAMAGED / 5, BODIES * DAMAGED / 10 * 9);
}

/* An attribute whose value holds `levels` lists, one in the other. */
static void make_nested(unsigned levels, struct hf_bytes *out)
{
    struct hf_bytes inner = {0};
    struct hf_wire_writer writer = {.out = &inner};
    hf_wire_put_varint(&writer, 2, 1); /* the innermost AnyValue: true */
    for (unsigned i = 0; i < levels; i++) {
        for (uint32_t step = 0; step < 2; step++) { /* values, array_value */
            struct hf_bytes outer = {0};
            writer = (struct hf_wire_writer){.out = &outer};
            hf_wire_put_bytes(&writer, step == 0 ? 1 : 5, hf_slice_of(inner.data, inner.size));
            hf_bytes_release(&inner);
            inner = outer;
        }
    }
    const uint32_t path[] = {2, 1, 1, 1}; /* value, attributes, resource, resource_spans */
    for (size_t i = 0; i < 4; i++) {
        struct hf_bytes outer = {0};
        writer = (struct hf_wire_writer){.out = &outer};
        hf_wire_put_bytes(&writer, path[i], hf_slice_of(inner.data, inner.size));
        hf_bytes_release(&inner);
        inner = outer;
    }
    *out = inner;
}

static void refuses_what_is_nested_too_deeply(void **state)
{
    /* The value stands four levels below the request, each list two below the one around it. */
    const unsigned most = (HF_SCAN_DEPTH_MAX - 4) / 2;
    (void)state;
    for (unsigned levels = 0; levels < most + 100; levels += levels < most - 2 ? 7 : 1) {
        struct hf_bytes bytes = {0};
        struct hf_scan scan;
        make_nested(levels, &bytes);
        assert_int_equal(hf_scan(HF_TRACES, hf_slice_of(bytes.data, bytes.size), &scan),
                         levels <= most ? HF_OK : HF_INVALID);
        hf_bytes_release(&bytes);
    }
}

static void judges_single_requests(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum hf_status expected;
    } cases[] = {
        {"", 0, HF_OK},
        {"\x0a\x00", 2, HF_OK},
        {"\x0a", 1, HF_INVALID},                 /* no length */
        {"\x0a\x01", 2, HF_INVALID},             /* cut short */
        {"\x08\x00", 2, HF_INVALID},             /* resource_spans as a number */
        {"\x02\x00", 2, HF_INVALID},             /* field number 0 */
        {"\x13\x14", 2, HF_INVALID},             /* a group, unknown but framed */
        {"\x14", 1, HF_INVALID},                 /* the end of one */
        {"\x16\x00", 2, HF_INVALID},             /* wire type 6 */
        {"\x12\x02\xff\xff", 4, HF_OK},          /* an unknown field's bytes are its own matter */
        {"\x8a\x00\x00", 3, HF_OK},              /* a tag with a needless byte */
        {"\x0a\x80\x00", 3, HF_OK},              /* a length with one */
        {"\x0a\x03\x1a\x01\xff", 5, HF_INVALID}, /* schema_url that is no UTF-8 */
        {"\xfa\xff\xff\xff\x0f\x00", 6, HF_OK},  /* the largest field number */
        {"\x82\x80\x80\x80\x10\x00", 6, HF_INVALID}, /* one more */
        {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, HF_OK},
        {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, HF_INVALID}, /* 65 bits */
        {"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12, HF_INVALID},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, HF_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_scan scan;
        struct hf_slice raw = hf_slice_of(cases[i].bytes, cases[i].size);
        if (hf_scan(HF_TRACES, raw, &scan) != cases[i].expected) {
            fail_msg("case %zu", i);
        }
        assert_true(agree(HF_TRACES, raw));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_items_and_resources),
        cmocka_unit_test(treats_each_field_as_the_schema_says),
        cmocka_unit_test(takes_profiles_of_any_version),
        cmocka_unit_test(agrees_with_a_plain_reading_of_damaged_requests),
        cmocka_unit_test(refuses_what_is_nested_too_deeply),
        cmocka_unit_test(judges_single_requests),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
