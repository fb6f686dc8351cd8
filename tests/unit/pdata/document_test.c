/* A document says what protobuf-c says, before and after changes; untouched bytes are those that
 * came. */
#include "pdata/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/scan.h"
#include "pdata/walk.h"
#include "tests/support/bodies.c"

static void oracle_fail(int line, const char *condition)
{
    fail_msg("oracle.c:%d: %s", line, condition);
}

#include "tests/support/oracle.c"

static struct hf_slice slice_of(const struct hf_bytes *bytes)
{
    return hf_slice_of(bytes->data, bytes->size);
}

static void agrees_with_objects(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        for (uint64_t seed = 1; seed < 300; seed++) {
            struct hf_bytes raw = {0};
            bodies_make(signal, seed, seed % 9, &raw);
            oracle_run(signal, slice_of(&raw), slice_of(&raw), seed, (unsigned)(seed % 40));
            hf_bytes_release(&raw);
        }
    }
}

/* ---- requests as no encoder writes them, that say the same ---- */

static void scatter(struct bodies *bodies, struct hf_slice raw,
                    const struct hf_schema_message *type);

/* Something before a field that it undoes: another value of it, or of its oneof. */
static void put_undone(struct bodies *bodies, const struct hf_schema_message *type,
                       const struct hf_schema_field *field)
{
    struct hf_wire_writer *writer = &bodies->writer;
    for (uint32_t number = 1; number <= HF_SCHEMA_NUMBER_MAX; number++) {
        const struct hf_schema_field *other = &type->fields[number];
        bool is_undone = field->oneof != 0 ? other->oneof == field->oneof : other == field;
        if (!is_undone || (other == field && field->type == HF_SCHEMA_MESSAGE) ||
            bodies_draw(bodies, 3) != 0) {
            continue;
        }
        switch (hf_schema_wire(other->type)) {
        case HF_WIRE_VARINT:
            hf_wire_put_varint(writer, number, bodies_draw(bodies, 2));
            break;
        case HF_WIRE_64:
            hf_wire_put_fixed64(writer, number, bodies_draw(bodies, 1000));
            break;
        case HF_WIRE_32:
            hf_wire_put_fixed32(writer, number, 1);
            break;
        default:
            hf_wire_put_bytes(writer, number, HF_EMPTY_SLICE);
            break;
        }
    }
}

/* A message that is not repeated, as two of which each has some of its fields. */
static void put_pieces(struct bodies *bodies, const struct hf_wire_field *field,
                       const struct hf_schema_message *type)
{
    struct hf_wire wire = hf_wire_of(field->bytes);
    struct hf_wire_field inner;
    struct hf_wire_message piece = hf_wire_open(&bodies->writer, field->number, 100);
    size_t size = bodies_draw(bodies, field->bytes.size + 1);
    while (!hf_wire_at_end(wire) && (size_t)(wire.at - field->bytes.data) < size) {
        assert_true(hf_wire_next(&wire, &inner));
    }
    size_t at = field->bytes.size - hf_wire_left(wire);
    scatter(bodies, hf_slice_of(field->bytes.data, at), type);
    hf_wire_close(&bodies->writer, piece);
    piece = hf_wire_open(&bodies->writer, field->number, 100);
    scatter(bodies, hf_slice_of(field->bytes.data + at, field->bytes.size - at), type);
    hf_wire_close(&bodies->writer, piece);
}

static void scatter(struct bodies *bodies, struct hf_slice raw,
                    const struct hf_schema_message *type)
{
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        assert_true(hf_wire_next(&wire, &field));
        const struct hf_schema_field *known =
            field.number <= HF_SCHEMA_NUMBER_MAX ? &type->fields[field.number] : NULL;
        if (known == NULL || known->type == HF_SCHEMA_NONE) {
            hf_wire_put_raw(&bodies->writer, field.whole);
            continue;
        }
        if (!known->repeated) {
            put_undone(bodies, type, known);
        }
        /* What is inside of a value is compared by protobuf-c, which would lose pieces. */
        if (known->type != HF_SCHEMA_MESSAGE || type->index == HF_MESSAGE_ANY_VALUE) {
            hf_wire_put_raw(&bodies->writer, field.whole);
        } else if (!known->repeated && bodies_draw(bodies, 2) == 0) {
            put_pieces(bodies, &field, known->message);
        } else {
            struct hf_wire_message inner = hf_wire_open(&bodies->writer, field.number, 100);
            scatter(bodies, field.bytes, known->message);
            hf_wire_close(&bodies->writer, inner);
        }
    }
}

static void agrees_on_requests_in_pieces(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        for (uint64_t seed = 1; seed < 300; seed++) {
            struct hf_bytes raw = {0}, scattered = {0};
            struct hf_scan scan;
            bodies_make(signal, seed, 1 + seed % 5, &raw);
            struct bodies bodies = {.writer = {.out = &scattered}, .random = seed + 1};
            scatter(&bodies, slice_of(&raw), hf_schema_request(signal));
            assert_true(scattered.size > raw.size);
            assert_int_equal(hf_scan(signal, slice_of(&scattered), &scan), HF_OK);
            oracle_run(signal, slice_of(&scattered), slice_of(&raw), seed, (unsigned)(seed % 20));
            hf_bytes_release(&raw);
            hf_bytes_release(&scattered);
        }
    }
}

/* ---- what is not changed ---- */

/* Whatever is changed of one item, the others are the bytes that came, and so is that item when the
 * change is undone. */
static void other_items_keep_their_bytes(void **state)
{
    enum { ITEMS = 12 };
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        for (unsigned chosen = 0; chosen < ITEMS; chosen++) {
            struct hf_bytes raw = {0}, out = {0};
            struct hf_slice before[ITEMS];
            bodies_make(signal, chosen + 1, ITEMS, &raw);
            struct hf_document *document = hf_document_borrow(signal, slice_of(&raw));
            struct hf_place place = {.document = document};
            for (unsigned i = 0; hf_place_next_item(&place); i++) {
                before[i] = hf_message_content(place.item);
                if (i == chosen) {
                    hf_message_set_u64(place.item,
                                       signal == HF_LOGS      ? 1
                                       : signal == HF_METRICS ? 2
                                                              : 7,
                                       12345);
                }
            }
            assert_true(hf_document_is_changed(document));
            assert_int_equal(hf_document_write(document, &out), HF_OK);
            struct hf_document *again = hf_document_borrow(signal, slice_of(&out));
            place = (struct hf_place){.document = again};
            for (unsigned i = 0; hf_place_next_item(&place); i++) {
                assert_true(i == chosen ||
                            hf_slice_equal(hf_message_content(place.item), before[i]));
            }
            hf_document_return(again);
            hf_document_return(document);
            hf_bytes_release(&raw);
            hf_bytes_release(&out);
        }
    }
}

static void a_batch_that_did_not_change_is_the_same(void **state)
{
    struct hf_bytes raw = {0};
    struct hf_batch *made = NULL;
    (void)state;
    bodies_make(HF_TRACES, 1, 5, &raw);
    struct hf_batch *batch = hf_batch_new(HF_TRACES, raw.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), raw.data, raw.size);
    hf_batch_seal(batch, raw.size, 5);
    struct hf_document *document = hf_document_borrow(HF_TRACES, batch->raw);
    struct hf_place place = {.document = document};
    assert_true(hf_place_next_item(&place));
    struct hf_slice name = hf_message_bytes(place.item, 5);
    hf_message_set_bytes(place.item, 5, name); /* the same again is no change */
    hf_attributes_remove(hf_message_attributes(place.item, 9), hf_slice_text("none"));
    assert_int_equal(hf_document_batch(document, batch, &made), HF_OK);
    assert_ptr_equal(made, batch);
    hf_ref_drop(&made->ref);
    hf_message_set_bytes(place.item, 5, hf_slice_text("another"));
    assert_int_equal(hf_document_batch(document, batch, &made), HF_OK);
    assert_ptr_not_equal(made, batch);
    assert_int_equal(made->items, 5);
    hf_ref_drop(&made->ref);
    hf_document_return(document);
    hf_ref_drop(&batch->ref);
    hf_bytes_release(&raw);
}

static void a_request_is_built_from_nothing(void **state)
{
    static const char expected[] = "\x0a\x0b\x12\x09\x12\x07\x1a\x01W\x2a\x02\x0a\x00";
    struct hf_bytes out = {0};
    (void)state;
    struct hf_document *document = hf_document_borrow(HF_LOGS, HF_EMPTY_SLICE);
    struct hf_message *resource = hf_message_append(hf_document_root(document), 1);
    struct hf_message *record = hf_message_append(hf_message_append(resource, 2), 2);
    hf_message_set_bytes(record, 3, hf_slice_text("W"));
    hf_message_set_any(record, 5, hf_slice_of("\x0a\x00", 2));
    assert_int_equal(hf_document_items(document), 1);
    assert_int_equal(hf_document_write(document, &out), HF_OK);
    assert_int_equal(out.size, sizeof(expected) - 1);
    assert_memory_equal(out.data, expected, out.size);
    struct hf_document *again = hf_document_borrow(HF_LOGS, slice_of(&out));
    struct hf_place place = {.document = again};
    assert_true(hf_place_next_item(&place));
    assert_true(hf_slice_is(hf_message_bytes(place.item, 3), "W"));
    assert_int_equal(hf_message_any(place.item, 5).size, 2);
    hf_document_return(again);
    hf_document_return(document);
    hf_bytes_release(&out);
}

/* A whole Sum goes from one metric to another, which was a gauge; a resource is copied to all. */
static void single_messages_are_replaced(void **state)
{
    enum { GAUGE = 5, SUM = 7 };
    struct hf_bytes out = {0};
    struct hf_scan scan;
    (void)state;
    for (int copied = 0; copied < 2; copied++) {
        struct hf_document *document = hf_document_borrow(HF_METRICS, HF_EMPTY_SLICE);
        struct hf_message *group = hf_message_append(hf_document_root(document), 1);
        struct hf_message *scope = hf_message_append(group, 2);
        struct hf_message *one = hf_message_append(scope, 2);
        struct hf_message *other = hf_message_append(scope, 2);
        struct hf_message *sum = hf_message_need(one, SUM);
        hf_message_set_i64(sum, 3, 1);
        hf_message_set_i64(hf_message_append(sum, 1), 6, 77);
        hf_message_append(hf_message_need(other, GAUGE), 1);
        struct hf_message *made =
            copied != 0 ? hf_message_copy(sum, other, SUM) : hf_message_move(sum, other, SUM);
        assert_non_null(made);
        assert_false(hf_message_has(other, GAUGE));
        assert_ptr_equal(hf_message_one(other, SUM), made);
        assert_int_equal(hf_message_has(one, SUM), copied);
        assert_int_equal(hf_message_i64(hf_message_first(made, 1), 6), 77);
        if (copied != 0) { /* onto itself */
            made = hf_message_copy(made, other, SUM);
            assert_int_equal(hf_message_count(other, SUM), 1);
        }
        out.size = 0;
        assert_int_equal(hf_document_write(document, &out), HF_OK);
        assert_int_equal(hf_scan(HF_METRICS, slice_of(&out), &scan), HF_OK);
        assert_int_equal(scan.items, 1 + copied);
        struct hf_document *again = hf_document_borrow(HF_METRICS, slice_of(&out));
        struct hf_place place = {.document = again};
        while (hf_place_next_item(&place)) {
            assert_int_equal(hf_message_i64(place.item, 6), 77);
            assert_int_equal(hf_message_i64(place.data, 3), 1);
        }
        hf_document_return(again);
        hf_document_return(document);
    }
    hf_bytes_release(&out);
}

/* All records under one new resource: what groupbyattrs does. */
static void items_move_to_another_resource(void **state)
{
    struct hf_bytes raw = {0}, out = {0};
    struct hf_scan scan;
    unsigned moved = 0;
    (void)state;
    bodies_make(HF_LOGS, 9, 20, &raw);
    struct hf_document *document = hf_document_borrow(HF_LOGS, slice_of(&raw));
    struct hf_message *target = NULL;
    struct hf_place place = {.document = document};
    while (moved < 20 && hf_place_next_item(&place)) {
        if (target == NULL) {
            struct hf_message *group = hf_message_append(hf_document_root(document), 1);
            target = hf_message_append(group, 2);
        }
        hf_message_set_u64(place.item, 1, moved++);
        assert_non_null(hf_message_move(place.item, target, 2));
    }
    hf_document_prune(document);
    assert_int_equal(hf_document_write(document, &out), HF_OK);
    assert_int_equal(hf_scan(HF_LOGS, slice_of(&out), &scan), HF_OK);
    assert_int_equal(scan.items, 20);
    assert_int_equal(scan.resources, 1);
    struct hf_document *again = hf_document_borrow(HF_LOGS, slice_of(&out));
    place = (struct hf_place){.document = again};
    for (moved = 0; hf_place_next_item(&place); moved++) {
        assert_int_equal(hf_message_u64(place.item, 1), moved);
    }
    hf_document_return(again);
    hf_document_return(document);
    hf_bytes_release(&raw);
    hf_bytes_release(&out);
}

/* The first look-ups scan the bytes, later ones the list; a list that was changed is asked. */
static void looks_attributes_up_with_and_without_a_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 100; seed++) {
        struct hf_bytes raw = {0};
        bodies_make(HF_TRACES, seed, 6, &raw);
        struct hf_document *by_list = hf_document_borrow(HF_TRACES, slice_of(&raw));
        struct hf_document *by_key = hf_document_borrow(HF_TRACES, slice_of(&raw));
        struct hf_place listed = {.document = by_list}, looked = {.document = by_key};
        while (hf_place_next_item(&listed) && hf_place_next_item(&looked)) {
            const struct hf_attributes *list = hf_message_attributes(listed.item, 9);
            for (size_t i = 0; i < list->count; i++) {
                struct hf_slice key = list->items[i].key, value = HF_EMPTY_SLICE;
                assert_true(hf_message_attribute(looked.item, 9, key, &value));
                assert_true(hf_slice_equal(value, hf_attributes_find(list, key)->value));
            }
            struct hf_slice value;
            assert_false(hf_message_attribute(looked.item, 9, hf_slice_text("absent"), &value));
            hf_attributes_clear(hf_message_attributes(looked.item, 9));
            hf_attributes_set(hf_message_attributes(looked.item, 9), hf_slice_text("absent"),
                              hf_slice_text("\x18\x01"));
            assert_true(hf_message_attribute(looked.item, 9, hf_slice_text("absent"), &value));
        }
        hf_document_return(by_key);
        hf_document_return(by_list);
        hf_bytes_release(&raw);
    }
}

static void nothing_can_be_read_of_no_message(void **state)
{
    (void)state;
    assert_false(hf_message_has(NULL, 1));
    assert_int_equal(hf_message_u64(NULL, 1), 0);
    assert_int_equal(hf_message_i64(NULL, 1), 0);
    assert_true(hf_message_double(NULL, 1) == 0);
    assert_int_equal(hf_message_bytes(NULL, 1).size, 0);
    assert_int_equal(hf_message_any(NULL, 5).size, 0);
    assert_null(hf_message_first(NULL, 1));
    assert_null(hf_message_need(NULL, 1));
    assert_null(hf_message_attributes(NULL, 1));
    struct hf_slice value;
    assert_false(hf_message_attribute(NULL, 1, HF_EMPTY_SLICE, &value));
    hf_message_set_u64(NULL, 1, 1);
    hf_message_set_bytes(NULL, 1, HF_EMPTY_SLICE);
    hf_message_clear(NULL, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_objects),
        cmocka_unit_test(agrees_on_requests_in_pieces),
        cmocka_unit_test(other_items_keep_their_bytes),
        cmocka_unit_test(a_batch_that_did_not_change_is_the_same),
        cmocka_unit_test(a_request_is_built_from_nothing),
        cmocka_unit_test(single_messages_are_replaced),
        cmocka_unit_test(items_move_to_another_resource),
        cmocka_unit_test(looks_attributes_up_with_and_without_a_list),
        cmocka_unit_test(nothing_can_be_read_of_no_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
