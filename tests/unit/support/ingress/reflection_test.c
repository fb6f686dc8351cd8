#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#include "pdata/wire.h"
#include "support/ingress/reflection.h"
#include <util/compress/compress.h>

static const struct hf_reflection reflection = {.paths = {"/a.B/C", "/d.E/F"}, .count = 2};

/* The field of the answer to a request with one field of its oneof. */
static struct hf_slice ask(struct hf_bytes *answer, uint32_t number, const char *text,
                           uint32_t expected)
{
    struct hf_bytes request = {.data = NULL};
    struct hf_wire_writer writer = {.out = &request};
    hf_wire_put_bytes(&writer, 1, hf_slice_text("host"));
    hf_wire_put_bytes(&writer, number, hf_slice_text(text));
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    answer->size = 0;
    struct hf_slice asked = hf_slice_of(request.data, request.size);
    assert_int_equal(hf_reflect(&reflection, asked, answer), HF_OK);
    struct hf_slice found = HF_EMPTY_SLICE;
    struct hf_wire wire = hf_wire_of(hf_slice_of(answer->data, answer->size));
    struct hf_wire_field field;
    bool is_there = false;
    while (!hf_wire_at_end(wire)) {
        assert_true(hf_wire_next(&wire, &field));
        if (field.number == 1) {
            assert_true(hf_slice_is(field.bytes, "host"));
        } else if (field.number == 2) {
            assert_int_equal(field.bytes.size, request.size);
            assert_memory_equal(field.bytes.data, request.data, request.size);
        } else {
            assert_int_equal(field.number, expected);
            is_there = true;
            found = field.bytes;
        }
    }
    assert_true(is_there);
    hf_bytes_release(&request);
    return found;
}

static bool contains(struct hf_slice bytes, const char *text)
{
    return bytes.size != 0 && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

static void lists_the_services_of_its_receiver(void **state)
{
    (void)state;
    struct hf_bytes answer = {.data = NULL};
    struct hf_slice list = ask(&answer, 7, "*", 6);
    assert_int_equal(list.size, 14);
    assert_memory_equal(list.data, "\x0a\5\x0a\3a.B\x0a\5\x0a\3d.E", 14);
    hf_bytes_release(&answer);
}

static void finds_the_file_of_a_name_and_of_a_symbol(void **state)
{
    (void)state;
    static const struct {
        const char *what, *file; /* NULL: it is not there */
        uint32_t number;
    } rows[] = {
        {"opentelemetry/proto/logs/v1/logs.proto", "opentelemetry/proto/logs/v1/logs.proto", 3},
        {"grpc/reflection/v1alpha/reflection.proto", "grpc.reflection.v1alpha", 3},
        {"opentelemetry/proto/logs/v1/logs.prot", NULL, 3},
        {"", NULL, 3},
        {"opentelemetry.proto.logs.v1.LogRecord", "opentelemetry/proto/logs/v1/logs.proto", 4},
        {"opentelemetry.proto.logs.v1.LogRecord.body", "opentelemetry/proto/logs/v1/logs.proto", 4},
        {"opentelemetry.proto.logs.v1.LogRecord.nobody", NULL, 4},
        {"opentelemetry.proto.logs.v1.SEVERITY_NUMBER_INFO",
         "opentelemetry/proto/logs/v1/logs.proto", 4},
        {"opentelemetry.proto.trace.v1.Span.SpanKind", "opentelemetry/proto/trace/v1/trace.proto",
         4},
        {"opentelemetry.proto.trace.v1.Span.SPAN_KIND_CLIENT",
         "opentelemetry/proto/trace/v1/trace.proto", 4},
        {"opentelemetry.proto.common.v1.AnyValue.value", /* a oneof */
         "opentelemetry/proto/common/v1/common.proto", 4},
        {"grpc.health.v1.Health", "grpc/health/v1/health.proto", 4},
        {"grpc.health.v1.Health.Check", "grpc/health/v1/health.proto", 4},
        {"grpc.health.v1.Health.Check.", NULL, 4},
        {"grpc.health.v1", NULL, 4},
        {"grpc.health.v1.Healt", NULL, 4},
        {"Health", NULL, 4},
        {"", NULL, 4},
    };
    struct hf_bytes answer = {.data = NULL};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_slice found =
            ask(&answer, rows[i].number, rows[i].what, rows[i].file != NULL ? 4 : 7);
        if (!contains(found, rows[i].file != NULL ? rows[i].file : "unknown")) {
            fail_msg("%s", rows[i].what);
        }
    }
    hf_bytes_release(&answer);
}

static void knows_of_no_extensions(void **state)
{
    (void)state;
    struct hf_bytes answer = {.data = NULL};
    struct hf_slice numbers = ask(&answer, 6, "grpc.health.v1.HealthCheckRequest", 5);
    assert_true(contains(numbers, "HealthCheckRequest"));
    assert_int_equal(numbers.size, 2 + strlen("grpc.health.v1.HealthCheckRequest"));
    assert_true(contains(ask(&answer, 6, "x.Y", 7), "unknown type"));
    assert_true(contains(ask(&answer, 5, "", 7), "no such extension"));
    hf_bytes_release(&answer);
}

static void refuses_what_is_no_request(void **state)
{
    (void)state;
    struct hf_bytes answer = {.data = NULL};
    assert_int_equal(hf_reflect(&reflection, hf_slice_of("\xff", 1), &answer), HF_INVALID);
    assert_int_equal(hf_reflect(&reflection, hf_slice_of("\x1a\5x", 3), &answer), HF_INVALID);
    assert_true(contains(ask(&answer, 99, "", 7), "nothing that is known"));
    hf_bytes_release(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_the_services_of_its_receiver),
        cmocka_unit_test(finds_the_file_of_a_name_and_of_a_symbol),
        cmocka_unit_test(knows_of_no_extensions),
        cmocka_unit_test(refuses_what_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
