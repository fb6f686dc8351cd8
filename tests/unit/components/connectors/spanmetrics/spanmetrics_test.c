/* Spans count in the series that they belong to, within the limits, and over a restart. */
#include "components/connectors/spanmetrics/spanmetrics_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h> /* needs the three before it */

#include "components/connectors/spanmetrics/spanmetrics_fold.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/message.h"
#include "pdata/scan.h"
#include "pdata/walk.h"
#include "tests/support/node_stub.c"
#include "util/time/clock.h"

#define DIMENSIONS(...)                                                                            \
    {                                                                                              \
        (const struct spanmetrics_dimension_config[]){__VA_ARGS__},                                \
            sizeof((const struct spanmetrics_dimension_config[]){__VA_ARGS__}) /                   \
                sizeof(struct spanmetrics_dimension_config)                                        \
    }
#define LIST(...)                                                                                  \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

struct bench {
    struct spanmetrics_config config;
    struct spanmetrics_dimensions dimensions;
    struct spanmetrics_state state;
    struct spanmetrics_fold fold;
    char shown[4096]; /* a line for each point: metric, value, attributes in their order */
};

static const struct spanmetrics_config plain = {
    .resource_metrics_cache_size = 100,
    .metric_timestamp_cache_size = 100,
    .namespace_ = "",
    .exclude_dimensions = LIST("collector.instance.id", "span.kind", "service.name", "status.code"),
    .histogram.disable = true,
    .max_series = 1000};

static void begin(struct bench *bench, const struct spanmetrics_config *config)
{
    *bench = (struct bench){.config = *config};
    assert_null(spanmetrics_check(&bench->config));
    assert_int_equal(spanmetrics_dimensions_init(&bench->dimensions, &bench->config), HF_OK);
    assert_int_equal(spanmetrics_state_init(&bench->state, &bench->config), HF_OK);
    assert_int_equal(spanmetrics_fold_init(&bench->fold, &bench->config, &bench->dimensions,
                                           &bench->state.table),
                     HF_OK);
    bench->fold.instance_id = bench->state.instance_id;
}

static void end(struct bench *bench)
{
    spanmetrics_fold_release(&bench->fold);
    spanmetrics_state_release(&bench->state);
    spanmetrics_dimensions_release(&bench->dimensions);
}

struct span {
    const char *name, *zone;         /* the attribute `zone`, NULL: none */
    int64_t number;                  /* `number`, when not 0 */
    const char *service, *region;    /* of the resource; service NULL: "s" */
    const char *trace_state, *event; /* an event with this `zone` */
    uint64_t duration_ms;
    bool has_no_service;
};

static void set(struct hf_message *owner, uint32_t number, const char *key, struct hf_slice value)
{
    hf_attributes_set(hf_message_attributes(owner, number), hf_slice_text(key), value);
}

/* A scope of the resource that the first span has. */
static struct hf_message *make_scope(struct hf_document *document, const struct span *wanted)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *group = hf_message_append(hf_document_root(document), 1);
    struct hf_message *resource = hf_message_need(group, 1);
    const char *service = wanted->service != NULL ? wanted->service : "s";
    if (!wanted->has_no_service) {
        set(resource, 1, "service.name", hf_any_make_string(&maker, hf_slice_text(service)));
    }
    if (wanted->region != NULL) {
        set(resource, 1, "region", hf_any_make_string(&maker, hf_slice_text(wanted->region)));
    }
    return hf_message_append(group, 2);
}

static void add_span(struct hf_document *document, struct hf_message *scope,
                     const struct span *wanted)
{
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *span = hf_message_append(scope, 2);
    const uint8_t id[16] = {1};
    hf_message_set_bytes(span, 1, hf_slice_of(id, 16));
    hf_message_set_bytes(span, 2, hf_slice_of(id, 8));
    hf_message_set_bytes(span, 5, hf_slice_text(wanted->name));
    hf_message_set_u64(span, 7, HF_NS_PER_S);
    hf_message_set_u64(span, 8, HF_NS_PER_S + wanted->duration_ms * HF_NS_PER_MS);
    if (wanted->trace_state != NULL) {
        hf_message_set_bytes(span, 3, hf_slice_text(wanted->trace_state));
    }
    if (wanted->zone != NULL) {
        set(span, 9, "zone", hf_any_make_string(&maker, hf_slice_text(wanted->zone)));
    }
    if (wanted->number != 0) {
        set(span, 9, "number", hf_any_make_int(&maker, wanted->number));
    }
    if (wanted->event != NULL) {
        struct hf_message *event = hf_message_append(span, 11);
        set(event, 3, "zone", hf_any_make_string(&maker, hf_slice_text(wanted->event)));
    }
}

/* In one request. */
static enum hf_status fold_many(struct bench *bench, const struct span *spans, size_t count,
                                uint64_t now_ns)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, HF_EMPTY_SLICE);
    struct hf_message *scope = make_scope(document, spans);
    struct hf_bytes bytes = {0};
    for (size_t i = 0; i < count; i++) {
        add_span(document, scope, &spans[i]);
    }
    assert_int_equal(hf_document_write(document, &bytes), HF_OK);
    hf_document_return(document);
    enum hf_status status =
        spanmetrics_fold_request(&bench->fold, hf_slice_of(bytes.data, bytes.size), now_ns);
    hf_bytes_release(&bytes);
    return status;
}

static enum hf_status fold_at(struct bench *bench, const struct span *span, uint64_t now_ns)
{
    return fold_many(bench, span, 1, now_ns);
}

static void fold(struct bench *bench, const struct span *span)
{
    assert_int_equal(fold_at(bench, span, 1000), HF_OK);
}

static void show_point(struct bench *bench, const struct hf_place *place)
{
    static const uint32_t attributes_numbers[] = {[7] = 7, [9] = 9, [10] = 1};
    uint32_t kind = hf_message_one(place->metric, 7) != NULL   ? 7
                    : hf_message_one(place->metric, 9) != NULL ? 9
                                                               : 10;
    struct hf_slice name = hf_message_bytes(place->metric, 1);
    char line[512];
    size_t size = 0;
    struct hf_attributes *attributes = hf_message_attributes(place->item, attributes_numbers[kind]);
    uint64_t start_ns = hf_message_u64(place->item, 2);
    size += (size_t)snprintf(line, sizeof(line), "%.*s %lld from %llu", (int)name.size,
                             (const char *)name.data,
                             (long long)(kind == 7 ? hf_message_i64(place->item, 6)
                                                   : (int64_t)hf_message_u64(place->item, 4)),
                             (unsigned long long)start_ns);
    for (size_t i = 0; i < attributes->count; i++) {
        struct hf_bytes text = {0};
        assert_int_equal(hf_any_text(attributes->items[i].value, &text), HF_OK);
        size += (size_t)snprintf(
            line + size, sizeof(line) - size, " %.*s=%.*s", (int)attributes->items[i].key.size,
            (const char *)attributes->items[i].key.data, (int)text.size, (const char *)text.data);
        hf_bytes_release(&text);
    }
    size_t at = strlen(bench->shown);
    snprintf(bench->shown + at, sizeof(bench->shown) - at, "%s\n", line);
}

/* A whole flush, as text. */
static const char *flush_at(struct bench *bench, uint64_t now_ns)
{
    bench->shown[0] = '\0';
    spanmetrics_flush_begin(&bench->state, now_ns);
    struct hf_batch *batch = NULL;
    do {
        batch = NULL;
        assert_int_equal(spanmetrics_flush_next(&bench->state, &batch), HF_OK);
        if (batch != NULL) {
            struct hf_scan scan;
            assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
            struct hf_document *document = hf_document_borrow(HF_METRICS, batch->raw);
            struct hf_place place = {.document = document};
            while (hf_place_next_item(&place)) {
                show_point(bench, &place);
            }
            hf_document_return(document);
            hf_ref_drop(&batch->ref);
        }
    } while (batch != NULL);
    spanmetrics_flush_end(&bench->state);
    return bench->shown;
}

/* The first flush of cumulative sums shows zeros. */
static const char *flush_twice(struct bench *bench)
{
    flush_at(bench, 2000);
    return flush_at(bench, 3000);
}

static void counts_many_spans_of_a_request_as_each_alone(void **state)
{
    enum { COUNT = 3 * SPANMETRICS_BLOCK + 5 };
    static const char *const names[] = {"get", "put", "delete"}, *const zones[] = {"a", "b", NULL};
    struct spanmetrics_config configs[] = {plain, plain, plain};
    struct span spans[COUNT];
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        spans[i] = (struct span){.name = names[i % 3],
                                 .zone = zones[i / 5 % 3],
                                 .event = i % 4 == 0 ? zones[i % 2] : NULL,
                                 .number = (int64_t)(i % 2),
                                 .duration_ms = i};
    }
    configs[1].histogram.disable = false; /* calls and durations of one key */
    configs[2].histogram.disable = false;
    configs[2].max_series = 9; /* some have no room */
    configs[2].histogram.dimensions = (struct hf_struct_list)DIMENSIONS({.name = "number"});
    for (size_t c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
        struct bench together, alone;
        configs[c].dimensions = (struct hf_struct_list)DIMENSIONS({.name = "zone"});
        configs[c].events.enabled = true;
        configs[c].events.dimensions = (struct hf_struct_list)DIMENSIONS({.name = "number"});
        begin(&together, &configs[c]);
        begin(&alone, &configs[c]);
        assert_int_equal(fold_many(&together, spans, COUNT, 1000), HF_OK);
        for (size_t i = 0; i < COUNT; i++) {
            fold(&alone, &spans[i]);
        }
        assert_string_not_equal(flush_twice(&together), "");
        assert_string_equal(together.shown, flush_twice(&alone));
        assert_int_equal(together.fold.overflowed, alone.fold.overflowed);
        end(&together);
        end(&alone);
    }
}

static void counts_by_dimensions(void **state)
{
    struct spanmetrics_config config = plain;
    config.dimensions = (struct hf_struct_list)DIMENSIONS(
        {.name = "zone"}, {.name = "number", .fallback = "none", .has_fallback = true},
        {.name = "region"});
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a", .zone = "z"});
    fold(&bench, &(struct span){.name = "a", .zone = "z"});
    fold(&bench, &(struct span){.name = "a", .number = 7});
    fold(&bench, &(struct span){.name = "b", .region = "eu"});
    fold(&bench, &(struct span){.name = "c", .has_no_service = true});
    assert_string_equal(flush_at(&bench, 2000),
                        "calls 0 from 1000 span.name=a zone=z number=none\n"
                        "calls 0 from 1000 span.name=a number=7\n"
                        "calls 0 from 1000 span.name=b number=none region=eu\n");
    fold(&bench, &(struct span){.name = "a", .zone = "z"});
    assert_string_equal(flush_at(&bench, 3000),
                        "calls 3 from 1000 span.name=a zone=z number=none\n"
                        "calls 1 from 1000 span.name=a number=7\n"
                        "calls 1 from 1000 span.name=b number=none region=eu\n");
    end(&bench);
}

static void takes_attributes_by_glob(void **state)
{
    struct spanmetrics_config config = plain;
    config.dimensions = (struct hf_struct_list)DIMENSIONS({.glob = "{zone,num*,reg*}"});
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a", .zone = "z", .number = 1, .region = "eu"});
    assert_string_equal(flush_twice(&bench),
                        "calls 1 from 1000 span.name=a number=1 zone=z region=eu\n");
    end(&bench);
}

static void has_dimensions_of_one_metric_alone(void **state)
{
    struct spanmetrics_config config = plain;
    config.histogram.disable = false;
    config.calls_dimensions = (struct hf_struct_list)DIMENSIONS({.name = "zone"});
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a", .zone = "x", .duration_ms = 5});
    fold(&bench, &(struct span){.name = "a", .zone = "y", .duration_ms = 5});
    assert_string_equal(flush_twice(&bench), "calls 1 from 1000 span.name=a zone=x\n"
                                             "calls 1 from 1000 span.name=a zone=y\n"
                                             "duration 2 from 1000 span.name=a\n");
    end(&bench);
}

static void counts_events_by_their_attributes(void **state)
{
    struct spanmetrics_config config = plain;
    config.events.enabled = true;
    config.events.dimensions = (struct hf_struct_list)DIMENSIONS({.name = "zone"});
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a", .event = "e"});
    fold(&bench, &(struct span){.name = "a", .event = "f", .zone = "of the span"});
    assert_string_equal(flush_twice(&bench), "calls 2 from 1000 span.name=a\n"
                                             "events 1 from 1000 span.name=a zone=e\n"
                                             "events 1 from 1000 span.name=a zone=of the span\n");
    end(&bench);
}

static void counts_what_a_sampled_span_stands_for(void **state)
{
    struct spanmetrics_config config = plain;
    config.enable_metrics_sampling_method = true;
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a", .trace_state = "ot=th:c"});
    fold(&bench, &(struct span){.name = "a", .trace_state = "x=1"});
    assert_string_equal(flush_twice(&bench),
                        "calls 4 from 1000 span.name=a sampling.method=extrapolated\n"
                        "calls 1 from 1000 span.name=a sampling.method=counted\n");
    end(&bench);
}

static void counts_beyond_the_limit_as_overflow(void **state)
{
    struct spanmetrics_config config = plain;
    config.aggregation_cardinality_limit = 2;
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    for (const char *name = "abcda"; *name != '\0'; name++) {
        const char text[] = {*name, '\0'};
        fold(&bench, &(struct span){.name = text});
    }
    assert_int_equal(bench.fold.overflowed, 2);
    assert_string_equal(flush_twice(&bench), "calls 2 from 1000 span.name=a\n"
                                             "calls 1 from 1000 span.name=b\n"
                                             "calls 2 from 1000 otel.metric.overflow=true\n");
    end(&bench);
}

static void forgets_the_resource_that_was_idle_for_longest(void **state)
{
    struct spanmetrics_config config = plain;
    config.resource_metrics_cache_size = 1;
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a", .service = "1"});
    fold(&bench, &(struct span){.name = "a", .service = "2"});
    assert_int_equal(fold_at(&bench, &(struct span){.name = "a", .service = "3"}, 1000), HF_FULL);
    flush_at(&bench, 2000); /* with the evicted one, which is gone then */
    assert_int_equal(bench.state.table.resource_count, 1);
    fold(&bench, &(struct span){.name = "a", .service = "3"});
    fold(&bench, &(struct span){.name = "a", .service = "2"}); /* back before it was forgotten */
    flush_at(&bench, 3000);
    assert_int_equal(bench.state.table.resource_count, 1);
    assert_string_equal(flush_at(&bench, 4000), "calls 2 from 1000 span.name=a\n");
    end(&bench);
}

static void tells_resources_apart_by_some_attributes(void **state)
{
    struct spanmetrics_config config = plain;
    config.resource_metrics_key_attributes = (struct hf_string_list)LIST("service.name");
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a", .region = "eu"});
    fold(&bench, &(struct span){.name = "a", .region = "us"});
    assert_int_equal(bench.state.table.resource_count, 1);
    end(&bench);
}

static void forgets_what_is_old(void **state)
{
    struct spanmetrics_config config = plain;
    config.series_expiration_ns = 1000;
    config.metrics_expiration_ns = 5000;
    config.histogram.disable = false;
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    assert_int_equal(fold_at(&bench, &(struct span){.name = "a"}, 1000), HF_OK);
    assert_int_equal(fold_at(&bench, &(struct span){.name = "b"}, 1500), HF_OK);
    flush_at(&bench, 2000); /* a is as old as may be */
    assert_string_equal(flush_at(&bench, 2100), "calls 1 from 1500 span.name=b\n"
                                                "duration 1 from 1500 span.name=b\n");
    flush_at(&bench, 2500);
    assert_int_equal(bench.state.table.series_count, 0);
    assert_int_equal(bench.state.table.resource_count, 1);
    flush_at(&bench, 6500);
    assert_int_equal(bench.state.table.resource_count, 0);
    end(&bench);
}

static void joins_the_intervals_of_deltas(void **state)
{
    struct spanmetrics_config config = plain;
    config.is_delta = 1;
    config.metric_timestamp_cache_size = 2;
    struct bench bench;
    (void)state;
    begin(&bench, &config);
    fold(&bench, &(struct span){.name = "a"});
    assert_string_equal(flush_at(&bench, 2000), "calls 1 from 1000 span.name=a\n");
    assert_string_equal(flush_at(&bench, 3000), "");
    assert_int_equal(fold_at(&bench, &(struct span){.name = "a"}, 3500), HF_OK);
    assert_string_equal(flush_at(&bench, 4000), "calls 1 from 2000 span.name=a\n");
    assert_int_equal(fold_at(&bench, &(struct span){.name = "b"}, 4500), HF_OK);
    assert_int_equal(fold_at(&bench, &(struct span){.name = "c"}, 4500), HF_OK);
    flush_at(&bench, 5000); /* they push `a` out */
    assert_int_equal(fold_at(&bench, &(struct span){.name = "a"}, 5500), HF_OK);
    assert_int_equal(fold_at(&bench, &(struct span){.name = "b"}, 5500), HF_OK);
    assert_string_equal(flush_at(&bench, 6000), "calls 1 from 5500 span.name=a\n"
                                                "calls 1 from 5000 span.name=b\n");
    end(&bench);
}

static void save(const struct bench *bench, const char *path)
{
    struct hf_state_writer writer;
    hf_state_file_write_begin(&writer, path, "HFSPANM1");
    spanmetrics_state_save(&bench->state, &writer);
    assert_int_equal(hf_state_file_write_end(&writer), HF_OK);
}

static bool load(struct bench *bench, const char *path)
{
    struct hf_state_reader reader;
    bool is_foreign = false;
    assert_int_equal(hf_state_file_read_begin(&reader, path, "HFSPANM1"), HF_OK);
    spanmetrics_state_load(&bench->state, &reader, &is_foreign);
    assert_int_equal(hf_state_file_read_end(&reader), HF_OK);
    return is_foreign;
}

static void goes_on_after_a_restart(void **state)
{
    static const struct spanmetrics_exponential_config exponential = {.max_size = 10};
    char path[] = "/tmp/holdfast_spanmetrics_XXXXXX";
    (void)state;
    close(mkstemp(path));
    for (size_t kind = 0; kind < 3; kind++) { /* given bounds, exponential, delta */
        struct spanmetrics_config config = plain;
        struct bench before, after;
        char shown[sizeof(before.shown)];
        config.histogram.disable = false;
        config.histogram.exponential = kind == 1 ? &exponential : NULL;
        config.is_delta = kind == 2;
        begin(&before, &config);
        fold(&before, &(struct span){.name = "gone"});
        flush_at(&before, 1500);
        fold(&before, &(struct span){.name = "a", .duration_ms = 3});
        fold(&before, &(struct span){.name = "a", .duration_ms = 300, .service = "other"});
        save(&before, path);
        begin(&after, &config);
        assert_false(load(&after, path));
        assert_string_equal(after.state.instance_id, before.state.instance_id);
        fold(&before, &(struct span){.name = "gone"});
        fold(&after, &(struct span){.name = "gone"});
        snprintf(shown, sizeof(shown), "%s", flush_at(&before, 2000));
        assert_string_equal(flush_at(&after, 2000), shown);
        assert_true(shown[0] != '\0');
        end(&before);
        end(&after);
    }
    unlink(path);
}

static void passes_on_the_state_of_another_configuration_as_it_was(void **state)
{
    char path[] = "/tmp/holdfast_spanmetrics_XXXXXX";
    struct spanmetrics_config config = plain;
    struct bench before, after;
    (void)state;
    close(mkstemp(path));
    config.is_delta = 1;
    config.namespace_ = "old";
    config.histogram.disable = false;
    begin(&before, &config);
    fold(&before, &(struct span){.name = "a"});
    save(&before, path);
    begin(&after, &plain);
    assert_true(load(&after, path));
    assert_string_equal(flush_at(&after, 2000), "old.calls 1 from 1000 span.name=a\n"
                                                "old.duration 1 from 1000 span.name=a\n");
    fold(&after, &(struct span){.name = "b"});
    assert_string_equal(flush_twice(&after), "calls 1 from 1000 span.name=b\n");
    end(&before);
    end(&after);
    unlink(path);
}

static void cuts_a_large_flush_into_batches(void **state)
{
    struct spanmetrics_config config = plain;
    struct bench bench;
    char name[2000];
    size_t batches = 0, items = 0;
    (void)state;
    begin(&bench, &config);
    memset(name, 'n', sizeof(name));
    for (int i = 0; i < 900; i++) {
        snprintf(name, sizeof(name), "%01900d", i);
        fold(&bench, &(struct span){.name = name, .service = i % 2 == 0 ? "x" : "y"});
    }
    spanmetrics_flush_begin(&bench.state, 2000);
    struct hf_batch *batch = NULL;
    assert_int_equal(spanmetrics_flush_next(&bench.state, &batch), HF_OK);
    while (batch != NULL) {
        batches++;
        items += batch->items;
        assert_true(batch->raw.size < ((size_t)600 << 10));
        hf_ref_drop(&batch->ref);
        batch = NULL;
        assert_int_equal(spanmetrics_flush_next(&bench.state, &batch), HF_OK);
    }
    spanmetrics_flush_end(&bench.state);
    assert_int_equal(items, 900);
    assert_true(batches > 2);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_dimensions),
        cmocka_unit_test(counts_many_spans_of_a_request_as_each_alone),
        cmocka_unit_test(takes_attributes_by_glob),
        cmocka_unit_test(has_dimensions_of_one_metric_alone),
        cmocka_unit_test(counts_events_by_their_attributes),
        cmocka_unit_test(counts_what_a_sampled_span_stands_for),
        cmocka_unit_test(counts_beyond_the_limit_as_overflow),
        cmocka_unit_test(forgets_the_resource_that_was_idle_for_longest),
        cmocka_unit_test(tells_resources_apart_by_some_attributes),
        cmocka_unit_test(forgets_what_is_old),
        cmocka_unit_test(joins_the_intervals_of_deltas),
        cmocka_unit_test(goes_on_after_a_restart),
        cmocka_unit_test(passes_on_the_state_of_another_configuration_as_it_was),
        cmocka_unit_test(cuts_a_large_flush_into_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
