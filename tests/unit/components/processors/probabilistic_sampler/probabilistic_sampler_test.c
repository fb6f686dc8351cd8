/*
 * The sampler keeps the items that the Go collector keeps, and says the same of their sampling:
 * verdicts.inc was written by that program (tests/differential/sampler).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h> /* needs the three before it */

#include <holdfast/component.h>

#include "components/processors/probabilistic_sampler/sampler.h"
#include "pdata/any_make.h"
#include "pdata/scan.h"
#include "tests/support/node_stub.c"

extern const struct hf_component hf_processor_probabilistic_sampler;

/* As the component's configuration. */
struct config {
    double sampling_percentage;
    int64_t hash_seed, mode, sampling_precision, attribute_source;
    bool fail_closed;
    const char *from_attribute, *sampling_priority;
};

enum { BLOCK = 1000, BLOCKS = 100 };
enum { SPAN_TRACE_ID = 1, SPAN_STATE = 3, SPAN_START = 7, SPAN_ATTRIBUTES = 9 };
enum { LOG_TIME = 1, LOG_ATTRIBUTES = 6, LOG_TRACE_ID = 9 };

struct recorded {
    const char *name;
    enum hf_signal signal;
    double percentage;
    int64_t seed;
    enum hf_sampler_mode mode;
    int64_t digits;
    bool is_open, of_record;
    uint64_t blocks[BLOCKS];
};

static const struct recorded all[] = {
#include "verdicts.inc"
};

/* ---- the items, as the Go program makes them ---- */

static uint64_t mix(uint64_t number)
{
    uint64_t z = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void set_trace_id(struct hf_message *item, uint32_t number, uint64_t i)
{
    uint8_t id[16] = {0};
    if (i % BLOCK == BLOCK - 1) {
        return;
    }
    for (size_t at = 0; at < 8; at++) {
        id[at] = (uint8_t)(mix(2 * i) >> (56 - 8 * at));
        id[8 + at] = (uint8_t)(mix(2 * i + 1) >> (56 - 8 * at));
    }
    hf_message_set_bytes(item, number, hf_slice_of(id, sizeof(id)));
}

static void set(struct hf_message *item, uint32_t number, const char *key, struct hf_slice value)
{
    hf_attributes_set(hf_message_attributes(item, number), hf_slice_text(key), value);
}

static void make_span(struct hf_message *span, uint64_t i, struct hf_any_maker *maker)
{
    static const char *const formats[] = {
        "ot=th:8", "a=1,ot=rv:%014llx;th:c", "ot=th:40;p:8 ,\tvendor@sys=x y,,b=2", "ot=th:zz",
        "Upper=1", "k/1=v,ot=rv:%014llX"};
    char state[80] = "";
    if (i % 16 < 6) {
        /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
        snprintf(state, sizeof(state), formats[i % 16], (unsigned long long)(mix(i) >> 8));
    }
    set_trace_id(span, SPAN_TRACE_ID, i);
    hf_message_set_bytes(span, SPAN_STATE, hf_slice_text(state));
    hf_message_set_u64(span, SPAN_START, i);
    const struct hf_slice priorities[] = {hf_any_make_int(maker, 0), hf_any_make_double(maker, 0.5),
                                          hf_any_make_string(maker, hf_slice_text("1e3")),
                                          hf_any_make_string(maker, hf_slice_text("no"))};
    if (i % 64 >= 20 && i % 64 < 24) {
        set(span, SPAN_ATTRIBUTES, "sampling.priority", priorities[i % 64 - 20]);
    }
}

static void make_record(struct hf_message *record, uint64_t i, struct hf_any_maker *maker)
{
    char text[40];
    hf_message_set_u64(record, LOG_TIME, i);
    if (i % 3 != 0) {
        set_trace_id(record, LOG_TRACE_ID, i);
    }
    snprintf(text, sizeof(text), "%014llx", (unsigned long long)(mix(i) >> 8));
    if (i % 16 < 2) {
        set(record, LOG_ATTRIBUTES, "sampling.threshold",
            hf_any_make_string(maker, hf_slice_text(i % 16 == 0 ? "8" : "c")));
    }
    if (i % 16 == 1 || i % 16 == 2) {
        set(record, LOG_ATTRIBUTES, "sampling.randomness",
            hf_any_make_string(maker, hf_slice_text(i % 16 == 1 ? text : "none")));
    }
    snprintf(text, sizeof(text), "%llu", (unsigned long long)i);
    const struct hf_slice ids[] = {hf_any_make_string(maker, hf_slice_text(text)),
                                   hf_any_make_int(maker, (int64_t)i),
                                   hf_any_make_bool(maker, true)};
    if (i % 5 < 3) {
        set(record, LOG_ATTRIBUTES, "id", ids[i % 5]);
    }
    const struct hf_slice priorities[] = {hf_any_make_int(maker, 0),
                                          hf_any_make_double(maker, 30.5),
                                          hf_any_make_int(maker, 100), hf_any_make_int(maker, 101)};
    if (i % 64 >= 20 && i % 64 < 24) {
        set(record, LOG_ATTRIBUTES, "prio", priorities[i % 64 - 20]);
    }
}

/* A request of a block of items from number `first` on; of spans, or of log records. */
static struct hf_batch *make_block(enum hf_signal signal, uint64_t first)
{
    struct hf_document *document = hf_document_borrow(signal, HF_EMPTY_SLICE);
    struct hf_any_maker maker = {.arena = hf_document_arena(document)};
    struct hf_message *group = hf_message_append(hf_document_root(document), 1);
    struct hf_message *scope = hf_message_append(group, 2);
    struct hf_bytes body = {0};
    for (uint64_t i = first; i < first + BLOCK; i++) {
        struct hf_message *item = hf_message_append(scope, 2);
        (signal == HF_LOGS ? make_record : make_span)(item, i, &maker);
    }
    assert_int_equal(hf_document_write(document, &body), HF_OK);
    hf_document_return(document);
    struct hf_batch *batch = hf_batch_new(signal, body.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), body.data, body.size);
    hf_batch_seal(batch, body.size, BLOCK);
    hf_bytes_release(&body);
    return batch;
}

/* ---- what is left of them ---- */

static uint64_t hash(uint64_t digest, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        digest = (digest ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
    }
    return digest;
}

static uint64_t hash_slice(uint64_t digest, struct hf_slice text)
{
    return hash(digest, text.data, text.size);
}

static struct hf_slice text_of(struct hf_message *record, const char *key)
{
    const struct hf_attribute *found =
        hf_attributes_find(hf_message_attributes(record, LOG_ATTRIBUTES), hf_slice_text(key));
    return found != NULL ? hf_any_read(found->value).bytes : HF_EMPTY_SLICE;
}

static uint64_t digest_of(struct hf_batch *batch)
{
    uint64_t digest = UINT64_C(14695981039346656037);
    struct hf_document *document = hf_document_borrow(batch->signal, batch->raw);
    struct hf_place place = {.document = document};
    bool is_log = batch->signal == HF_LOGS;
    while (hf_place_next_item(&place)) {
        uint64_t i = hf_message_u64(place.item, is_log ? LOG_TIME : SPAN_START);
        const uint8_t bytes[] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16), 0};
        digest = hash(digest, bytes, sizeof(bytes));
        if (is_log) {
            digest = hash_slice(digest, text_of(place.item, "sampling.threshold"));
            digest = hash(digest, ";", 1);
            digest = hash_slice(digest, text_of(place.item, "sampling.randomness"));
            digest = hash(digest, ";", 1);
        } else {
            digest = hash_slice(digest, hf_message_bytes(place.item, SPAN_STATE));
        }
        digest = hash(digest, "", 1);
    }
    hf_document_return(document);
    return digest;
}

static void *opened(struct hf_node *node, const struct config *config)
{
    char error[HF_ERROR_MAX] = "";
    void *self = NULL;
    assert_null(hf_processor_probabilistic_sampler.check(config));
    assert_int_equal(hf_processor_probabilistic_sampler.open(node, config, &self, error), HF_OK);
    return self;
}

static uint64_t sampled(void *self, enum hf_signal signal, uint64_t first)
{
    struct hf_batch *kept = NULL, *batch = make_block(signal, first);
    struct hf_scan scan;
    uint64_t digest = UINT64_C(14695981039346656037); /* of nothing */
    assert_int_equal(hf_processor_probabilistic_sampler.processor->process(self, batch, &kept),
                     HF_OK);
    if (kept != NULL) {
        assert_int_equal(hf_scan(signal, kept->raw, &scan), HF_OK);
        assert_int_equal(scan.items, kept->items);
        digest = digest_of(kept);
        hf_ref_drop(&kept->ref);
    }
    hf_ref_drop(&batch->ref);
    return digest;
}

static void keeps_what_the_go_collector_keeps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct recorded *recorded = &all[i];
        struct hf_node node = {.id = "sampler", .signals = HF_SIGNAL_BIT(recorded->signal)};
        const struct config config = {.sampling_percentage = recorded->percentage,
                                      .hash_seed = recorded->seed,
                                      .mode = (int64_t)recorded->mode,
                                      .sampling_precision = recorded->digits,
                                      .attribute_source = recorded->of_record,
                                      .fail_closed = !recorded->is_open,
                                      .from_attribute = "id",
                                      .sampling_priority = "prio"};
        assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
        void *self = opened(&node, &config);
        for (uint64_t block = 0; block < BLOCKS; block++) {
            if (sampled(self, recorded->signal, block * BLOCK) != recorded->blocks[block]) {
                fail_msg("%s: block %u", recorded->name, (unsigned)block);
            }
        }
        hf_processor_probabilistic_sampler.close(self);
        hf_metrics_free(node.metrics);
    }
}

static void counts_by_policy(void **state)
{
    struct hf_node node = {.id = "sampler", .signals = HF_SIGNAL_BIT(HF_TRACES)};
    const struct config config = {.sampling_percentage = 100, .sampling_precision = 4};
    const struct hf_metrics_style style = {.type_suffix = false};
    char *text = NULL;
    size_t size;
    (void)state;
    assert_int_equal(hf_metrics_new(&node.metrics), HF_OK);
    void *self = opened(&node, &config);
    (void)sampled(self, HF_TRACES, 0);
    assert_int_equal(hf_metrics_print(node.metrics, &style, &text, &size), HF_OK);
    /* 1 of 64 has the priority 0, 1 of a block has no trace id. */
    assert_non_null(strstr(text, "otelcol_processor_probabilistic_sampler_count_traces_sampled{"
                                 "processor=\"sampler\",policy=\"sampling_priority\","
                                 "sampled=\"false\"} 16\n"));
    assert_non_null(strstr(text, "policy=\"missing_randomness\",sampled=\"true\"} 1\n"));
    free(text);
    hf_processor_probabilistic_sampler.close(self);
    hf_metrics_free(node.metrics);
}

static void refuses_percentages_that_are_none(void **state)
{
    const double wrong[] = {-1, 1e-16, (double)INFINITY, (double)NAN};
    const double good[] = {0, 1.5e-15, 50, 1000};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(hf_processor_probabilistic_sampler.check(
            &(struct config){.sampling_percentage = wrong[i]}));
        assert_null(hf_processor_probabilistic_sampler.check(
            &(struct config){.sampling_percentage = good[i]}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_the_go_collector_keeps),
        cmocka_unit_test(counts_by_policy),
        cmocka_unit_test(refuses_percentages_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
