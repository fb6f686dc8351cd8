/* A data point that is read and written again says the same, into bytes and into a message; points
 * that belong together become one; series are told apart. */
#include "pdata/point.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/document.h"
#include "pdata/merge_points.h"
#include "pdata/metric_fields.h"
#include "pdata/scan.h"
#include "pdata/series.h"
#include "tests/support/bodies.c"

static void assert_same(const struct hf_point *a, const struct hf_point *b)
{
    struct hf_bytes one = {0}, other = {0};
    struct hf_wire_writer first = {.out = &one}, second = {.out = &other};
    hf_point_write(a, &first);
    hf_point_write(b, &second);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    hf_bytes_release(&one);
    hf_bytes_release(&other);
}

/* Written to bytes and read; set into an empty point and read. */
static void check_point(struct hf_place *place, struct hf_arena *arena)
{
    enum hf_point_kind kind;
    struct hf_point point, again;
    struct hf_bytes bytes = {0};
    struct hf_wire_writer writer = {.out = &bytes};
    if (!hf_point_kind_of(place->data, &kind)) {
        return;
    }
    assert_int_equal(hf_point_read(hf_message_content(place->item), kind, arena, &point), HF_OK);
    hf_point_write(&point, &writer);
    assert_int_equal(hf_wire_status(&writer), HF_OK);
    assert_int_equal(hf_point_read(hf_slice_of(bytes.data, bytes.size), kind, arena, &again),
                     HF_OK);
    assert_same(&point, &again);
    struct hf_message *copy = hf_message_append(place->data, HF_DATA_POINTS);
    hf_point_set(&point, copy);
    assert_int_equal(hf_point_read(hf_message_content(copy), kind, arena, &again), HF_OK);
    assert_same(&point, &again);
    hf_message_remove(copy);
    hf_bytes_release(&bytes);
}

static void points_say_the_same_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 200; seed++) {
        struct hf_bytes raw = {0};
        struct hf_arena arena = {.limit = 1 << 20};
        bodies_make(HF_METRICS, seed, 8, &raw);
        struct hf_document *document =
            hf_document_borrow(HF_METRICS, hf_slice_of(raw.data, raw.size));
        struct hf_place place = {.document = document};
        while (hf_place_next_item(&place)) {
            check_point(&place, &arena);
        }
        hf_document_return(document);
        hf_arena_release(&arena);
        hf_bytes_release(&raw);
    }
}

/* ---- merging ---- */

static struct hf_message *add_number(struct hf_message *data, const char *label, int64_t value)
{
    struct hf_message *point = hf_message_append(data, HF_DATA_POINTS);
    struct hf_attributes *attributes = hf_message_attributes(point, 7);
    hf_attributes_set(attributes, hf_slice_text("label"),
                      hf_attributes_string(attributes, hf_slice_text(label)));
    hf_message_set_u64(point, HF_POINT_TIME, 1000);
    hf_message_set_i64(point, HF_NUMBER_INT, value);
    return point;
}

static void points_of_the_same_labels_become_one(void **state)
{
    static const struct {
        enum hf_merge by;
        int64_t value;
    } rows[] = {{HF_MERGE_SUM, 16}, {HF_MERGE_MAX, 9},    {HF_MERGE_MIN, 3},
                {HF_MERGE_MEAN, 5}, {HF_MERGE_MEDIAN, 4}, {HF_MERGE_COUNT, 3}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hf_document *document = hf_document_borrow(HF_METRICS, HF_EMPTY_SLICE);
        struct hf_arena arena = {.limit = 1 << 20};
        struct hf_message *scope =
            hf_message_append(hf_message_append(hf_document_root(document), 1), 2);
        struct hf_message *data =
            hf_message_need(hf_message_append(scope, HF_SCOPE_METRICS_METRICS), HF_METRIC_GAUGE);
        add_number(data, "a", 4);
        add_number(data, "b", 100);
        add_number(data, "a", 9);
        add_number(data, "a", 3);
        hf_message_set_u64(add_number(data, "a", 50), HF_POINT_TIME, 2000); /* another time */
        assert_int_equal(hf_merge_points(data, rows[i].by, &arena), HF_OK);
        assert_int_equal(hf_message_count(data, HF_DATA_POINTS), 3);
        assert_int_equal(hf_message_i64(hf_message_first(data, HF_DATA_POINTS), HF_NUMBER_INT),
                         rows[i].value);
        hf_arena_release(&arena);
        hf_document_return(document);
    }
}

static void merging_without_memory_says_so(void **state)
{
    struct hf_document *document = hf_document_borrow(HF_METRICS, HF_EMPTY_SLICE);
    struct hf_arena arena = {.limit = 0};
    (void)state;
    struct hf_message *scope =
        hf_message_append(hf_message_append(hf_document_root(document), 1), 2);
    struct hf_message *data =
        hf_message_need(hf_message_append(scope, HF_SCOPE_METRICS_METRICS), HF_METRIC_GAUGE);
    add_number(data, "a", 4);
    add_number(data, "a", 9);
    assert_int_equal(hf_merge_points(data, HF_MERGE_SUM, &arena), HF_NOMEM);
    hf_document_return(document);
}

/* ---- series ---- */

static void series_are_told_apart(void **state)
{
    struct hf_document *document = hf_document_borrow(HF_METRICS, HF_EMPTY_SLICE);
    struct hf_series_memory memory = {.metric = NULL};
    (void)state;
    struct hf_message *group = hf_message_append(hf_document_root(document), 1);
    struct hf_message *scope = hf_message_append(group, 2);
    struct hf_message *metric = hf_message_append(scope, HF_SCOPE_METRICS_METRICS);
    hf_message_set_bytes(metric, HF_METRIC_NAME, hf_slice_text("m"));
    struct hf_message *data = hf_message_need(metric, HF_METRIC_SUM);
    struct hf_place place = {.document = document,
                             .resource_group = group,
                             .scope_group = scope,
                             .metric = metric,
                             .data = data};
    place.item = add_number(data, "a", 1);
    struct hf_hash first = hf_series_point(&memory, &place);
    place.item = add_number(data, "a", 2); /* another value */
    assert_true(hf_hash_equal(first, hf_series_point(&memory, &place)));
    place.item = add_number(data, "b", 1);
    assert_false(hf_hash_equal(first, hf_series_point(&memory, &place)));
    place.item = add_number(data, "a", 1);
    hf_message_set_u64(data, HF_SUM_IS_MONOTONIC, 1);
    memory = (struct hf_series_memory){.metric = NULL};
    assert_false(hf_hash_equal(first, hf_series_point(&memory, &place)));
    hf_document_return(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_say_the_same_again),
        cmocka_unit_test(points_of_the_same_labels_become_one),
        cmocka_unit_test(merging_without_memory_says_so),
        cmocka_unit_test(series_are_told_apart),
    };
    return cmocka_run_group_tests_name("point", tests, NULL, NULL);
}
