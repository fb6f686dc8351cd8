/* The index of a document of the exporter opensearch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h> /* needs those before it */

#include "bulk/walk.h"
#include "components/exporters/opensearch/os_index.h"
#include "pdata/any_make.h"
#include "pdata/wire.h"

/* A message with one attribute in that field. */
static struct hf_slice owner(struct hf_bytes *out, uint32_t number, const char *key,
                             const char *value)
{
    struct hf_wire_writer writer = {.out = out};
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_any_maker maker = {.arena = &arena};
    struct hf_wire_message pair = hf_wire_open(&writer, number, 32);
    hf_wire_put_bytes(&writer, 1, hf_slice_text(key));
    hf_wire_put_bytes(&writer, 2, hf_any_make_string(&maker, hf_slice_text(value)));
    hf_wire_close(&writer, pair);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    hf_arena_release(&arena);
    return hf_slice_of(out->data, out->size);
}

static void patterns_take_attributes_and_dates(void **state)
{
    (void)state;
    static const struct {
        struct os_index index;
        const char *wanted;
    } rows[] = {
        {{NULL, NULL, NULL}, "p-d-n"},
        {{"", NULL, "yyyy"}, "p-d-n-2023"},
        {{"x", NULL, "yyyy.MM_yy"}, "x-2023.11_23"},
        {{"a-%{item}-%{resource}", NULL, NULL}, "a-i-r"},
        {{"%{both}", NULL, NULL}, "item"},
        {{"%{absent}-z", NULL, NULL}, "unknown-z"},
        {{"%{absent}", "other", NULL}, "other"},
        {{"%{}", "other", NULL}, "%{}"},
        {{"%{open", "other", NULL}, "%{open"},
    };
    struct hf_bytes item = {0}, resource = {0}, out = {0};
    owner(&item, HF_BULK_LOG_ATTRIBUTES, "item", "i");
    owner(&resource, HF_BULK_RESOURCE_ATTRIBUTES, "resource", "r");
    struct os_index_input input = {
        .prefix = "p",
        .dataset = "d",
        .namespace = "n",
        .item = owner(&item, HF_BULK_LOG_ATTRIBUTES, "both", "item"),
        .resource = owner(&resource, HF_BULK_RESOURCE_ATTRIBUTES, "both", "resource"),
        .item_attributes = HF_BULK_LOG_ATTRIBUTES,
        .received_ns = UINT64_C(1700000000000000000),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        out.size = 0;
        input.index = &rows[i].index;
        assert_int_equal(os_index_make(&input, &out), HF_OK);
        if (!hf_slice_is(hf_slice_of(out.data, out.size), rows[i].wanted)) {
            fail_msg("row %zu: %.*s", i, (int)out.size, out.data);
        }
    }
    hf_bytes_release(&item);
    hf_bytes_release(&resource);
    hf_bytes_release(&out);
}

static void formats_are_checked(void **state)
{
    (void)state;
    assert_false(os_time_format_is_good("yyyy.MM.dd-HH:mm"));
    assert_true(os_time_format_is_good("yyyy.MM.dd-HH_mm+ss"));
    assert_false(os_time_format_is_good("YYYY"));
    assert_true(os_time_format_is_good(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_take_attributes_and_dates),
        cmocka_unit_test(formats_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
