/* The names of application and subsystem, in requests of every shape. */
#include "components/exporters/coralogix/coralogix_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/any.h"
#include "pdata/build.h"
#include "pdata/walk.h"
#include "tests/support/node_stub.c"

static const char *const applications[] = {"ns", "number"};
static const char *const subsystems[] = {"service.name"};
static struct coralogix_config config = {
    .application_name = "shop",
    .subsystem_name = "",
    .application_attributes = {applications, 2},
    .subsystem_attributes = {subsystems, 1},
};

/* A request of one resource, which is made by `attributes`. */
static struct hf_batch *request_of(void (*attributes)(struct hf_builder *builder))
{
    struct hf_builder builder;
    const struct hf_build_log_record record = {.time_ns = 1};
    hf_builder_init(&builder, HF_LOGS, SIZE_MAX);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    attributes(&builder);
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    hf_build_log_record(&builder, &record);
    hf_build_end(&builder);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    hf_builder_release(&builder);
    return batch;
}

static void expect_attribute(struct hf_message *resource, const char *key, const char *expected)
{
    struct hf_slice value;
    assert_true(hf_message_attribute(resource, 1, hf_slice_text(key), &value));
    assert_int_equal(hf_any_read(value).type, HF_ANY_STRING);
    assert_true(hf_slice_is(hf_any_read(value).bytes, expected));
}

static void expect_names(struct hf_slice raw, const char *application, const char *subsystem)
{
    struct coralogix_names names = {.config = &config};
    struct hf_bytes out = {0};
    bool changed = false;
    assert_int_equal(coralogix_names_put(&names, HF_LOGS, raw, &out, &changed), HF_OK);
    assert_true(changed);
    struct hf_document *document = hf_document_borrow(HF_LOGS, hf_slice_of(out.data, out.size));
    struct hf_place place = {.document = document};
    assert_true(hf_place_next_item(&place));
    expect_attribute(hf_place_resource(&place), "cx.application.name", application);
    expect_attribute(hf_place_resource(&place), "cx.subsystem.name", subsystem);
    hf_document_return(document);
    hf_bytes_release(&out);
    coralogix_names_release(&names);
}

static void expect(void (*attributes)(struct hf_builder *builder), const char *application,
                   const char *subsystem)
{
    struct hf_batch *batch = request_of(attributes);
    expect_names(batch->raw, application, subsystem);
    hf_ref_drop(&batch->ref);
}

static void put_none(struct hf_builder *builder)
{
    (void)builder;
}

static void put_text(struct hf_builder *builder, const char *key, const char *value)
{
    hf_build_attribute_string(builder, hf_slice_text(key), hf_slice_text(value));
}

static void put_all(struct hf_builder *builder)
{
    put_text(builder, "cx.application.name", "old");
    put_text(builder, "service.name", "cart");
    put_text(builder, "ns", "prod");
    hf_build_attribute_int(builder, hf_slice_text("number"), 7);
}

static void put_empty_first(struct hf_builder *builder)
{
    put_text(builder, "ns", "");
    hf_build_attribute_int(builder, hf_slice_text("number"), -7);
    put_text(builder, "cx.subsystem.name", "own");
}

static void the_first_attribute_that_is_not_empty_counts(void **state)
{
    (void)state;
    expect(put_all, "prod", "cart");
    expect(put_empty_first, "-7", "own");
}

static void without_attributes_the_configured_name_counts(void **state)
{
    (void)state;
    expect(put_none, "shop", "");
}

static void a_group_without_a_resource_gets_one(void **state)
{
    /* resource_logs { scope_logs { log_records {} } } */
    const uint8_t raw[] = {0x0a, 4, 0x12, 2, 0x12, 0};
    (void)state;
    expect_names(hf_slice_of(raw, sizeof(raw)), "shop", "");
}

static void a_request_of_nothing_stays_as_it_is(void **state)
{
    struct coralogix_names names = {.config = &config};
    struct hf_bytes out = {0};
    bool changed = true;
    (void)state;
    assert_int_equal(coralogix_names_put(&names, HF_LOGS, HF_EMPTY_SLICE, &out, &changed), HF_OK);
    assert_false(changed);
    assert_int_equal(out.size, 0);
    coralogix_names_release(&names);
}

static void malformed_bytes_are_corrupt(void **state)
{
    const uint8_t raw[] = {0x0a, 9, 0x12};
    struct coralogix_names names = {.config = &config};
    struct hf_bytes out = {0};
    bool changed;
    (void)state;
    assert_int_equal(
        coralogix_names_put(&names, HF_LOGS, hf_slice_of(raw, sizeof(raw)), &out, &changed),
        HF_CORRUPT);
    assert_int_equal(out.size, 0);
    hf_bytes_release(&out);
    coralogix_names_release(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_attribute_that_is_not_empty_counts),
        cmocka_unit_test(without_attributes_the_configured_name_counts),
        cmocka_unit_test(a_group_without_a_resource_gets_one),
        cmocka_unit_test(a_request_of_nothing_stays_as_it_is),
        cmocka_unit_test(malformed_bytes_are_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
