/* Calls are paired by trace and span, whichever side comes first, and what is alone is named. */
#include "components/connectors/servicegraph/servicegraph_fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/message.h"
#include "pdata/scan.h"
#include "pdata/walk.h"
#include "tests/support/node_stub.c"
#include "util/time/clock.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

enum { INTERNAL = 1, SERVER, CLIENT, PRODUCER, CONSUMER };

struct span {
    const char *service; /* NULL: none */
    int64_t kind;
    uint8_t trace, id, parent; /* the first byte of each; 0: zeros */
    bool has_failed;
    const char *zone, *of_resource; /* `zone` of the span, of the resource */
    const char *peer, *database;    /* peer.service, db.name */
};

static const struct servicegraph_config plain = {.store = {.ttl_ns = 100, .max_items = 10},
                                                 .max_series = 100};

static void set(struct hf_message *owner, uint32_t number, const char *key, const char *text)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(hf_message_document(owner))};
    if (text != NULL) {
        hf_attributes_set(hf_message_attributes(owner, number), hf_slice_text(key),
                          hf_any_make_string(&maker, hf_slice_text(text)));
    }
}

static void fill(struct hf_message *root, const struct span *wanted)
{
    struct hf_message *group = hf_message_append(root, 1);
    struct hf_message *resource = hf_message_need(group, 1);
    struct hf_message *span = hf_message_append(hf_message_append(group, 2), 2);
    const uint8_t trace[16] = {wanted->trace}, id[8] = {wanted->id}, parent[8] = {wanted->parent};
    set(resource, 1, "service.name", wanted->service);
    set(resource, 1, "zone", wanted->of_resource);
    hf_message_set_bytes(span, 1, hf_slice_of(trace, 16));
    hf_message_set_bytes(span, 2, hf_slice_of(id, 8));
    hf_message_set_bytes(span, 4, hf_slice_of(parent, 8));
    hf_message_set_i64(span, 6, wanted->kind);
    hf_message_set_u64(span, 7, HF_NS_PER_S);
    hf_message_set_u64(span, 8, HF_NS_PER_S + 5 * HF_NS_PER_MS);
    set(span, 9, "zone", wanted->zone);
    set(span, 9, "peer.service", wanted->peer);
    set(span, 9, "db.name", wanted->database);
    if (wanted->has_failed) {
        hf_message_set_i64(hf_message_need(span, 15), 3, 2);
    }
}

static struct hf_batch *batch_of(const struct span *spans, size_t count)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, HF_EMPTY_SLICE);
    struct hf_bytes bytes = {0};
    for (size_t i = 0; i < count; i++) {
        fill(hf_document_root(document), &spans[i]);
    }
    assert_int_equal(hf_document_write(document, &bytes), HF_OK);
    hf_document_return(document);
    struct hf_batch *batch = hf_batch_new(HF_TRACES, bytes.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), bytes.data, bytes.size);
    hf_batch_seal(batch, bytes.size, (uint32_t)count);
    hf_bytes_release(&bytes);
    return batch;
}

static void fold(struct servicegraph_fold *graph, const struct span *spans, size_t count)
{
    struct hf_batch *batch = batch_of(spans, count);
    assert_int_equal(servicegraph_fold_request(graph, batch, 1000), HF_OK);
    hf_ref_drop(&batch->ref);
}
#define FOLD(graph, ...)                                                                           \
    fold(graph, (const struct span[]){__VA_ARGS__},                                                \
         sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span))

static char shown[4096];

/* A line for each point of the sums. */
static const char *flush(struct servicegraph_fold *graph)
{
    struct hf_batch *batch = NULL;
    size_t size = 0;
    shown[0] = '\0';
    servicegraph_flush_begin(&graph->table, 2000);
    assert_int_equal(servicegraph_flush_next(&graph->table, &batch), HF_OK);
    while (batch != NULL) {
        struct hf_scan scan;
        assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
        struct hf_document *document = hf_document_borrow(HF_METRICS, batch->raw);
        struct hf_place place = {.document = document};
        while (hf_place_next_item(&place)) {
            struct hf_slice name = hf_message_bytes(place.metric, 1);
            if (hf_message_one(place.metric, 7) == NULL) {
                continue;
            }
            size += (size_t)snprintf(shown + size, sizeof(shown) - size, "%.*s %lld",
                                     (int)(name.size - 21), (const char *)name.data + 21,
                                     (long long)hf_message_i64(place.item, 6));
            const struct hf_attributes *attributes = hf_message_attributes(place.item, 7);
            for (size_t i = 0; i < attributes->count; i++) {
                struct hf_bytes text = {0};
                assert_int_equal(hf_any_text(attributes->items[i].value, &text), HF_OK);
                size +=
                    (size_t)snprintf(shown + size, sizeof(shown) - size, " %.*s", (int)text.size,
                                     text.size != 0 ? (const char *)text.data : "");
                hf_bytes_release(&text);
            }
            size += (size_t)snprintf(shown + size, sizeof(shown) - size, "\n");
        }
        hf_document_return(document);
        hf_ref_drop(&batch->ref);
        batch = NULL;
        assert_int_equal(servicegraph_flush_next(&graph->table, &batch), HF_OK);
    }
    return shown;
}

static void pairs_the_spans_of_a_call(void **state)
{
    struct servicegraph_fold graph = {0};
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &plain), HF_OK);
    FOLD(&graph, {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0},
         {.service = "cart", .kind = SERVER, .trace = 1, .id = 2, .parent = 1});
    FOLD(&graph, {.service = "cart", .kind = SERVER, .trace = 2, .id = 2, .parent = 1},
         {.service = "front",
          .kind = CLIENT,
          .trace = 2,
          .id = 1,
          .parent = 0}); /* the other way round */
    FOLD(&graph, {.service = "front", .kind = CLIENT, .trace = 3, .id = 1, .parent = 0});
    FOLD(&graph,
         {.service = "cart", .kind = SERVER, .trace = 3, .id = 2, .parent = 1, .has_failed = true});
    FOLD(&graph, {.service = "cart", .kind = SERVER, .trace = 4, .id = 2, .parent = 9},
         {.service = "x", .kind = INTERNAL, .trace = 4, .id = 9, .parent = 0},
         {.service = NULL, .kind = CLIENT, .trace = 4, .id = 9, .parent = 0});
    assert_string_equal(flush(&graph), "request_total 2 front cart  false\n"
                                       "request_total 1 front cart  true\n"
                                       "request_failed_total 1 front cart  true\n");
    assert_int_equal(graph.edges_made, 4);
    assert_int_equal(graph.edges.count, 1);
    servicegraph_fold_release(&graph);
}

static void tells_messages_and_databases(void **state)
{
    struct servicegraph_fold graph = {0};
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &plain), HF_OK);
    FOLD(&graph, {.service = "front", .kind = PRODUCER, .trace = 1, .id = 1, .parent = 0},
         {.service = "worker", .kind = CONSUMER, .trace = 1, .id = 2, .parent = 1});
    FOLD(&graph, {.service = "front",
                  .kind = CLIENT,
                  .trace = 2,
                  .id = 1,
                  .parent = 0,
                  .database = "orders"});
    assert_string_equal(flush(&graph), "request_total 1 front worker messaging_system false\n"
                                       "request_total 1 front orders database false\n");
    assert_int_equal(graph.edges.count, 0);
    servicegraph_fold_release(&graph);
}

static void shows_attributes_of_both_sides(void **state)
{
    struct servicegraph_config config = plain;
    struct servicegraph_fold graph = {0};
    config.dimensions = (struct hf_string_list)LIST("zone");
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &config), HF_OK);
    FOLD(&graph,
         {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0, .zone = "a"},
         {.service = "cart",
          .kind = SERVER,
          .trace = 1,
          .id = 2,
          .parent = 1,
          .zone = "b",
          .of_resource = "c"});
    FOLD(&graph, {.service = "front", .kind = CLIENT, .trace = 2, .id = 1, .parent = 0},
         {.service = "cart", .kind = SERVER, .trace = 2, .id = 2, .parent = 1});
    assert_string_equal(flush(&graph), "request_total 1 front cart  false a c\n"
                                       "request_total 1 front cart  false\n");
    servicegraph_fold_release(&graph);
}

static void names_the_side_that_never_came(void **state)
{
    struct servicegraph_config config = plain;
    struct servicegraph_fold graph = {0};
    config.virtual_node_extra_label = true;
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &config), HF_OK);
    FOLD(&graph,
         {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0, .peer = "outside"},
         {.service = "front", .kind = CLIENT, .trace = 2, .id = 1, .parent = 0},
         {.service = "cart", .kind = SERVER, .trace = 3, .id = 1, .parent = 0},
         {.service = "cart", .kind = SERVER, .trace = 4, .id = 1, .parent = 7});
    assert_false(servicegraph_fold_expire(&graph, 1100));
    assert_true(servicegraph_fold_expire(&graph, 1101));
    assert_int_equal(graph.edges_expired, 4);
    assert_int_equal(graph.edges.count, 0);
    assert_string_equal(flush(&graph), "request_total 1 front outside virtual_node false server\n"
                                       "request_total 1 front unknown virtual_node false server\n"
                                       "request_total 1 user cart virtual_node false client\n");
    servicegraph_fold_release(&graph);
}

static void names_none_when_there_are_no_attributes_for_it(void **state)
{
    struct servicegraph_config config = plain;
    struct servicegraph_fold graph = {0};
    config.has_peer_attributes = true;
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &config), HF_OK);
    FOLD(&graph,
         {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0, .peer = "outside"});
    assert_true(servicegraph_fold_expire(&graph, 1101));
    assert_string_equal(flush(&graph), "");
    servicegraph_fold_release(&graph);
}

static void keeps_to_its_limits(void **state)
{
    struct servicegraph_config config = plain;
    struct servicegraph_fold graph = {0};
    config.store.max_items = 1;
    config.max_series = 1;
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &config), HF_OK);
    FOLD(&graph, {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0},
         {.service = "front", .kind = CLIENT, .trace = 2, .id = 1, .parent = 0});
    assert_int_equal(graph.spans_dropped, 1);
    FOLD(&graph, {.service = "a", .kind = SERVER, .trace = 1, .id = 2, .parent = 1},
         {.service = "front", .kind = CLIENT, .trace = 3, .id = 1, .parent = 0},
         {.service = "b", .kind = SERVER, .trace = 3, .id = 2, .parent = 1},
         {.service = "front", .kind = CLIENT, .trace = 4, .id = 1, .parent = 0},
         {.service = "c", .kind = SERVER, .trace = 4, .id = 2, .parent = 1});
    assert_string_equal(flush(&graph), "request_total 1 front a  false\nrequest_total 2 true\n");
    servicegraph_fold_release(&graph);
}

static void folds_only_the_rest_of_a_request(void **state)
{
    const struct span spans[] = {
        {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0, .database = "d"},
        {.service = "front", .kind = CLIENT, .trace = 2, .id = 1, .parent = 0, .database = "d"}};
    struct hf_batch *batch = batch_of(spans, 2), *other = batch_of(spans, 1);
    struct servicegraph_fold graph = {0};
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &plain), HF_OK);
    graph.progress =
        (struct servicegraph_progress){batch->received_ns, batch->raw.size, batch->items, 1};
    assert_int_equal(servicegraph_fold_request(&graph, other, 1000), HF_NOMEM);
    assert_int_equal(servicegraph_fold_request(&graph, batch, 1000), HF_OK);
    assert_string_equal(flush(&graph), "request_total 1 front d database false\n");
    assert_int_equal(servicegraph_fold_request(&graph, other, 1000), HF_OK);
    hf_ref_drop(&batch->ref);
    hf_ref_drop(&other->ref);
    servicegraph_fold_release(&graph);
}

static void forgets_idle_series(void **state)
{
    struct servicegraph_fold graph = {0};
    (void)state;
    assert_int_equal(servicegraph_fold_init(&graph, &plain), HF_OK);
    FOLD(&graph,
         {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0, .database = "d"});
    servicegraph_table_expire(&graph.table, 1000);
    assert_int_equal(graph.table.count, 1);
    servicegraph_table_expire(&graph.table, 1001);
    assert_int_equal(graph.table.count, 0);
    servicegraph_fold_release(&graph);
}

static void goes_on_after_a_restart(void **state)
{
    struct servicegraph_config config = plain;
    struct servicegraph_fold before = {0}, after = {0};
    struct hf_state_writer writer;
    struct hf_state_reader reader;
    char path[] = "/tmp/holdfast_servicegraph_XXXXXX";
    (void)state;
    config.dimensions = (struct hf_string_list)LIST("zone");
    close(mkstemp(path));
    assert_int_equal(servicegraph_fold_init(&before, &config), HF_OK);
    assert_int_equal(servicegraph_fold_init(&after, &config), HF_OK);
    FOLD(&before, {.service = "front", .kind = CLIENT, .trace = 1, .id = 1, .parent = 0},
         {.service = "cart", .kind = SERVER, .trace = 1, .id = 2, .parent = 1});
    FOLD(&before, {.service = "front",
                   .kind = CLIENT,
                   .trace = 2,
                   .id = 1,
                   .parent = 0,
                   .zone = "z",
                   .has_failed = true});
    hf_state_file_write_begin(&writer, path, "HFGRAPH1");
    servicegraph_edges_save(&before.edges, &writer);
    servicegraph_table_save(&before.table, &writer);
    assert_int_equal(hf_state_file_write_end(&writer), HF_OK);
    assert_int_equal(hf_state_file_read_begin(&reader, path, "HFGRAPH1"), HF_OK);
    servicegraph_edges_load(&after.edges, 1, true, &reader);
    servicegraph_table_load(&after.table, &reader);
    assert_int_equal(hf_state_file_read_end(&reader), HF_OK);
    FOLD(&after, {.service = "cart", .kind = SERVER, .trace = 2, .id = 2, .parent = 1});
    assert_string_equal(flush(&after), "request_total 1 front cart  false\n"
                                       "request_total 1 front cart  true z\n"
                                       "request_failed_total 1 front cart  true z\n");
    servicegraph_fold_release(&before);
    servicegraph_fold_release(&after);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_the_spans_of_a_call),
        cmocka_unit_test(tells_messages_and_databases),
        cmocka_unit_test(shows_attributes_of_both_sides),
        cmocka_unit_test(names_the_side_that_never_came),
        cmocka_unit_test(names_none_when_there_are_no_attributes_for_it),
        cmocka_unit_test(keeps_to_its_limits),
        cmocka_unit_test(folds_only_the_rest_of_a_request),
        cmocka_unit_test(forgets_idle_series),
        cmocka_unit_test(goes_on_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
