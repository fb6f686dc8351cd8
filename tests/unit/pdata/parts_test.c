/* Parts hold every item once, each with the resource and scope it came with, and no other. */
#include "pdata/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/scan.h"
#include "tests/support/bodies.c"

#define ITEMS 60

/* What must be the same of an item before and after: itself and what is around it. */
static void describe(const struct hf_place *place, struct hf_bytes *out)
{
    struct hf_message *resource = hf_place_resource(place);
    struct hf_message *scope = hf_place_scope(place);
    struct hf_slice pieces[] = {
        hf_message_content(place->item),
        resource != NULL ? hf_message_content(resource) : HF_EMPTY_SLICE,
        scope != NULL ? hf_message_content(scope) : HF_EMPTY_SLICE,
        hf_message_bytes(place->scope_group, 3),
        hf_message_bytes(place->resource_group, 3),
        hf_message_bytes(place->metric, 1),
    };
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        assert_int_equal(hf_bytes_append(out, pieces[i]), HF_OK);
    }
}

static void splits_by_a_key(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        for (unsigned parts_wanted = 1; parts_wanted <= ITEMS; parts_wanted += 11) {
            struct hf_bytes raw = {0}, out = {0};
            struct hf_bytes before[ITEMS] = {{0}}, after[ITEMS] = {{0}};
            struct hf_parts parts = {.limit = ITEMS};
            unsigned seen = 0, found = 0;
            bodies_make(signal, parts_wanted, ITEMS, &raw);
            struct hf_document *document =
                hf_document_borrow(signal, hf_slice_of(raw.data, raw.size));
            struct hf_place place = {.document = document};
            while (hf_place_next_item(&place)) {
                char key[20];
                snprintf(key, sizeof(key), "%u", seen % parts_wanted);
                assert_int_equal(hf_parts_put(&parts, &place, hf_slice_text(key)), HF_OK);
                assert_int_equal(hf_parts_find(&parts, hf_slice_text(key)), seen % parts_wanted);
                describe(&place, &before[seen++]);
            }
            assert_int_equal(parts.count, parts_wanted);
            for (size_t i = 0; i < parts.count; i++) {
                struct hf_scan scan;
                out.size = 0;
                assert_int_equal(hf_parts_write(&parts, document, i, &out), HF_OK);
                struct hf_slice part = hf_slice_of(out.data, out.size);
                assert_int_equal(hf_scan(signal, part, &scan), HF_OK);
                assert_int_equal(scan.items, parts.items[i].items);
                struct hf_document *inner = hf_document_borrow(signal, part);
                struct hf_place at = {.document = inner};
                for (size_t k = i; hf_place_next_item(&at); k += parts_wanted) {
                    describe(&at, &after[k]);
                    found++;
                }
                hf_document_return(inner);
            }
            assert_int_equal(found, ITEMS);
            for (size_t i = 0; i < ITEMS; i++) {
                assert_int_equal(before[i].size, after[i].size);
                assert_memory_equal(before[i].data, after[i].data, before[i].size);
                hf_bytes_release(&before[i]);
                hf_bytes_release(&after[i]);
            }
            hf_parts_release(&parts);
            hf_document_return(document);
            hf_bytes_release(&raw);
            hf_bytes_release(&out);
        }
    }
}

/* The items of a request, each with what is around it. */
static void describe_all(enum hf_signal signal, struct hf_slice raw, struct hf_bytes *out)
{
    struct hf_document *document = hf_document_borrow(signal, raw);
    struct hf_place place = {.document = document};
    while (hf_place_next_item(&place)) {
        describe(&place, out);
    }
    hf_document_return(document);
}

static void writes_all_parts_at_once_as_one_after_the_other(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        for (unsigned parts_wanted = 1; parts_wanted <= ITEMS; parts_wanted += 11) {
            struct hf_bytes raw = {0}, outs[ITEMS] = {{0}};
            struct hf_parts parts = {.limit = ITEMS};
            unsigned seen = 0;
            bodies_make(signal, parts_wanted, ITEMS, &raw);
            struct hf_document *document =
                hf_document_borrow(signal, hf_slice_of(raw.data, raw.size));
            struct hf_place place = {.document = document};
            while (hf_place_next_item(&place)) {
                uint8_t key = (uint8_t)(seen++ * 7 % parts_wanted);
                if (seen == 5) { /* one that has changed is not copied */
                    struct hf_message *resource = hf_message_need(place.resource_group, 1);
                    hf_message_attributes(resource, 1)->changed = true;
                }
                assert_int_equal(hf_parts_put(&parts, &place, hf_slice_of(&key, 1)), HF_OK);
            }
            assert_int_equal(hf_parts_write_all(&parts, document, outs), HF_OK);
            for (size_t i = 0; i < parts.count; i++) {
                struct hf_bytes one = {0}, wanted = {0}, found = {0};
                assert_int_equal(hf_parts_write(&parts, document, i, &one), HF_OK);
                describe_all(signal, hf_slice_of(one.data, one.size), &wanted);
                describe_all(signal, hf_slice_of(outs[i].data, outs[i].size), &found);
                assert_int_equal(outs[i].size, one.size);
                assert_int_equal(found.size, wanted.size);
                assert_memory_equal(found.data, wanted.data, wanted.size);
                hf_bytes_release(&one);
                hf_bytes_release(&wanted);
                hf_bytes_release(&found);
                hf_bytes_release(&outs[i]);
            }
            hf_parts_release(&parts);
            hf_document_return(document);
            hf_bytes_release(&raw);
        }
    }
}

static struct hf_batch *batch_of(const struct hf_bytes *raw)
{
    struct hf_batch *batch = hf_batch_new(HF_LOGS, raw->size, hf_slice_text("meta"));
    memcpy(hf_batch_room(batch), raw->data, raw->size);
    hf_batch_seal(batch, raw->size, ITEMS);
    return batch;
}

static void the_only_part_is_the_batch_itself(void **state)
{
    struct hf_bytes raw = {0};
    struct hf_parts parts = {.limit = 2};
    (void)state;
    bodies_make(HF_LOGS, 1, ITEMS, &raw);
    struct hf_batch *batch = batch_of(&raw);
    struct hf_document *document = hf_document_borrow(HF_LOGS, batch->raw);
    struct hf_place place = {.document = document};
    struct hf_batch *made = NULL;
    while (hf_place_next_item(&place)) {
        assert_int_equal(hf_parts_put(&parts, &place, hf_slice_text("one")), HF_OK);
    }
    assert_int_equal(hf_parts_batch(&parts, document, 0, batch, &made), HF_OK);
    assert_ptr_equal(made, batch);
    hf_ref_drop(&made->ref);
    /* Put again, into another part: in the first there is one less. */
    place = (struct hf_place){.document = document};
    assert_true(hf_place_next_item(&place));
    assert_int_equal(hf_parts_put(&parts, &place, hf_slice_text("two")), HF_OK);
    assert_int_equal(hf_parts_put(&parts, &place, hf_slice_text("three")), HF_FULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(hf_parts_batch(&parts, document, i, batch, &made), HF_OK);
        assert_int_equal(made->items, i == 0 ? ITEMS - 1 : 1);
        assert_true(hf_slice_is(made->meta, "meta"));
        hf_ref_drop(&made->ref);
    }
    hf_parts_release(&parts);
    hf_document_return(document);
    hf_ref_drop(&batch->ref);
    hf_bytes_release(&raw);
}

/* What is in no item goes with the part that is named, once, and with no other. */
static void puts_what_has_no_item_into_one_part(void **state)
{
    /* In a scope: two gauges of one point, a metric of kind 15 and a gauge without points; another
     * scope, which has a schema alone; another resource alone. */
    static const uint8_t raw[] = "\x0a\x1c\x12\x15\x12\x04\x2a\x02\x0a\x00\x12\x04\x2a\x02\x0a\x00"
                                 "\x12\x03\x7a\x01x\x12\x02\x2a\x00\x12\x03\x1a\x01s"
                                 "\x0a\x04\x0a\x02\x10\x03";
    static const uint8_t first[] = "\x0a\x08\x12\x06\x12\x04\x2a\x02\x0a\x00";
    static const uint8_t second[] = "\x0a\x16\x12\x0f\x12\x04\x2a\x02\x0a\x00"
                                    "\x12\x03\x7a\x01x\x12\x02\x2a\x00\x12\x03\x1a\x01s"
                                    "\x0a\x04\x0a\x02\x10\x03";
    (void)state;
    struct hf_parts parts = {.limit = 2};
    struct hf_bytes out = {0};
    struct hf_document *document =
        hf_document_borrow(HF_METRICS, hf_slice_of(raw, sizeof(raw) - 1));
    struct hf_place place = {.document = document};
    hf_parts_put_rest(&parts, document, 0); /* there is no part yet */
    for (uint8_t key = 0; hf_place_next_item(&place); key++) {
        assert_int_equal(hf_parts_put(&parts, &place, hf_slice_of(&key, 1)), HF_OK);
    }
    assert_int_equal(parts.count, 2);
    hf_parts_put_rest(&parts, document, 1);
    assert_int_equal(hf_parts_write(&parts, document, 0, &out), HF_OK);
    assert_int_equal(out.size, sizeof(first) - 1);
    assert_memory_equal(out.data, first, out.size);
    out.size = 0;
    assert_int_equal(hf_parts_write(&parts, document, 1, &out), HF_OK);
    assert_int_equal(out.size, sizeof(second) - 1);
    assert_memory_equal(out.data, second, out.size);
    struct hf_bytes outs[2] = {{0}};
    assert_int_equal(hf_parts_write_all(&parts, document, outs), HF_OK);
    assert_int_equal(outs[0].size, sizeof(first) - 1);
    assert_memory_equal(outs[0].data, first, outs[0].size);
    assert_int_equal(outs[1].size, sizeof(second) - 1);
    assert_memory_equal(outs[1].data, second, outs[1].size);
    hf_bytes_release(&outs[0]);
    hf_bytes_release(&outs[1]);
    hf_bytes_release(&out);
    hf_parts_release(&parts);
    hf_document_return(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_by_a_key),
        cmocka_unit_test(writes_all_parts_at_once_as_one_after_the_other),
        cmocka_unit_test(the_only_part_is_the_batch_itself),
        cmocka_unit_test(puts_what_has_no_item_into_one_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
