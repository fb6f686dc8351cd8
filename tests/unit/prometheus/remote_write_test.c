/* Which OTLP metrics a request of remote write becomes, and what of it is refused. */
#include "prometheus/remote_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pdata/json.h"
#include "pdata/scan.h"
#include "prometheus/gather.h"
#include "tests/unit/simple_json.h"

#define COUNTER 1u
#define HISTOGRAM 3u
#define SUMMARY 5u
#define SYMBOLS_MAX 64u

/* A request of either version that is put together piece by piece. */
struct request {
    bool is_2;
    struct hf_bytes bytes;
    struct hf_wire_writer writer;
    struct hf_wire_message series;
    const char *symbols[SYMBOLS_MAX];
    size_t symbol_count;
};

static struct hf_prom_remote_result result;
static char error[HF_PROM_REMOTE_ERROR_MAX];

static void begin(struct request *request, bool is_2)
{
    *request = (struct request){.is_2 = is_2, .symbols = {""}, .symbol_count = 1};
    request->writer.out = &request->bytes;
}

static uint64_t symbol(struct request *request, const char *text)
{
    for (size_t i = 0; i < request->symbol_count; i++) {
        if (strcmp(request->symbols[i], text) == 0) {
            return i;
        }
    }
    assert_true(request->symbol_count < SYMBOLS_MAX);
    request->symbols[request->symbol_count] = text;
    return request->symbol_count++;
}

/* "name=value" pairs, NULL at the end. */
static void put_labels(struct request *request, const char *const *pairs)
{
    static char texts[SYMBOLS_MAX][64];
    static size_t used;
    for (; *pairs != NULL; pairs++) {
        char *name = texts[used++ % SYMBOLS_MAX];
        snprintf(name, sizeof(texts[0]), "%s", *pairs);
        char *value = strchr(name, '=');
        *value++ = '\0';
        if (request->is_2) {
            hf_wire_put_varint(&request->writer, 1, symbol(request, name));
            hf_wire_put_varint(&request->writer, 1, symbol(request, value));
        } else {
            struct hf_wire_message label = hf_wire_open(&request->writer, 1, 8);
            hf_wire_put_bytes(&request->writer, 1, hf_slice_text(name));
            hf_wire_put_bytes(&request->writer, 2, hf_slice_text(value));
            hf_wire_close(&request->writer, label);
        }
    }
}

#define OPEN(request, ...) open_series(request, (const char *const[]){__VA_ARGS__, NULL})

static void open_series(struct request *request, const char *const *pairs)
{
    request->series = hf_wire_open(&request->writer, request->is_2 ? 5 : 1, 64);
    put_labels(request, pairs);
}

static void close_series(struct request *request)
{
    hf_wire_close(&request->writer, request->series);
}

static void put_double(struct request *request, uint32_t number, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    hf_wire_put_fixed64(&request->writer, number, bits);
}

static void put_sample(struct request *request, double value, uint64_t time_ms, uint64_t start_ms)
{
    struct hf_wire_message sample = hf_wire_open(&request->writer, 2, 24);
    put_double(request, 1, value);
    hf_wire_put_varint(&request->writer, 2, time_ms);
    hf_wire_put_varint(&request->writer, 3, start_ms);
    hf_wire_close(&request->writer, sample);
}

static void put_exemplar(struct request *request, double value)
{
    static const char *const labels[] = {"trace_id=0102030405060708090a0b0c0d0e0f10", "q=x", NULL};
    struct hf_wire_message exemplar = hf_wire_open(&request->writer, request->is_2 ? 4 : 3, 24);
    put_labels(request, labels);
    put_double(request, 2, value);
    hf_wire_put_varint(&request->writer, 3, 7);
    hf_wire_close(&request->writer, exemplar);
}

static void put_metadata(struct request *request, unsigned type, const char *help, const char *unit)
{
    struct hf_wire_message metadata = hf_wire_open(&request->writer, 5, 24);
    hf_wire_put_varint(&request->writer, 1, type);
    hf_wire_put_varint(&request->writer, 3, symbol(request, help));
    hf_wire_put_varint(&request->writer, 4, symbol(request, unit));
    hf_wire_close(&request->writer, metadata);
}

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static void put_span(struct request *request, uint32_t number, int offset, unsigned length)
{
    struct hf_wire_message span = hf_wire_open(&request->writer, number, 4);
    hf_wire_put_varint(&request->writer, 1, zigzag(offset));
    hf_wire_put_varint(&request->writer, 2, length);
    hf_wire_close(&request->writer, span);
}

static struct hf_wire_message open_histogram(struct request *request, int schema, double sum)
{
    struct hf_wire_message histogram = hf_wire_open(&request->writer, request->is_2 ? 3 : 4, 64);
    put_double(request, 3, sum);
    hf_wire_put_varint(&request->writer, 4, zigzag(schema));
    hf_wire_put_varint(&request->writer, 15, 9);
    return histogram;
}

/* The metrics; what is counted and refused is in `result`. */
static char *finish(struct request *request, const struct hf_prom_remote_memory *memory)
{
    struct hf_builder builder;
    struct hf_scan scan;
    struct hf_bytes json = {0};
    const struct hf_prom_remote_options options = {
        .is_2 = request->is_2,
        .memory = memory != NULL ? *memory : (struct hf_prom_remote_memory){0}};
    for (size_t i = 0; i < request->symbol_count && request->is_2; i++) {
        hf_wire_put_bytes(&request->writer, 4, hf_slice_text(request->symbols[i]));
    }
    hf_builder_init(&builder, HF_METRICS, (size_t)1 << 20);
    error[0] = '\0';
    enum hf_status status = hf_prom_remote_read(
        hf_slice_of(request->bytes.data, request->bytes.size), &options, &builder, &result, error);
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = status == HF_OK ? hf_build_take(&builder) : NULL;
    if (batch != NULL) {
        assert_int_equal(hf_scan(HF_METRICS, batch->raw, &scan), HF_OK);
        assert_int_equal(hf_json_from_proto(HF_METRICS, batch->raw, &json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    hf_builder_release(&builder);
    hf_bytes_release(&request->bytes);
    simplify((char *)json.data);
    return (char *)json.data;
}

static void expect(struct request *request, const struct hf_prom_remote_memory *memory,
                   const char *json)
{
    char *made = finish(request, memory);
    assert_string_equal(made, json);
    free(made);
}

#define RESOURCE(attributes, scopes)                                                               \
    "{'resourceMetrics':[{'resource':{'attributes':[" attributes "]},'scopeMetrics':[" scopes "]}" \
    "]}"
#define SHOP "service.instance.id=i,service.name=shop"
#define INSTANCE "service.instance.id=i"
#define SCOPE(metrics) "{'scope':{},'metrics':[" metrics "]}"
#define TYPE(type) "'metadata':[prometheus.type=" type "]"

static void samples_of_the_same_labels_are_points_of_one_metric(void **state)
{
    struct request request;
    (void)state;
    for (int version = 1; version <= 2; version++) {
        begin(&request, version == 2);
        OPEN(&request, "__name__=m", "a=1", "instance=i", "job=shop");
        put_sample(&request, 1.5, 5, 0);
        close_series(&request);
        OPEN(&request, "__name__=m", "a=2", "instance=i", "job=shop");
        put_sample(&request, 2, 5, 0);
        close_series(&request);
        OPEN(&request, "__name__=m", "a=1", "instance=i", "job=shop");
        put_sample(&request, hf_prom_stale_value(), 6, 0);
        close_series(&request);
        expect(&request, NULL,
               RESOURCE(SHOP,
                        SCOPE("{'name':'m','gauge':{'dataPoints':["
                              "{'timeUnixNano':'5000000','asDouble':1.5,'attributes':[a=1]},"
                              "{'timeUnixNano':'6000000','attributes':[a=1],'flags':1},"
                              "{'timeUnixNano':'5000000','asDouble':2,'attributes':[a=2]}]}," TYPE(
                                  "unknown") "}")));
        assert_int_equal(result.samples, 3);
        assert_int_equal(result.refused, 0);
    }
}

static void version_2_tells_type_help_unit_and_start(void **state)
{
    struct request request;
    (void)state;
    begin(&request, true);
    OPEN(&request, "__name__=n_total", "job=eu/shop");
    put_metadata(&request, COUNTER, "how many", "bytes");
    put_sample(&request, 3, 5, 2);
    close_series(&request);
    expect(&request, NULL,
           RESOURCE("service.namespace=eu,service.name=shop",
                    SCOPE("{'name':'n_total','description':'how many','unit':'bytes',"
                          "'sum':{'dataPoints':[{'startTimeUnixNano':'2000000',"
                          "'timeUnixNano':'5000000','asDouble':3}],"
                          "'aggregationTemporality':2,'isMonotonic':true}," TYPE("counter") "}")));
}

/* Before rc.4 the start stood in the series. */
static void an_old_start_is_read_too(void **state)
{
    struct request request;
    (void)state;
    begin(&request, true);
    OPEN(&request, "__name__=n_total", "instance=i");
    put_metadata(&request, COUNTER, "", "");
    put_sample(&request, 3, 5, 0);
    hf_wire_put_varint(&request.writer, 6, 4);
    close_series(&request);
    char *made = finish(&request, NULL);
    assert_non_null(strstr(made, "'startTimeUnixNano':'4000000'"));
    free(made);
}

static void metadata_of_version_1_is_kept_for_later_requests(void **state)
{
    struct request request;
    struct hf_prom_remote_memory memory = {.families = hf_prom_memory_new(8, 1024)};
    (void)state;
    begin(&request, false);
    struct hf_wire_message family = hf_wire_open(&request.writer, 3, 32);
    hf_wire_put_varint(&request.writer, 1, HISTOGRAM);
    hf_wire_put_bytes(&request.writer, 2, hf_slice_text("d"));
    hf_wire_put_bytes(&request.writer, 4, hf_slice_text("how long"));
    hf_wire_close(&request.writer, family);
    expect(&request, &memory, "");
    begin(&request, false);
    OPEN(&request, "__name__=d_bucket", "instance=i", "le=+Inf");
    put_sample(&request, 4, 5, 0);
    close_series(&request);
    expect(
        &request, &memory,
        RESOURCE(INSTANCE,
                 SCOPE("{'name':'d_bucket','description':'how long','sum':{'dataPoints':["
                       "{'timeUnixNano':'5000000','asDouble':4,'attributes':[le=+Inf]}],"
                       "'aggregationTemporality':2,'isMonotonic':true}," TYPE("histogram") "}")));
    hf_prom_memory_free(memory.families);
}

static void target_info_is_the_resource_also_later(void **state)
{
    struct request request;
    struct hf_prom_remote_memory memory = {.targets = hf_prom_memory_new(8, 1024)};
    (void)state;
    begin(&request, true);
    OPEN(&request, "__name__=target_info", "host_name=n1", "instance=i", "job=shop");
    put_sample(&request, 1, 5, 0);
    close_series(&request);
    expect(&request, &memory, "");
    assert_int_equal(result.samples, 1);
    begin(&request, true);
    OPEN(&request, "__name__=target_info", "host_name=n0", "instance=i", "job=shop");
    put_sample(&request, hf_prom_stale_value(), 6, 0);
    close_series(&request);
    OPEN(&request, "__name__=m", "instance=i", "job=shop");
    put_sample(&request, 1, 5, 0);
    close_series(&request);
    char *made = finish(&request, &memory);
    assert_non_null(strstr(made, "host_name=n1"));
    assert_null(strstr(made, "n0"));
    free(made);
    begin(&request, true);
    OPEN(&request, "__name__=m", "instance=other", "job=shop");
    put_sample(&request, 1, 5, 0);
    close_series(&request);
    made = finish(&request, &memory);
    assert_null(strstr(made, "host_name"));
    free(made);
    hf_prom_memory_free(memory.targets);
}

static void scope_labels_are_the_scope(void **state)
{
    struct request request;
    (void)state;
    begin(&request, true);
    OPEN(&request, "__name__=m", "instance=i", "otel_scope_name=lib", "otel_scope_version=1",
         "otel_scope_x=y");
    put_sample(&request, 1, 5, 0);
    close_series(&request);
    expect(&request, NULL,
           RESOURCE(INSTANCE, "{'scope':{'name':'lib','version':'1','attributes':[x=y]},'metrics':["
                              "{'name':'m','gauge':{'dataPoints':["
                              "{'timeUnixNano':'5000000','asDouble':1}]}," TYPE("unknown") "}]}"));
}

/* Senders tell them in a TimeSeries of their own. */
static void exemplars_find_the_last_point_of_their_series(void **state)
{
    struct request request;
    (void)state;
    for (int version = 1; version <= 2; version++) {
        begin(&request, version == 2);
        OPEN(&request, "__name__=m", "instance=i");
        put_sample(&request, 1, 5, 0);
        put_sample(&request, 2, 6, 0);
        close_series(&request);
        OPEN(&request, "__name__=m", "instance=i");
        put_exemplar(&request, 0.5);
        close_series(&request);
        OPEN(&request, "__name__=alone", "instance=i");
        put_exemplar(&request, 0.5);
        close_series(&request);
        expect(&request, NULL,
               RESOURCE(INSTANCE, SCOPE("{'name':'m','gauge':{'dataPoints':["
                                        "{'timeUnixNano':'5000000','asDouble':1},"
                                        "{'timeUnixNano':'6000000','asDouble':2,'exemplars':["
                                        "{'timeUnixNano':'7000000','asDouble':0.5,"
                                        "'traceId':'0102030405060708090a0b0c0d0e0f10',"
                                        "'filteredAttributes':[q=x]}]}]}," TYPE("unknown") "}")));
        assert_int_equal(result.exemplars, 1);
    }
}

static void native_histograms_are_exponential(void **state)
{
    struct request request;
    (void)state;
    for (int version = 1; version <= 2; version++) {
        begin(&request, version == 2);
        OPEN(&request, "__name__=h", "instance=i");
        struct hf_wire_message histogram = open_histogram(&request, 2, 30);
        hf_wire_put_varint(&request.writer, 1, 8);
        hf_wire_put_varint(&request.writer, 6, 2);
        put_span(&request, 11, 1, 2);
        put_span(&request, 11, 1, 1);
        hf_wire_put_varint(&request.writer, 12, zigzag(1));
        hf_wire_put_varint(&request.writer, 12, zigzag(1));
        hf_wire_put_varint(&request.writer, 12, zigzag(1));
        hf_wire_close(&request.writer, histogram);
        close_series(&request);
        expect(&request, NULL,
               RESOURCE(INSTANCE,
                        SCOPE("{'name':'h','exponentialHistogram':{'dataPoints':["
                              "{'timeUnixNano':'9000000','count':'8','sum':30,'scale':2,"
                              "'zeroCount':'2','positive':{'bucketCounts':['1','2','0','3']}}],"
                              "'aggregationTemporality':2}," TYPE("unknown") "}")));
        assert_int_equal(result.histograms, 1);
    }
}

static void custom_buckets_are_explicit(void **state)
{
    struct request request;
    (void)state;
    begin(&request, true);
    OPEN(&request, "__name__=h", "instance=i");
    struct hf_wire_message histogram = open_histogram(&request, -53, 4.5);
    put_double(&request, 2, 3); /* of doubles */
    put_span(&request, 11, 1, 2);
    put_double(&request, 13, 1);
    put_double(&request, 13, 2);
    put_double(&request, 16, 0.5);
    put_double(&request, 16, 1);
    hf_wire_close(&request.writer, histogram);
    close_series(&request);
    expect(&request, NULL,
           RESOURCE(INSTANCE, SCOPE("{'name':'h','histogram':{'dataPoints':["
                                    "{'timeUnixNano':'9000000','count':'3','sum':4.5,"
                                    "'bucketCounts':['0','1','2'],'explicitBounds':[0.5,1]}],"
                                    "'aggregationTemporality':2}," TYPE("unknown") "}")));
}

static void a_marker_of_a_native_histogram_has_no_value(void **state)
{
    struct request request;
    (void)state;
    begin(&request, true);
    OPEN(&request, "__name__=h", "instance=i");
    hf_wire_close(&request.writer, open_histogram(&request, 2, hf_prom_stale_value()));
    close_series(&request);
    char *made = finish(&request, NULL);
    assert_non_null(strstr(made, "'flags':1"));
    assert_null(strstr(made, "'sum'"));
    free(made);
}

static void summaries_stay_series(void **state)
{
    struct request request;
    (void)state;
    begin(&request, true);
    OPEN(&request, "__name__=s", "instance=i", "quantile=0.5");
    put_metadata(&request, SUMMARY, "", "");
    put_sample(&request, 1, 5, 0);
    close_series(&request);
    OPEN(&request, "__name__=s_count", "instance=i");
    put_metadata(&request, SUMMARY, "", "");
    put_sample(&request, 1, 5, 0);
    close_series(&request);
    char *made = finish(&request, NULL);
    assert_non_null(strstr(made, "{'name':'s','gauge'"));
    assert_non_null(strstr(made, "{'name':'s_count','sum'"));
    free(made);
}

/* ---- refusals ---- */

static void put_good(struct request *request)
{
    OPEN(request, "__name__=good", "instance=i");
    put_sample(request, 1, 5, 0);
    close_series(request);
}

static void no_name(struct request *request)
{
    OPEN(request, "a=b");
    put_sample(request, 1, 5, 0);
    close_series(request);
}

static void label_twice(struct request *request)
{
    OPEN(request, "__name__=m", "a=1", "a=2");
    put_sample(request, 1, 5, 0);
    close_series(request);
}

static void no_symbol(struct request *request)
{
    OPEN(request, "__name__=m");
    hf_wire_put_varint(&request->writer, 1, 1);
    hf_wire_put_varint(&request->writer, 1, 1000);
    close_series(request);
}

static void odd(struct request *request)
{
    OPEN(request, "__name__=m");
    hf_wire_put_varint(&request->writer, 1, 1);
    close_series(request);
}

static void no_help(struct request *request)
{
    OPEN(request, "__name__=m");
    struct hf_wire_message metadata = hf_wire_open(&request->writer, 5, 24);
    hf_wire_put_varint(&request->writer, 3, 1000);
    hf_wire_close(&request->writer, metadata);
    close_series(request);
}

static void gauge_histogram(struct request *request)
{
    OPEN(request, "__name__=m");
    struct hf_wire_message histogram = open_histogram(request, 2, 1);
    hf_wire_put_varint(&request->writer, 14, 3);
    hf_wire_close(&request->writer, histogram);
    close_series(request);
}

static void strange_schema(struct request *request)
{
    OPEN(request, "__name__=m");
    hf_wire_close(&request->writer, open_histogram(request, 9, 1));
    close_series(request);
}

static void missing_counts(struct request *request)
{
    OPEN(request, "__name__=m");
    struct hf_wire_message histogram = open_histogram(request, 2, 1);
    put_span(request, 11, 1, 2);
    hf_wire_close(&request->writer, histogram);
    close_series(request);
}

static void too_many_buckets(struct request *request)
{
    OPEN(request, "__name__=m");
    struct hf_wire_message histogram = open_histogram(request, -53, 1);
    put_span(request, 11, 1, 1);
    hf_wire_put_varint(&request->writer, 12, zigzag(1));
    hf_wire_close(&request->writer, histogram);
    close_series(request);
}

static void falling_bounds(struct request *request)
{
    OPEN(request, "__name__=m");
    struct hf_wire_message histogram = open_histogram(request, -53, 1);
    put_double(request, 16, 2);
    put_double(request, 16, 1);
    hf_wire_close(&request->writer, histogram);
    close_series(request);
}

static void one_bad_series_costs_no_other(void **state)
{
    static const struct {
        void (*put)(struct request *request);
        const char *why;
    } cases[] = {
        {no_name, "a series has no label __name__"},
        {label_twice, "m: a label is there twice"},
        {no_symbol, "m: a label refers to a symbol that is not there"},
        {odd, "m: the references of the labels are no pairs"},
        {no_help, "m: its help or unit refers to no symbol"},
        {gauge_histogram, "m: a gauge histogram, which OTLP does not have"},
        {strange_schema, "m: a native histogram of a schema that is not known"},
        {missing_counts, "m: a native histogram has counts, spans or bounds that are malformed"},
        {too_many_buckets, "m: a native histogram has counts, spans or bounds that are malformed"},
        {falling_bounds, "m: a native histogram has counts, spans or bounds that are malformed"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct request request;
        begin(&request, true);
        put_good(&request);
        cases[i].put(&request);
        char *made = finish(&request, NULL);
        assert_string_equal(result.why, cases[i].why);
        assert_int_equal(result.refused, 1);
        assert_int_equal(result.samples, 1);
        assert_non_null(strstr(made, "'good'"));
        assert_null(strstr(made, "'m'"));
        free(made);
    }
}

static void malformed_bytes_are_no_request(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool is_2;
    } cases[] = {
        {"\x0a\x05", 2, false},
        {"\x0a\x02\x12\x05", 4, false},
        {"\x0a\x03\x12\x01\x09", 5, false},
        {"\x1a\x01\x0f", 3, false},
        {"\x2a\x02\x2a\x05", 4, true},
        {"\x22\x01x", 3, true},
    };
    (void)state;
    struct hf_prom_remote_memory memory = {.families = hf_prom_memory_new(8, 1024)};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hf_builder builder;
        const struct hf_prom_remote_options options = {.is_2 = cases[i].is_2, .memory = memory};
        hf_builder_init(&builder, HF_METRICS, (size_t)1 << 20);
        error[0] = '\0';
        assert_int_equal(hf_prom_remote_read(hf_slice_of(cases[i].bytes, cases[i].size), &options,
                                             &builder, &result, error),
                         HF_INVALID);
        assert_string_not_equal(error, "");
        hf_builder_release(&builder);
    }
    hf_prom_memory_free(memory.families);
}

static void what_does_not_fit_is_too_large(void **state)
{
    struct request request;
    struct hf_builder builder;
    const struct hf_prom_remote_options options = {0};
    (void)state;
    begin(&request, false);
    for (int i = 0; i < 100; i++) {
        put_good(&request);
    }
    hf_builder_init(&builder, HF_METRICS, 200);
    assert_int_equal(hf_prom_remote_read(hf_slice_of(request.bytes.data, request.bytes.size),
                                         &options, &builder, &result, error),
                     HF_TOO_LARGE);
    hf_builder_release(&builder);
    hf_bytes_release(&request.bytes);
}

static void the_memory_keeps_what_was_used_last(void **state)
{
    struct hf_prom_memory *memory = hf_prom_memory_new(8, 4);
    struct hf_arena arena = {.limit = 1 << 16};
    struct hf_slice text;
    (void)state;
    assert_non_null(memory);
    for (uint64_t key = 1; key <= 8; key++) {
        hf_prom_memory_put(memory, key, hf_slice_of(&"abcdefgh"[key - 1], 1));
    }
    hf_prom_memory_put(memory, 1, hf_slice_text("A"));
    hf_prom_memory_put(memory, 9, hf_slice_text("9"));
    hf_prom_memory_put(memory, 3, hf_slice_text("too long"));
    static const char *const seen[] = {"", "A", "", "c", "d", "e", "f", "g", "h", "9"};
    for (uint64_t key = 1; key <= 9; key++) {
        assert_int_equal(hf_prom_memory_get(memory, key, &arena, &text), HF_OK);
        assert_true(hf_slice_is(text, seen[key]));
    }
    struct hf_arena none = {0};
    assert_int_equal(hf_prom_memory_get(memory, 1, &none, &text), HF_NOMEM);
    hf_arena_release(&arena);
    hf_prom_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_the_same_labels_are_points_of_one_metric),
        cmocka_unit_test(version_2_tells_type_help_unit_and_start),
        cmocka_unit_test(an_old_start_is_read_too),
        cmocka_unit_test(metadata_of_version_1_is_kept_for_later_requests),
        cmocka_unit_test(target_info_is_the_resource_also_later),
        cmocka_unit_test(scope_labels_are_the_scope),
        cmocka_unit_test(exemplars_find_the_last_point_of_their_series),
        cmocka_unit_test(native_histograms_are_exponential),
        cmocka_unit_test(custom_buckets_are_explicit),
        cmocka_unit_test(a_marker_of_a_native_histogram_has_no_value),
        cmocka_unit_test(summaries_stay_series),
        cmocka_unit_test(one_bad_series_costs_no_other),
        cmocka_unit_test(malformed_bytes_are_no_request),
        cmocka_unit_test(what_does_not_fit_is_too_large),
        cmocka_unit_test(the_memory_keeps_what_was_used_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
