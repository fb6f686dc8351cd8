/* Objects live in an arena, and fail when it is full. */
#include "proto/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "opentelemetry/proto/trace/v1/trace.pb-c.h"

static const char span_bytes[] = "\x2a\x05GET /\x30\x02\x4a\x0a\x0a\x01k\x12\x05\x0a\x03val";

static void unpacks_and_packs(void **state)
{
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_slice raw = hf_slice_of(span_bytes, sizeof(span_bytes) - 1);
    (void)state;
    ProtobufCMessage *object =
        hf_objects_unpack(&opentelemetry__proto__trace__v1__span__descriptor, &arena, raw);
    assert_non_null(object);
    const Opentelemetry__Proto__Trace__V1__Span *span = (const void *)object;
    assert_string_equal(span->name, "GET /");
    assert_int_equal(span->n_attributes, 1);
    assert_string_equal(span->attributes[0]->value->string_value, "val");
    assert_true(hf_slice_equal(hf_objects_pack(object, &arena), raw));
    hf_arena_release(&arena);
}

static void refuses_bad_bytes_and_full_arenas(void **state)
{
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_arena full = {.limit = 0};
    const ProtobufCMessageDescriptor *type = &opentelemetry__proto__trace__v1__span__descriptor;
    (void)state;
    assert_null(hf_objects_unpack(type, &arena, hf_slice_of("\x2a\x05G", 3)));
    assert_null(hf_objects_unpack(type, &full, hf_slice_of(span_bytes, sizeof(span_bytes) - 1)));
    ProtobufCMessage *empty = hf_objects_unpack(type, &arena, HF_EMPTY_SLICE);
    assert_non_null(empty);
    assert_null(hf_objects_pack(empty, &full).data);
    hf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacks_and_packs),
        cmocka_unit_test(refuses_bad_bytes_and_full_arenas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
