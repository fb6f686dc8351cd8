/* The processor changes every resource and nothing else, and hands on what it need not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>
#include <holdfast/meta.h>

#include "pdata/edit.h"
#include "pdata/scan.h"
#include "pdata/wire_find.h"
#include "support/items/actions.h"
#include "tests/support/attribute_text.c"
#include "tests/support/bodies.c"
#include "tests/support/node_stub.c"

extern const struct hf_component hf_processor_resource;

enum { INSERT, UPDATE, UPSERT, DELETE };

/* As the component's configuration. */
struct config {
    struct hf_struct_list attributes;
};

static void *opened(const struct config *config)
{
    struct hf_node node = {.id = "resource", .signals = HF_ALL_SIGNALS};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    assert_null(hf_processor_resource.check(config));
    if (hf_processor_resource.open(&node, config, &self, error) != HF_OK) {
        fail_msg("%s", error);
    }
    return self;
}

static struct hf_batch *batch_of(enum hf_signal signal, const struct hf_bytes *body, uint32_t items,
                                 struct hf_slice meta)
{
    struct hf_batch *batch = hf_batch_new(signal, body->size, meta);
    assert_non_null(batch);
    memcpy(hf_batch_room(batch), body->data, body->size);
    hf_batch_seal(batch, body->size, items);
    return batch;
}

/* Checks that each resource of a request has exactly one `key` with the value `text`. */
static void check_resources(struct hf_slice raw, const char *key, const char *text)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field, resource;
    unsigned elements = 0;
    while (!hf_wire_at_end(wire)) {
        assert_true(hf_wire_next(&wire, &field));
        if (field.number != 1) {
            continue;
        }
        elements++;
        struct hf_slice value;
        assert_true(hf_wire_find(field.bytes, 1, &resource));
        assert_true(hf_attribute_of(resource.bytes, 1, hf_slice_text(key), &value));
        assert_true(hf_slice_is(hf_any_read(value).bytes, text));
    }
    assert_true(elements > 0);
}

static void changes_every_resource(void **state)
{
    const struct hf_action_config actions[] = {
        {.action = UPSERT, .key = "env", .value = {.type = HF_VALUE_STRING, .string = "prod"}},
        {.action = INSERT, .key = "tenant", .from_context = "metadata.x-tenant"},
        {.action = DELETE, .pattern = "^a"},
    };
    const struct config config = {{actions, 3}};
    struct hf_meta_writer meta = {.size = 0};
    void *self = opened(&config);
    (void)state;
    assert_int_equal(
        hf_meta_add(&meta, HF_META_HEADER, hf_slice_text("x-tenant"), hf_slice_text("acme")),
        HF_OK);
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        for (uint64_t seed = 1; seed < 30; seed++) {
            struct hf_bytes body = {0};
            struct hf_batch *changed = NULL;
            struct hf_scan scan;
            bodies_make((enum hf_signal)signal, seed, seed, &body);
            struct hf_batch *batch = batch_of((enum hf_signal)signal, &body, (uint32_t)seed,
                                              hf_slice_of(meta.bytes, meta.size));
            assert_int_equal(hf_processor_resource.processor->process(self, batch, &changed),
                             HF_OK);
            assert_ptr_not_equal(changed, batch);
            assert_int_equal(hf_scan((enum hf_signal)signal, changed->raw, &scan), HF_OK);
            assert_int_equal(scan.items, seed);
            assert_int_equal(changed->items, seed);
            check_resources(changed->raw, "env", "prod");
            check_resources(changed->raw, "tenant", "acme");
            assert_true(hf_slice_equal(changed->meta, batch->meta));
            hf_ref_drop(&changed->ref);
            hf_ref_drop(&batch->ref);
            hf_bytes_release(&body);
        }
    }
    hf_processor_resource.close(self);
}

static void hands_on_what_it_need_not_change(void **state)
{
    const struct hf_action_config action = {.action = DELETE, .key = "nowhere"};
    const struct config config = {{&action, 1}};
    void *self = opened(&config);
    struct hf_bytes body = {0};
    struct hf_batch *same = NULL;
    (void)state;
    bodies_make(HF_TRACES, 1, 10, &body);
    struct hf_batch *batch = batch_of(HF_TRACES, &body, 10, HF_EMPTY_SLICE);
    assert_int_equal(hf_processor_resource.processor->process(self, batch, &same), HF_OK);
    assert_ptr_equal(same, batch);
    hf_ref_drop(&batch->ref);
    hf_ref_drop(&same->ref); /* it had a reference of its own */
    hf_bytes_release(&body);
    hf_processor_resource.close(self);
}

static void tells_what_receivers_must_keep(void **state)
{
    const struct hf_action_config action = {
        .action = INSERT, .key = "tenant", .from_context = "metadata.X-Tenant"};
    const struct config config = {{&action, 1}};
    void *self = opened(&config);
    size_t count = 0;
    (void)state;
    assert_string_equal(hf_processor_resource.processor->context_keys(self, &count)[0], "x-tenant");
    assert_int_equal(count, 1);
    hf_processor_resource.close(self);
}

static void does_not_open_without_actions(void **state)
{
    const struct config config = {{NULL, 0}};
    struct hf_node node = {.id = "resource", .signals = HF_ALL_SIGNALS};
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    (void)state;
    assert_non_null(hf_processor_resource.check(&config));
    assert_int_equal(hf_processor_resource.open(&node, &config, &self, error), HF_INVALID);
    assert_string_equal(error, hf_processor_resource.check(&config));
    assert_null(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_every_resource),
        cmocka_unit_test(hands_on_what_it_need_not_change),
        cmocka_unit_test(tells_what_receivers_must_keep),
        cmocka_unit_test(does_not_open_without_actions),
    };
    return cmocka_run_group_tests_name("resource", tests, NULL, NULL);
}
