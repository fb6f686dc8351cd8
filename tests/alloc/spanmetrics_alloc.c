/* Metrics of spans when memory runs out: a request counts as a whole or not at all, and what is
 * passed on is complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three before it */

#include "components/connectors/spanmetrics/spanmetrics_fold.h"
#include "components/connectors/spanmetrics/spanmetrics_state.h"
#include "pdata/any_make.h"
#include "pdata/document.h"
#include "pdata/message.h"

#include "failing.h"

#define SPANS 40u

struct bench {
    struct spanmetrics_config config;
    struct spanmetrics_dimensions dimensions;
    struct spanmetrics_state state;
    struct spanmetrics_fold fold;
};

static void begin(struct bench *bench)
{
    static const struct spanmetrics_dimension_config dimensions[] = {{.name = "zone"}};
    *bench = (struct bench){.config = {.dimensions = {dimensions, 1},
                                       .resource_metrics_cache_size = 10,
                                       .metric_timestamp_cache_size = 10,
                                       .namespace_ = "n",
                                       .exemplars = {true, 2},
                                       .max_series = 1000}};
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

/* A request whose spans have names and zones of their own. */
static struct hf_bytes make_request(void)
{
    struct hf_document *document = hf_document_borrow(HF_TRACES, HF_EMPTY_SLICE);
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *group = hf_message_append(hf_document_root(document), 1);
    struct hf_message *scope = hf_message_append(group, 2);
    struct hf_bytes bytes = {0};
    hf_attributes_set(hf_message_attributes(hf_message_need(group, 1), 1),
                      hf_slice_text("service.name"),
                      hf_any_make_string(&maker, hf_slice_text("s")));
    for (unsigned i = 0; i < SPANS; i++) {
        struct hf_message *span = hf_message_append(scope, 2);
        uint8_t id[16] = {1, (uint8_t)i};
        char name[16];
        snprintf(name, sizeof(name), "name %u", i % 20);
        hf_message_set_bytes(span, 1, hf_slice_of(id, sizeof(id)));
        hf_message_set_bytes(span, 5, hf_slice_text(name));
        hf_attributes_set(hf_message_attributes(span, 9), hf_slice_text("zone"),
                          hf_any_make_int(&maker, i % 3));
    }
    assert_int_equal(hf_document_write(document, &bytes), HF_OK);
    hf_document_return(document);
    return bytes;
}

static uint64_t count_of(const struct bench *bench)
{
    uint64_t count = 0;
    for (const struct spanmetrics_resource *one = bench->state.table.first; one != NULL;
         one = one->next) {
        const struct spanmetrics_series *series = one->metrics[SPANMETRICS_CALLS].first;
        for (; series != NULL; series = series->next) {
            count += series->count;
        }
        uint64_t durations = 0;
        series = one->metrics[SPANMETRICS_DURATION].first;
        for (; series != NULL; series = series->next) {
            durations += series->distribution->count;
        }
        assert_int_equal(durations, count);
    }
    return count;
}

static bool folded(void)
{
    struct bench bench;
    struct hf_bytes request = make_request();
    const struct hf_slice raw = hf_slice_of(request.data, request.size);
    begin(&bench);
    alloc_begin();
    enum hf_status status = spanmetrics_fold_request(&bench.fold, raw, 1);
    alloc_end();
    assert_true(status == HF_OK || status == HF_NOMEM);
    assert_int_equal(count_of(&bench), status == HF_OK ? SPANS : 0);
    if (status != HF_OK) {
        assert_int_equal(spanmetrics_fold_request(&bench.fold, raw, 1), HF_OK);
        assert_int_equal(count_of(&bench), SPANS);
    }
    end(&bench);
    hf_bytes_release(&request);
    return status == HF_OK;
}

/* Points of a whole flush; asks again when memory ran out. */
static uint32_t flush(struct bench *bench, bool *ret_is_whole)
{
    uint32_t items = 0;
    struct hf_batch *batch = NULL;
    *ret_is_whole = true;
    spanmetrics_flush_begin(&bench->state, 2);
    alloc_begin();
    enum hf_status status = spanmetrics_flush_next(&bench->state, &batch);
    alloc_end();
    while (status != HF_OK || batch != NULL) {
        assert_true(status == HF_OK || status == HF_NOMEM);
        *ret_is_whole = *ret_is_whole && status == HF_OK;
        if (batch != NULL) {
            items += batch->items;
            hf_ref_drop(&batch->ref);
        }
        batch = NULL;
        status = spanmetrics_flush_next(&bench->state, &batch);
    }
    spanmetrics_flush_end(&bench->state);
    return items;
}

static bool flushed(void)
{
    struct bench bench;
    struct hf_bytes request = make_request();
    bool is_whole = false;
    begin(&bench);
    assert_int_equal(
        spanmetrics_fold_request(&bench.fold, hf_slice_of(request.data, request.size), 1), HF_OK);
    size_t series = bench.state.table.series_count;
    assert_int_equal(flush(&bench, &is_whole), series);
    end(&bench);
    hf_bytes_release(&request);
    return is_whole;
}

int main(int argc, char **argv)
{
    static const struct alloc_scenario scenarios[] = {
        {"folded", folded, false},
        {"flushed", flushed, false},
        {NULL, NULL, false},
    };
    return alloc_main(argc, argv, scenarios);
}
