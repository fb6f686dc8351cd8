/* The tables hang together: numbers, names, sizes, indexes. Their content is compared with the
 * published descriptors by tests/integration/test_conformance.py. */
#include "pdata/schema.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

static void check_name(const struct hf_schema_field *field)
{
    size_t at = 0;
    assert_int_equal(field->name_size, strlen(field->name));
    assert_int_equal(field->json_size, strlen(field->json));
    for (const char *from = field->name; *from != 0; from++) {
        bool upper = *from == '_';
        from += upper ? 1 : 0;
        assert_int_equal(field->json[at], upper ? toupper(*from) : *from);
        at++;
    }
    assert_int_equal(at, field->json_size);
}

static void check_field(const struct hf_schema_field *field)
{
    check_name(field);
    assert_int_equal(field->message != NULL, field->type == HF_SCHEMA_MESSAGE);
    assert_int_equal(field->values != NULL, field->type == HF_SCHEMA_ENUM);
    assert_int_equal(field->id_size != 0, field->type == HF_SCHEMA_ID);
    assert_int_equal(hf_schema_is_scalar(field->type) || field->type >= HF_SCHEMA_STRING, 1);
    assert_false(field->repeated && (field->oneof != 0 || field->optional));
    if (hf_schema_is_scalar(field->type)) {
        assert_int_not_equal(hf_schema_wire(field->type), HF_WIRE_BYTES);
    } else {
        assert_int_equal(hf_schema_wire(field->type), HF_WIRE_BYTES);
    }
}

static void every_field_stands_at_its_number(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < HF_SCHEMA_MESSAGE_COUNT; i++) {
        const struct hf_schema_message *message = hf_schema_message(i);
        unsigned count = 0;
        assert_int_equal(message->index, i);
        assert_int_equal(message->fields[0].type, HF_SCHEMA_NONE);
        for (uint32_t number = 1; number <= HF_SCHEMA_NUMBER_MAX; number++) {
            const struct hf_schema_field *field = &message->fields[number];
            if (field->type != HF_SCHEMA_NONE) {
                assert_int_equal(field->number, number);
                check_field(field);
                count++;
            }
        }
        assert_true(count > 0);
    }
}

static void a_request_is_a_list_of_resources(void **state)
{
    (void)state;
    static const char *const names[] = {"resourceSpans", "resourceMetrics", "resourceLogs",
                                        "resourceProfiles"};
    for (int i = 0; i < HF_SIGNAL_COUNT; i++) {
        const struct hf_schema_message *request = hf_schema_request((enum hf_signal)i);
        const struct hf_schema_message *response = hf_schema_response((enum hf_signal)i);
        assert_string_equal(request->fields[1].json, names[i]);
        assert_true(request->fields[1].repeated);
        assert_string_equal(response->fields[1].json, "partialSuccess");
    }
}

static void spans_points_records_and_samples_are_items(void **state)
{
    (void)state;
    unsigned items = 0;
    for (uint8_t i = 0; i < HF_SCHEMA_MESSAGE_COUNT; i++) {
        items += hf_schema_message(i)->is_item;
    }
    assert_int_equal(items, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_stands_at_its_number),
        cmocka_unit_test(a_request_is_a_list_of_resources),
        cmocka_unit_test(spans_points_records_and_samples_are_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
