/* A walk shows every level once, drops what it is told to, and prunes what has become empty. */
#include "pdata/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/scan.h"
#include "tests/support/bodies.c"

#define ITEMS 40

struct counter {
    struct hf_visitor visitor;
    unsigned resources, scopes, metrics, items, events;
    unsigned keep_every;   /* 0: all; otherwise the n-th item only */
    enum hf_visit verdict; /* on the others */
};

static enum hf_visit see_resource(struct hf_visitor *visitor, const struct hf_place *place)
{
    assert_non_null(place->resource_group);
    assert_null(place->scope_group);
    HF_CONTAINER(visitor, struct counter, visitor)->resources++;
    return HF_VISIT_KEEP;
}

static enum hf_visit see_scope(struct hf_visitor *visitor, const struct hf_place *place)
{
    assert_non_null(place->scope_group);
    assert_null(place->item);
    assert_null(place->metric);
    HF_CONTAINER(visitor, struct counter, visitor)->scopes++;
    return HF_VISIT_KEEP;
}

static enum hf_visit see_metric(struct hf_visitor *visitor, const struct hf_place *place)
{
    assert_non_null(place->metric);
    assert_non_null(place->data);
    assert_null(place->item);
    HF_CONTAINER(visitor, struct counter, visitor)->metrics++;
    return HF_VISIT_KEEP;
}

static enum hf_visit see_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct counter *counter = HF_CONTAINER(visitor, struct counter, visitor);
    assert_non_null(place->item);
    assert_true(hf_message_type(place->item)->is_item);
    counter->items++;
    return counter->keep_every == 0 || counter->items % counter->keep_every == 0 ? HF_VISIT_KEEP
                                                                                 : counter->verdict;
}

static enum hf_visit see_event(struct hf_visitor *visitor, const struct hf_place *place)
{
    assert_non_null(place->event);
    HF_CONTAINER(visitor, struct counter, visitor)->events++;
    return HF_VISIT_KEEP;
}

static struct counter counter_of(unsigned keep_every, enum hf_visit verdict)
{
    return (struct counter){.visitor = {.resource = see_resource,
                                        .scope = see_scope,
                                        .metric = see_metric,
                                        .item = see_item,
                                        .event = see_event},
                            .keep_every = keep_every,
                            .verdict = verdict};
}

static void shows_everything_and_changes_nothing(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        struct hf_bytes raw = {0}, out = {0};
        struct hf_scan scan;
        bodies_make(signal, 3, ITEMS, &raw);
        struct hf_slice bytes = hf_slice_of(raw.data, raw.size);
        assert_int_equal(hf_scan(signal, bytes, &scan), HF_OK);
        struct hf_document *document = hf_document_borrow(signal, bytes);
        struct counter counter = counter_of(0, HF_VISIT_KEEP);
        hf_walk(document, &counter.visitor);
        assert_int_equal(counter.resources, scan.resources);
        assert_int_equal(counter.items, scan.items);
        assert_int_equal(counter.metrics > 0, signal == HF_METRICS);
        assert_int_equal(counter.events > 0, signal == HF_TRACES);
        struct hf_place place = {.document = document};
        unsigned items = 0;
        while (hf_place_next_item(&place)) {
            items++;
        }
        assert_int_equal(items, scan.items);
        assert_false(hf_document_is_changed(document));
        assert_int_equal(hf_document_items(document), scan.items);
        assert_int_equal(hf_document_write(document, &out), HF_OK);
        assert_int_equal(out.size, raw.size);
        assert_memory_equal(out.data, raw.data, raw.size);
        hf_document_return(document);
        hf_bytes_release(&raw);
        hf_bytes_release(&out);
    }
}

/* No resource, scope or metric of the bytes is without items. */
static void assert_no_empty(enum hf_signal signal, struct hf_slice raw, uint32_t items)
{
    struct hf_scan scan;
    assert_int_equal(hf_scan(signal, raw, &scan), HF_OK);
    assert_int_equal(scan.items, items);
    struct hf_document *document = hf_document_borrow(signal, raw);
    struct counter counter = counter_of(0, HF_VISIT_KEEP);
    counter.visitor.prune = true;
    hf_walk(document, &counter.visitor);
    assert_false(hf_document_is_changed(document));
    hf_document_return(document);
}

static void drops_and_prunes(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        for (unsigned every = 2; every < 50; every += 7) {
            struct hf_bytes raw = {0};
            bodies_make(signal, every, ITEMS, &raw);
            struct hf_slice bytes = hf_slice_of(raw.data, raw.size);
            struct hf_document *document = hf_document_borrow(signal, bytes);
            struct hf_batch *batch = hf_batch_new(signal, raw.size, hf_slice_text("meta"));
            struct hf_batch *made = NULL;
            memcpy(hf_batch_room(batch), raw.data, raw.size);
            hf_batch_seal(batch, raw.size, ITEMS);
            struct counter counter = counter_of(every, HF_VISIT_DROP);
            counter.visitor.prune = true;
            hf_walk(document, &counter.visitor);
            assert_int_equal(hf_document_items(document), ITEMS / every);
            assert_int_equal(hf_document_batch(document, batch, &made), HF_OK);
            if (ITEMS / every == 0) {
                assert_null(made);
            } else {
                assert_int_equal(made->items, ITEMS / every);
                assert_int_equal(made->received_ns, batch->received_ns);
                assert_true(hf_slice_is(made->meta, "meta"));
                assert_no_empty(signal, made->raw, made->items);
                hf_ref_drop(&made->ref);
            }
            hf_ref_drop(&batch->ref);
            hf_document_return(document);
            hf_bytes_release(&raw);
        }
    }
}

static void prunes_afterwards_as_well(void **state)
{
    (void)state;
    for (int signal = 0; signal <= HF_LOGS; signal++) {
        struct hf_bytes raw = {0}, out = {0};
        bodies_make(signal, 5, ITEMS, &raw);
        struct hf_document *document = hf_document_borrow(signal, hf_slice_of(raw.data, raw.size));
        struct hf_place place = {.document = document};
        for (unsigned i = 0; hf_place_next_item(&place); i++) {
            if (i % 10 != 0) {
                hf_message_remove(place.item);
            }
        }
        hf_document_prune(document);
        assert_int_equal(hf_document_write(document, &out), HF_OK);
        assert_no_empty(signal, hf_slice_of(out.data, out.size), ITEMS / 10);
        hf_document_return(document);
        hf_bytes_release(&raw);
        hf_bytes_release(&out);
    }
}

static void stops_and_skips_when_told(void **state)
{
    struct hf_bytes raw = {0};
    (void)state;
    bodies_make(HF_TRACES, 5, ITEMS, &raw);
    struct hf_document *document = hf_document_borrow(HF_TRACES, hf_slice_of(raw.data, raw.size));
    struct counter stops = counter_of(1000, HF_VISIT_STOP);
    hf_walk(document, &stops.visitor);
    assert_int_equal(stops.items, 1);
    assert_int_equal(stops.events, 0);
    struct counter skips = counter_of(1000, HF_VISIT_SKIP);
    hf_walk(document, &skips.visitor);
    assert_int_equal(skips.items, ITEMS);
    assert_int_equal(skips.events, 0);
    assert_false(hf_document_is_changed(document));
    hf_document_return(document);
    hf_bytes_release(&raw);
}

static void makes_no_batch_of_a_walk_that_failed(void **state)
{
    static const enum hf_status statuses[] = {HF_OK, HF_INVALID, HF_NOMEM};
    struct hf_bytes raw = {0};
    (void)state;
    bodies_make(HF_TRACES, 5, ITEMS, &raw);
    struct hf_batch *batch = hf_batch_new(HF_TRACES, raw.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), raw.data, raw.size);
    hf_batch_seal(batch, raw.size, ITEMS);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct hf_batch *made = NULL;
        struct counter counter = counter_of(2, HF_VISIT_DROP);
        assert_int_equal(hf_walk_batch(batch, &counter.visitor, &statuses[i], &made), statuses[i]);
        assert_int_equal(counter.items, ITEMS);
        assert_int_equal(made != NULL, statuses[i] == HF_OK);
        if (made != NULL) {
            assert_int_equal(made->items, ITEMS / 2);
            hf_ref_drop(&made->ref);
        }
    }
    hf_ref_drop(&batch->ref);
    hf_bytes_release(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_everything_and_changes_nothing),
        cmocka_unit_test(drops_and_prunes),
        cmocka_unit_test(prunes_afterwards_as_well),
        cmocka_unit_test(stops_and_skips_when_told),
        cmocka_unit_test(makes_no_batch_of_a_walk_that_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
