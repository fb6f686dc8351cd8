/* `shards` of a pipeline: what it may be, and what cannot have several queues. */
#include "support.h"

#include "made_up.h"

static enum hf_status connect_at_once(void *self, struct hf_batch *batch, struct hf_onward *onward)
{
    (void)self;
    (void)batch;
    (void)onward;
    return HF_OK;
}

static void send_nothing(void *self, struct hf_export *export)
{
    (void)self;
    (void)export;
}

static const struct hf_connector_ops forward_ops = {
    .makes = {HF_ALL_SIGNALS, HF_ALL_SIGNALS, HF_ALL_SIGNALS}, .connect = connect_at_once};
static const struct hf_component forward = {
    .type = "forward", .kind = HF_CONNECTOR, .signals = HF_ALL_SIGNALS, .connector = &forward_ops};
static const struct hf_queued_ops waiter_ops = {0};
static const struct hf_component waiter = {
    .type = "waiter", .kind = HF_PROCESSOR, .signals = HF_ALL_SIGNALS, .queued = &waiter_ops};
static const struct hf_exporter_ops any_ops = {.send = send_nothing};
static const struct hf_component any = {.type = "any",
                                        .kind = HF_EXPORTER,
                                        .signals = HF_ALL_SIGNALS_AND_PROFILES,
                                        .exporter = &any_ops};
static const struct hf_exporter_ops ordered_ops = {.send = send_nothing, .in_flight = 1};
static const struct hf_component ordered = {
    .type = "ordered", .kind = HF_EXPORTER, .signals = HF_ALL_SIGNALS, .exporter = &ordered_ops};
static const struct hf_component source = {
    .type = "source", .kind = HF_RECEIVER, .signals = HF_ALL_SIGNALS_AND_PROFILES};
static const struct hf_component *const parts[] = {&source, &any,     &ordered,
                                                   &waiter, &forward, NULL};

/* One pipeline, with these exporters, and what it has beside. The text of shards is on line 6. */
static struct loaded load_pipeline(const char *id, const char *exporters, const char *more)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "receivers: {source: }\nprocessors: {waiter: }\nconnectors: {forward: }\n"
             "exporters: {any: , any/small: {sending_queue: {max_bytes: 3MiB}}, ordered: }\n"
             "service: {pipelines: {%s: {receivers: [source], exporters: [%s],\n%s},\n"
             "  logs/behind: {receivers: [forward], exporters: [any]},\n"
             "  logs/front: {receivers: [source], processors: [waiter],\n"
             "    exporters: [forward, any, any/small, ordered]}}}\n",
             id, exporters, more);
    return load_text(parts, text);
}

static void reads_a_number_or_a_map(void **state)
{
    const struct {
        const char *text;
        unsigned count;
        enum hf_shard_by by;
    } cases[] = {{"", 1, HF_SHARD_ROUND_ROBIN},
                 {"shards: ", 1, HF_SHARD_ROUND_ROBIN},
                 {"shards: 1", 1, HF_SHARD_ROUND_ROBIN},
                 {"shards: 64", 64, HF_SHARD_ROUND_ROBIN},
                 {"shards: '4'", 4, HF_SHARD_ROUND_ROBIN},
                 {"shards: {count: 3}", 3, HF_SHARD_ROUND_ROBIN},
                 {"shards: {count: 3, by: }", 3, HF_SHARD_ROUND_ROBIN},
                 {"shards: {count: 2, by: trace_id}", 2, HF_SHARD_TRACE_ID},
                 {"shards: {by: resource, count: 0x10}", 16, HF_SHARD_RESOURCE}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded loaded = load_pipeline("logs", "any", cases[i].text);
        assert_findings(&loaded, "");
        assert_non_null(loaded.config);
        size_t count = 0;
        const struct hf_config_pipeline *pipelines = hf_config_pipelines(loaded.config, &count);
        assert_int_equal(pipelines[0].shard_count, cases[i].count);
        assert_int_equal(pipelines[0].shard_by, cases[i].by);
        assert_int_equal(pipelines[1].shard_count, 1);
        loaded_free(&loaded);
    }
}

#define SAYS(place, text) "E f:6:" place ": service::pipelines::logs: shards: " text "\n"

static void refuses_what_is_no_number_of_queues(void **state)
{
    const struct {
        const char *text, *findings;
    } cases[] = {
        {"shards: 0", SAYS("9", "expected a number from 1 to 64, got \"0\"")},
        {"shards: 65", SAYS("9", "expected a number from 1 to 64, got \"65\"")},
        {"shards: many", SAYS("9", "expected a number from 1 to 64, got \"many\"")},
        {"shards: [2]",
         SAYS("9", "expected a number from 1 to 64, or a map of count and by, got a list")},
        {"shards: {by: resource}",
         "E f:6:9: service::pipelines::logs: shards::count: is missing: how many queues the "
         "pipeline has\n"},
        {"shards: {count: 2, by: span_id}",
         "E f:6:24: service::pipelines::logs: shards::by: expected round_robin, trace_id or "
         "resource, got \"span_id\"\n"},
        {"shards: {count: 2, buy: resource}",
         "E f:6:20: service::pipelines::logs: shards::buy: unknown key; expected count or by\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded loaded = load_pipeline("logs", "any", cases[i].text);
        assert_null(loaded.config);
        assert_findings(&loaded, cases[i].findings);
        loaded_free(&loaded);
    }
}

static void refuses_what_several_queues_would_break(void **state)
{
    const struct {
        const char *id, *exporters, *more, *contains; /* NULL: it is good */
    } cases[] = {
        {"logs", "any, forward", "shards: 2", NULL},
        {"logs", "forward", "shards: 2", "this pipeline has no queue"},
        {"logs", "any", "processors: [waiter], shards: 2", "processor \"waiter\" remembers"},
        {"logs", "any", "processors: [waiter], shards: 1", NULL},
        {"logs", "any, ordered", "shards: 2", "exporter \"ordered\" needs the order"},
        {"logs", "ordered", "shards: {count: 2, by: trace_id}", "by: trace_id puts"},
        {"logs", "ordered", "shards: {count: 2, by: resource}", NULL},
        {"logs", "any/small", "shards: 3", NULL},
        {"logs", "any/small", "shards: 4", "divided among 4 queues"},
        {"metrics", "any", "shards: {count: 2, by: trace_id}", "metrics have none"},
        {"metrics", "any", "shards: {count: 2, by: resource}", NULL},
        {"profiles", "any", "shards: {count: 2, by: resource}", "share tables"},
        {"profiles", "any", "shards: 2", NULL},
        {"logs/a~1", "any", "", "a queue of another pipeline"},
        {"logs/a~b", "any", "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loaded loaded = load_pipeline(cases[i].id, cases[i].exporters, cases[i].more);
        assert_int_equal(loaded.config == NULL, cases[i].contains != NULL);
        assert_int_equal(loaded.count, cases[i].contains != NULL);
        if (cases[i].contains != NULL) {
            assert_non_null(strstr(loaded.findings[0].text, cases[i].contains));
        }
        loaded_free(&loaded);
    }
}

static void names_the_queues(void **state)
{
    char id[16];
    (void)state;
    assert_true(hf_shard_id("traces/2", 0, id, sizeof(id)));
    assert_string_equal(id, "traces/2");
    assert_true(hf_shard_id("traces/2", 63, id, sizeof(id)));
    assert_string_equal(id, "traces/2~63");
    assert_false(hf_shard_id("traces/234567890", 1, id, sizeof(id)));
}

/* What a reload would change, with the queues that come and go. */
static void says_what_comes_and_goes(void **state)
{
    struct loaded before = load_pipeline("logs", "any", "shards: 2");
    struct loaded after = load_pipeline("logs", "any", "shards: {count: 1, by: resource}");
    char *text = NULL;
    size_t size = 0;
    bool differs = false;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    assert_true(hf_config_diff(before.config, after.config, out, &differs));
    assert_true(hf_config_diff(after.config, before.config, out, &differs));
    fclose(out);
    assert_non_null(strstr(text, "~ service::pipelines::logs: shards\n"));
    assert_non_null(strstr(text, "- queue logs~1: any sends what is in it, then it is removed\n"));
    assert_non_null(strstr(text, "+ queue logs~1: any is new there\n"));
    free(text);
    loaded_free(&before);
    loaded_free(&after);
}

static void draws_them_as_one(void **state)
{
    struct loaded loaded = load_pipeline("logs", "any", "shards: {count: 2, by: trace_id}");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    hf_config_draw(loaded.config, HF_DRAWING_DOT, out);
    fclose(out);
    assert_non_null(strstr(text, "\"queue logs: 2 shards, trace_id\""));
    free(text);
    loaded_free(&loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_number_or_a_map),
        cmocka_unit_test(refuses_what_is_no_number_of_queues),
        cmocka_unit_test(refuses_what_several_queues_would_break),
        cmocka_unit_test(names_the_queues),
        cmocka_unit_test(says_what_comes_and_goes),
        cmocka_unit_test(draws_them_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
