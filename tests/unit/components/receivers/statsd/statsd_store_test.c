/* What lines add up to, and that a saved interval is the same when it is read again. */
#include "components/receivers/statsd/statsd_store.h"

#include "tests/unit/made_config.h"

#include "pdata/json.h"

static const struct hf_component keys = {.fields = statsd_fields,
                                         .config_size = sizeof(struct statsd_config)};

/* What the path of a state file would be asked for. */
const char *hf_node_directory(const struct hf_node *node)
{
    (void)node;
    return NULL;
}

const char *hf_node_place_id(const struct hf_node *node)
{
    (void)node;
    return "statsd";
}

#define BUILD_BYTES_MAX ((size_t)64 << 20)
#define BEGUN_NS 1000u
#define NOW_NS 2000u

struct scene {
    struct made_config made;
    struct statsd_rules rules;
    struct statsd_store store;
};

static void open_scene(struct scene *scene, const char *const pairs[][2])
{
    char why[HF_ERROR_MAX];
    made_config(&scene->made, &keys, pairs);
    assert_int_equal(statsd_rules_init(&scene->rules, scene->made.config, why), HF_OK);
    assert_int_equal(statsd_store_init(&scene->store, scene->made.config, &scene->rules, BEGUN_NS),
                     HF_OK);
}

static void close_scene(struct scene *scene)
{
    statsd_store_release(&scene->store);
    statsd_rules_release(&scene->rules);
    made_config_release(&scene->made);
}

/* Lines, each ended by a newline, of one sender. */
static void add(struct scene *scene, const char *sender, const char *lines)
{
    struct hf_statsd_line line;
    while (*lines != '\0') {
        size_t size = strcspn(lines, "\n");
        assert_null(hf_statsd_read(hf_slice_of(lines, size), false, &line));
        assert_int_equal(statsd_store_add(&scene->store, statsd_store_sender(&scene->store, sender),
                                          &line, 1500),
                         HF_OK);
        lines += size + (lines[size] == '\n');
    }
}

/* All senders as OTLP/JSON; free() it. */
static char *written(const struct statsd_store *store)
{
    struct hf_builder builder;
    struct hf_bytes json = {0};
    hf_builder_init(&builder, HF_METRICS, BUILD_BYTES_MAX);
    for (const struct statsd_sender *sender = store->first; sender != NULL; sender = sender->next) {
        statsd_store_build(store, sender, &builder, NOW_NS);
    }
    assert_int_equal(hf_build_finish(&builder), HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    if (batch != NULL) {
        assert_int_equal(hf_json_from_proto(HF_METRICS, batch->raw, &json), HF_OK);
        hf_ref_drop(&batch->ref);
    }
    assert_int_equal(hf_bytes_append(&json, hf_slice_of("", 1)), HF_OK);
    hf_builder_release(&builder);
    return (char *)json.data;
}

static void lines_of_a_series_add_up(void **state)
{
#define MAP(type, observer)                                                                        \
    {"timer_histogram_mapping.0.statsd_type", type},                                               \
    {                                                                                              \
        "timer_histogram_mapping.0.observer_type", observer                                        \
    }
    static const struct {
        const char *pairs[8][2], *lines, *found;
    } cases[] = {
        {{{NULL, NULL}}, "a:1|c\na:2|c\na:3|c|@0.5", "\"asInt\":\"9\""},
        {{{NULL, NULL}}, "a:1.9|c\na:1.9|c", "\"asInt\":\"2\""},
        {{{"counter_type", "float"}, {NULL, NULL}}, "a:1.5|c\na:1.5|c|@0.5", "\"asDouble\":4.5"},
        {{{"is_monotonic_counter", "true"}, {NULL, NULL}}, "a:1|c", "\"isMonotonic\":true"},
        {{{NULL, NULL}}, "a:1|c", "\"startTimeUnixNano\":\"1000\",\"timeUnixNano\":\"2000\""},
        {{{NULL, NULL}}, "a:1|c|T5", "\"timeUnixNano\":\"5000000000\""},
        {{{NULL, NULL}}, "a:1|g\na:5|g\na:-2|g", "\"timeUnixNano\":\"1500\",\"asDouble\":3"},
        {{{"enable_metric_type", "true"}, {NULL, NULL}},
         "a:1|c|#z:1,b:2,z:3",
         "\"attributes\":[{\"key\":\"b\",\"value\":{\"stringValue\":\"2\"}},{\"key\":\"z\","
         "\"value\":{\"stringValue\":\"3\"}},{\"key\":\"metric_type\",\"value\":{"
         "\"stringValue\":\"counter\"}}]"},
        {{{NULL, NULL}}, "a:1|ms\na:2|ms", "\"asDouble\":1},{\"timeUnixNano\":\"1500\",\"asDouble"},
        {{MAP("timer", "summary"), {NULL, NULL}},
         "a:1|ms\na:3|ms\na:2|ms|@0.5",
         "\"count\":\"4\",\"sum\":8,\"quantileValues\":[{\"value\":1},{\"quantile\":"
         "0.1,\"value\":1},{\"quantile\":0.5,\"value\":2}"},
        {{MAP("histogram", "histogram"), {NULL, NULL}},
         "a:1|h\na:-1|h\na:0|h\na:1|d",
         "\"count\":\"3\",\"sum\":0,\"scale\":20,\"zeroCount\":\"1\",\"positive\":{\"offset\":-1,"
         "\"bucketCounts\":[\"1\"]},\"negative\":{\"offset\":-1,\"bucketCounts\":[\"1\"]}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        open_scene(&scene, cases[i].pairs);
        add(&scene, "", cases[i].lines);
        char *json = written(&scene.store);
        if (strstr(json, cases[i].found) == NULL) {
            fail_msg("case %zu: %s is not in %s", i, cases[i].found, json);
        }
        free(json);
        close_scene(&scene);
    }
}

static void senders_are_told_apart_and_unmapped_types_are_dropped(void **state)
{
    static const char *const pairs[][2] = {MAP("timer", "summary"), {NULL, NULL}};
    struct scene scene;
    (void)state;
    open_scene(&scene, pairs);
    add(&scene, "10.0.0.1:5", "a:1|c\na:1|h");
    add(&scene, "10.0.0.2:5", "a:1|c");
    add(&scene, "10.0.0.1:5", "a:1|c");
    assert_int_equal(scene.store.count, 2);
    statsd_store_clear(&scene.store, 7);
    assert_int_equal(scene.store.count, 0);
    char *json = written(&scene.store);
    assert_string_equal(json, "");
    free(json);
    close_scene(&scene);
}

static const char *const all_pairs[][2] = {MAP("timer", "summary"),
                                           {"timer_histogram_mapping.1.statsd_type", "histogram"},
                                           {"timer_histogram_mapping.1.observer_type", "histogram"},
                                           {NULL, NULL}};

static const char path[] = "statsd_store_test.state";

static void save_to(const struct statsd_store *store)
{
    struct hf_state_writer writer;
    hf_state_file_write_begin(&writer, path, STATSD_STATE_MAGIC);
    statsd_store_save(store, &writer);
    assert_int_equal(hf_state_file_write_end(&writer), HF_OK);
}

static enum hf_status load_from(struct statsd_store *store)
{
    struct hf_state_reader reader;
    assert_int_equal(hf_state_file_read_begin(&reader, path, STATSD_STATE_MAGIC), HF_OK);
    statsd_store_load(store, &reader);
    return hf_state_file_read_end(&reader);
}

static void what_is_saved_is_the_same_when_it_is_read_again(void **state)
{
    struct scene scene, other;
    static const double bounds[] = {1, 5, 10};
    (void)state;
    open_scene(&scene, all_pairs);
    struct statsd_bounds fixed = {.bounds = (double *)(uintptr_t)bounds, .count = 3};
    char why[HF_REGEX_ERROR_MAX];
    assert_int_equal(hf_regex_new("^fixed", &fixed.pattern, why), HF_OK);
    scene.rules.histogram.bounds = &fixed;
    scene.rules.histogram.bounds_count = 1;
    add(&scene, "10.0.0.1:5",
        "c:1|c|#k:v\ng:5|g\ng:+1|g\nt:1|ms\nt:2|ms|@0.1\nh:1|h\nh:-7|h\nh:0|h\nfixed:3|h\n"
        "fixed:30|d");
    add(&scene, "10.0.0.2:5", "c:2|c|#k:v");
    save_to(&scene.store);
    open_scene(&other, all_pairs);
    other.store.begun_ns = 1;
    assert_int_equal(load_from(&other.store), HF_OK);
    char *before = written(&scene.store), *after = written(&other.store);
    assert_string_equal(before, after);
    assert_non_null(strstr(before, "\"explicitBounds\":[1,5,10]"));
    free(before);
    free(after);
    hf_regex_free(fixed.pattern);
    scene.rules.histogram.bounds = NULL;
    close_scene(&scene);
    close_scene(&other);
    remove(path);
}

/* A file that is cut or changed anywhere is refused, and nothing is lost by it but the file. */
static void a_damaged_file_is_refused(void **state)
{
    struct scene scene;
    char bytes[8192];
    (void)state;
    open_scene(&scene, all_pairs);
    add(&scene, "s", "c:1|c|#k:v\nt:1|ms\nh:1|h");
    save_to(&scene.store);
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    assert_in_range(size, 1, sizeof(bytes) - 1);
    assert_int_equal(fclose(file), 0);
    for (size_t i = HF_STATE_MAGIC_SIZE; i < size; i++) {
        bytes[i] = (char)(bytes[i] ^ 0x55);
        file = fopen(path, "wbe");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
        bytes[i] = (char)(bytes[i] ^ 0x55);
        statsd_store_clear(&scene.store, 1);
        assert_int_not_equal(load_from(&scene.store), HF_OK);
    }
    close_scene(&scene);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_a_series_add_up),
        cmocka_unit_test(senders_are_told_apart_and_unmapped_types_are_dropped),
        cmocka_unit_test(what_is_saved_is_the_same_when_it_is_read_again),
        cmocka_unit_test(a_damaged_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
