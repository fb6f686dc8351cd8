#include "ch_schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)

/* A column, an index, or a group of columns. In a type "@" is that of attributes, a map or JSON. */
struct line {
    const char *text;
    enum use { USE_ALWAYS = 0, USE_MAPS, USE_JSON } use;
};

#define ATTRIBUTES "@ CODEC(ZSTD(3))"
#define TEXT "String CODEC(ZSTD(3))"
#define WORD "LowCardinality(String) CODEC(ZSTD(3))"
#define WORDS "Array(LowCardinality(String)) CODEC(ZSTD(3))"
#define BLOOM " TYPE bloom_filter(0.01) GRANULARITY 1"
#define OF_RESOURCE(name)                                                                          \
    {                                                                                              \
        "`__otel_materialized_" name                                                               \
        "` LowCardinality(String) MATERIALIZED ResourceAttributes['" name "'] CODEC(ZSTD(3))",     \
            USE_MAPS                                                                               \
    }
#define INDEX_OF_MAP(name, column)                                                                 \
    {"INDEX idx_" name "_key mapKeys(" column ")" BLOOM, USE_MAPS},                                \
    {                                                                                              \
        "INDEX idx_" name "_value mapValues(" column ")" BLOOM, USE_MAPS                           \
    }

static const struct line logs_lines[] = {
    {"Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(3))", USE_ALWAYS},
    {"TraceId " TEXT, USE_ALWAYS},
    {"SpanId " TEXT, USE_ALWAYS},
    {"TraceFlags UInt8", USE_ALWAYS},
    {"SeverityText " WORD, USE_ALWAYS},
    {"SeverityNumber UInt8", USE_ALWAYS},
    {"ServiceName " WORD, USE_ALWAYS},
    {"Body " TEXT, USE_ALWAYS},
    {"ResourceSchemaUrl " WORD, USE_ALWAYS},
    {"ResourceAttributes " ATTRIBUTES, USE_ALWAYS},
    {"ResourceAttributesKeys " WORDS, USE_JSON},
    {"ScopeSchemaUrl " WORD, USE_ALWAYS},
    {"ScopeName " TEXT, USE_ALWAYS},
    {"ScopeVersion " WORD, USE_ALWAYS},
    {"ScopeAttributes " ATTRIBUTES, USE_ALWAYS},
    {"ScopeAttributesKeys " WORDS, USE_JSON},
    {"LogAttributes " ATTRIBUTES, USE_ALWAYS},
    {"LogAttributesKeys " WORDS, USE_JSON},
    {"EventName " TEXT, USE_ALWAYS},
    OF_RESOURCE("k8s.cluster.name"),
    OF_RESOURCE("k8s.container.name"),
    OF_RESOURCE("k8s.deployment.name"),
    OF_RESOURCE("k8s.namespace.name"),
    OF_RESOURCE("k8s.node.name"),
    OF_RESOURCE("k8s.pod.name"),
    OF_RESOURCE("k8s.pod.uid"),
    OF_RESOURCE("deployment.environment.name"),
    {"INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1", USE_MAPS},
    INDEX_OF_MAP("res_attr", "ResourceAttributes"),
    INDEX_OF_MAP("scope_attr", "ScopeAttributes"),
    INDEX_OF_MAP("log_attr", "LogAttributes"),
    {"INDEX idx_lower_body lower(Body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8", USE_MAPS},
    {"INDEX idx_event_name EventName" BLOOM, USE_MAPS},
    {"INDEX idx_res_attr_keys ResourceAttributesKeys" BLOOM, USE_JSON},
    {"INDEX idx_scope_attr_keys ScopeAttributesKeys" BLOOM, USE_JSON},
    {"INDEX idx_log_attr_keys LogAttributesKeys" BLOOM, USE_JSON},
    {"INDEX idx_body Body TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8", USE_JSON},
    {NULL, USE_ALWAYS},
};

static const struct line traces_lines[] = {
    {"Timestamp DateTime64(9) CODEC(Delta, ZSTD(3))", USE_ALWAYS},
    {"TraceId " TEXT, USE_ALWAYS},
    {"SpanId " TEXT, USE_ALWAYS},
    {"ParentSpanId " TEXT, USE_ALWAYS},
    {"TraceState " TEXT, USE_ALWAYS},
    {"SpanName " WORD, USE_ALWAYS},
    {"SpanKind " WORD, USE_ALWAYS},
    {"ServiceName " WORD, USE_ALWAYS},
    {"ResourceAttributes " ATTRIBUTES, USE_ALWAYS},
    {"ResourceAttributesKeys " WORDS, USE_JSON},
    {"ScopeName " TEXT, USE_ALWAYS},
    {"ScopeVersion " TEXT, USE_ALWAYS},
    {"SpanAttributes " ATTRIBUTES, USE_ALWAYS},
    {"SpanAttributesKeys " WORDS, USE_JSON},
    {"Duration UInt64 CODEC(ZSTD(3))", USE_ALWAYS},
    {"StatusCode " WORD, USE_ALWAYS},
    {"StatusMessage " TEXT, USE_ALWAYS},
    {"Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes @) "
     "CODEC(ZSTD(3))",
     USE_ALWAYS},
    {"Links Nested (TraceId String, SpanId String, TraceState String, Attributes @) CODEC(ZSTD(3))",
     USE_ALWAYS},
    {"INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1", USE_MAPS},
    INDEX_OF_MAP("res_attr", "ResourceAttributes"),
    INDEX_OF_MAP("span_attr", "SpanAttributes"),
    {"INDEX idx_res_attr_keys ResourceAttributesKeys" BLOOM, USE_JSON},
    {"INDEX idx_span_attr_keys SpanAttributesKeys" BLOOM, USE_JSON},
    {"INDEX idx_duration Duration TYPE minmax GRANULARITY 1", USE_ALWAYS},
    {NULL, USE_ALWAYS},
};

static const struct line metric_lines[] = {
    {"ResourceAttributes " ATTRIBUTES, USE_ALWAYS},
    {"ResourceSchemaUrl " TEXT, USE_ALWAYS},
    {"ScopeName " TEXT, USE_ALWAYS},
    {"ScopeVersion " TEXT, USE_ALWAYS},
    {"ScopeAttributes " ATTRIBUTES, USE_ALWAYS},
    {"ScopeDroppedAttrCount UInt32 CODEC(ZSTD(3))", USE_ALWAYS},
    {"ScopeSchemaUrl " TEXT, USE_ALWAYS},
    {"ServiceName " WORD, USE_ALWAYS},
    {"MetricName " WORD, USE_ALWAYS},
    {"MetricDescription " TEXT, USE_ALWAYS},
    {"MetricUnit " TEXT, USE_ALWAYS},
    {"Attributes " ATTRIBUTES, USE_ALWAYS},
    {"StartTimeUnix DateTime CODEC(Delta, ZSTD(3))", USE_ALWAYS},
    {"TimeUnix DateTime CODEC(Delta, ZSTD(3))", USE_ALWAYS},
    {"Flags UInt32 CODEC(ZSTD(3))", USE_ALWAYS},
    {NULL, USE_ALWAYS},
};

static const struct line metric_index_lines[] = {
    INDEX_OF_MAP("res_attr", "ResourceAttributes"),
    INDEX_OF_MAP("scope_attr", "ScopeAttributes"),
    INDEX_OF_MAP("attr", "Attributes"),
    {"INDEX idx_time_minmax TimeUnix TYPE minmax GRANULARITY 1", USE_ALWAYS},
    {NULL, USE_ALWAYS},
};

#define VALUE_LINE                                                                                 \
    {                                                                                              \
        "Value Float64 CODEC(ZSTD(3))", USE_ALWAYS                                                 \
    }
#define COUNT_LINE                                                                                 \
    {                                                                                              \
        "Count UInt64 CODEC(Delta, ZSTD(3))", USE_ALWAYS                                           \
    }
#define SUM_LINE                                                                                   \
    {                                                                                              \
        "Sum Float64 CODEC(ZSTD(3))", USE_ALWAYS                                                   \
    }
#define TEMPORALITY_LINE                                                                           \
    {                                                                                              \
        "AggregationTemporality Int32 CODEC(ZSTD(3))", USE_ALWAYS                                  \
    }
#define MIN_LINE                                                                                   \
    {                                                                                              \
        "Min Float64 CODEC(ZSTD(3))", USE_ALWAYS                                                   \
    }
#define MAX_LINE                                                                                   \
    {                                                                                              \
        "Max Float64 CODEC(ZSTD(3))", USE_ALWAYS                                                   \
    }
#define EXEMPLARS_LINE                                                                             \
    {                                                                                              \
        "Exemplars Nested (FilteredAttributes @, TimeUnix DateTime, Value Float64, SpanId "        \
        "String, TraceId String) CODEC(ZSTD(3))",                                                  \
            USE_ALWAYS                                                                             \
    }

static const struct line kind_lines[CH_METRIC_COUNT][12] = {
    [CH_GAUGE] = {VALUE_LINE, EXEMPLARS_LINE},
    [CH_SUM] = {VALUE_LINE,
                EXEMPLARS_LINE,
                TEMPORALITY_LINE,
                {"IsMonotonic Boolean CODEC(Delta, ZSTD(3))", USE_ALWAYS}},
    [CH_HISTOGRAM] = {COUNT_LINE,
                      SUM_LINE,
                      {"BucketCounts Array(UInt64) CODEC(ZSTD(3))", USE_ALWAYS},
                      {"ExplicitBounds Array(Float64) CODEC(ZSTD(3))", USE_ALWAYS},
                      EXEMPLARS_LINE,
                      MIN_LINE,
                      MAX_LINE,
                      TEMPORALITY_LINE},
    [CH_EXPONENTIAL] = {COUNT_LINE,
                        SUM_LINE,
                        {"Scale Int32 CODEC(ZSTD(3))", USE_ALWAYS},
                        {"ZeroCount UInt64 CODEC(ZSTD(3))", USE_ALWAYS},
                        {"PositiveOffset Int32 CODEC(ZSTD(3))", USE_ALWAYS},
                        {"PositiveBucketCounts Array(UInt64) CODEC(ZSTD(3))", USE_ALWAYS},
                        {"NegativeOffset Int32 CODEC(ZSTD(3))", USE_ALWAYS},
                        {"NegativeBucketCounts Array(UInt64) CODEC(ZSTD(3))", USE_ALWAYS},
                        EXEMPLARS_LINE,
                        MIN_LINE,
                        MAX_LINE,
                        TEMPORALITY_LINE},
    [CH_SUMMARY] = {COUNT_LINE,
                    SUM_LINE,
                    {"ValueAtQuantiles Nested (Quantile Float64, Value Float64) CODEC(ZSTD(3))",
                     USE_ALWAYS}},
};
#define KIND_LINES_MAX 12u

/* ---- what rows have ---- */

#define METRIC_COLUMNS                                                                             \
    "ResourceAttributes, ResourceSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes, "            \
    "ScopeDroppedAttrCount, ScopeSchemaUrl, ServiceName, MetricName, MetricDescription, "          \
    "MetricUnit, Attributes, StartTimeUnix, TimeUnix, Flags, "
#define EXEMPLAR_COLUMNS                                                                           \
    "`Exemplars.FilteredAttributes`, `Exemplars.TimeUnix`, `Exemplars.Value`, "                    \
    "`Exemplars.SpanId`, `Exemplars.TraceId`"

static const char *const columns[CH_ROWS_COUNT] = {
    [CH_LOGS] = "Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, "
                "ServiceName, Body, ResourceSchemaUrl, ResourceAttributes, ScopeSchemaUrl, "
                "ScopeName, ScopeVersion, ScopeAttributes, LogAttributes",
    [CH_TRACES] = "Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, "
                  "ServiceName, ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes, "
                  "Duration, StatusCode, StatusMessage, `Events.Timestamp`, `Events.Name`, "
                  "`Events.Attributes`, `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, "
                  "`Links.Attributes`",
    [CH_METRICS + CH_GAUGE] = METRIC_COLUMNS "Value, " EXEMPLAR_COLUMNS,
    [CH_METRICS + CH_SUM] =
        METRIC_COLUMNS "Value, AggregationTemporality, IsMonotonic, " EXEMPLAR_COLUMNS,
    [CH_METRICS + CH_HISTOGRAM] =
        METRIC_COLUMNS "Count, Sum, BucketCounts, ExplicitBounds, Min, Max, "
                       "AggregationTemporality, " EXEMPLAR_COLUMNS,
    [CH_METRICS + CH_EXPONENTIAL] = METRIC_COLUMNS
    "Count, Sum, Scale, ZeroCount, PositiveOffset, PositiveBucketCounts, "
    "NegativeOffset, NegativeBucketCounts, Min, Max, AggregationTemporality, " EXEMPLAR_COLUMNS,
    [CH_METRICS + CH_SUMMARY] =
        METRIC_COLUMNS "Count, Sum, `ValueAtQuantiles.Quantile`, `ValueAtQuantiles.Value`",
};

static const char *optional_columns(enum ch_rows rows, bool is_json)
{
    if (rows == CH_LOGS) {
        return is_json ? ", EventName, ResourceAttributesKeys, ScopeAttributesKeys, "
                         "LogAttributesKeys"
                       : ", EventName";
    }
    return rows == CH_TRACES && is_json ? ", ResourceAttributesKeys, SpanAttributesKeys" : "";
}

/* ---- writing ---- */

struct writer {
    const struct ch_schema *schema;
    struct hf_bytes *out;
    enum hf_status status;
};

static void put(struct writer *writer, const char *text)
{
    if (writer->status == HF_OK) {
        writer->status = hf_bytes_append(writer->out, hf_slice_text(text));
    }
}

/* `text` in backquotes, which it may contain. */
static void put_name(struct writer *writer, const char *first, const char *second)
{
    put(writer, "`");
    for (const char *text = first; text != NULL; text = text == first ? second : NULL) {
        for (const char *at = text; *at != '\0'; at++) {
            const char one[2] = {*at, '\0'};
            put(writer, *at == '`' || *at == '\\' ? "\\" : "");
            put(writer, one);
        }
    }
    put(writer, "`");
}

static void put_database(struct writer *writer)
{
    put_name(writer, writer->schema->target->database, NULL);
}

static void put_cluster(struct writer *writer, bool is_table)
{
    const struct ch_config *config = writer->schema->config;
    const char *engine = config->database_engine.name;
    bool replicates = is_table && engine != NULL && strcmp(engine, "Replicated") == 0 &&
                      strcmp(writer->schema->target->database, "default") != 0;
    if (config->cluster_name != NULL && config->cluster_name[0] != '\0' && !replicates) {
        put(writer, " ON CLUSTER ");
        put_name(writer, config->cluster_name, NULL);
    }
}

static void put_type(struct writer *writer, const char *text)
{
    const char *attributes =
        writer->schema->config->json ? "JSON" : "Map(LowCardinality(String), String)";
    const char *at;
    while ((at = strchr(text, '@')) != NULL) {
        if (writer->status == HF_OK) {
            writer->status = hf_bytes_append(writer->out, hf_slice_of(text, (size_t)(at - text)));
        }
        put(writer, attributes);
        text = at + 1;
    }
    put(writer, text);
}

static void put_lines(struct writer *writer, const struct line *lines, size_t max, bool *is_first)
{
    enum use left_out = writer->schema->config->json ? USE_MAPS : USE_JSON;
    for (size_t i = 0; i < max && lines[i].text != NULL; i++) {
        if (lines[i].use != left_out) {
            put(writer, *is_first ? "\n    " : ",\n    ");
            put_type(writer, lines[i].text);
            *is_first = false;
        }
    }
}

static uint64_t ttl_s(const struct ch_config *config)
{
    const uint64_t day_s = 86400;
    return config->ttl_ns != 0 ? config->ttl_ns / NS_PER_S : (uint64_t)config->ttl_days * day_s;
}

static void put_ttl(struct writer *writer, const char *column)
{
    static const struct {
        uint64_t seconds;
        const char *name;
    } units[] = {{86400, "Day"}, {3600, "Hour"}, {60, "Minute"}, {1, "Second"}};
    uint64_t ttl = ttl_s(writer->schema->config);
    size_t unit = 0;
    char text[128];
    if (ttl == 0) {
        return;
    }
    while (ttl % units[unit].seconds != 0) {
        unit++;
    }
    snprintf(text, sizeof(text), "\nTTL toDateTime(%s) + toInterval%s(%" PRIu64 ")", column,
             units[unit].name, ttl / units[unit].seconds);
    put(writer, text);
}

static void put_engine(struct writer *writer)
{
    const struct ch_engine *engine = &writer->schema->config->table_engine;
    bool has_name = engine->name != NULL && engine->name[0] != '\0';
    put(writer, "\n) ENGINE = ");
    put(writer, has_name ? engine->name : "MergeTree");
    put(writer, "(");
    put(writer, has_name && engine->params != NULL ? engine->params : "");
    put(writer, ")\n");
}

/* A repeat of an insert is known by its token in so many of the latest inserts. Replicated engines
 * have a window of their own. */
static void put_settings(struct writer *writer)
{
    put(writer, "\nSETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, "
                "non_replicated_deduplication_window = 1000");
}

static const char *table_of(const struct ch_schema *schema, enum ch_rows rows, const char **ret_end)
{
    static const char *const ends[CH_METRIC_COUNT] = {
        [CH_GAUGE] = "_gauge",         [CH_SUM] = "_sum",
        [CH_HISTOGRAM] = "_histogram", [CH_EXPONENTIAL] = "_exponential_histogram",
        [CH_SUMMARY] = "_summary",
    };
    const struct ch_config *config = schema->config;
    *ret_end = "";
    if (rows < CH_METRICS) {
        return rows == CH_LOGS ? config->logs_table : config->traces_table;
    }
    const char *own = config->metrics.tables[rows - CH_METRICS].name;
    if (own != NULL && own[0] != '\0') {
        return own;
    }
    *ret_end = ends[rows - CH_METRICS];
    return config->metrics_table;
}

static void put_table(struct writer *writer, enum ch_rows rows, const char *more)
{
    const char *end;
    const char *name = table_of(writer->schema, rows, &end);
    put_database(writer);
    put(writer, ".");
    put_name(writer, name, more != NULL ? more : end);
}

static void begin_table(struct writer *writer, enum ch_rows rows, const char *more)
{
    put(writer, "CREATE TABLE IF NOT EXISTS ");
    put_table(writer, rows, more);
    put_cluster(writer, true);
    put(writer, " (");
}

static void create_database(struct writer *writer)
{
    const struct ch_engine *engine = &writer->schema->config->database_engine;
    put(writer, "CREATE DATABASE IF NOT EXISTS ");
    put_database(writer);
    put_cluster(writer, false);
    if (engine->name != NULL && engine->name[0] != '\0') {
        bool has_params = engine->params != NULL && engine->params[0] != '\0';
        put(writer, " ENGINE = ");
        put(writer, engine->name);
        put(writer, has_params ? "(" : "");
        put(writer, has_params ? engine->params : "");
        put(writer, has_params ? ")" : "");
    }
}

static void create_logs(struct writer *writer)
{
    bool is_first = true, is_json = writer->schema->config->json;
    begin_table(writer, CH_LOGS, NULL);
    put_lines(writer, logs_lines, SIZE_MAX, &is_first);
    put_engine(writer);
    put(writer, "PARTITION BY toDate(Timestamp)\n");
    put(writer, is_json ? "PRIMARY KEY (toStartOfFiveMinutes(Timestamp), ServiceName)\n" : "");
    put(writer, "ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)");
    put_ttl(writer, "Timestamp");
    put_settings(writer);
}

static void create_traces(struct writer *writer)
{
    bool is_first = true, is_json = writer->schema->config->json;
    begin_table(writer, CH_TRACES, NULL);
    put_lines(writer, traces_lines, SIZE_MAX, &is_first);
    put_engine(writer);
    put(writer, "PARTITION BY toDate(Timestamp)\n"
                "ORDER BY (ServiceName, SpanName, toDateTime(Timestamp)");
    put(writer, is_json ? ", Timestamp)" : ")");
    put_ttl(writer, "Timestamp");
    put_settings(writer);
}

/* The first and the last time of each trace, by which a trace is found without reading all. */
static void create_trace_times(struct writer *writer)
{
    begin_table(writer, CH_TRACES, "_trace_id_ts");
    put(writer, "\n    TraceId " TEXT ",\n    Start DateTime CODEC(Delta, ZSTD(3)),"
                "\n    End DateTime CODEC(Delta, ZSTD(3)),\n    INDEX idx_trace_id TraceId" BLOOM);
    put_engine(writer);
    put(writer, "PARTITION BY toDate(Start)\nORDER BY (TraceId, Start)");
    put_ttl(writer, "Start");
    put_settings(writer);
}

static void create_trace_view(struct writer *writer)
{
    put(writer, "CREATE MATERIALIZED VIEW IF NOT EXISTS ");
    put_table(writer, CH_TRACES, "_trace_id_ts_mv");
    put_cluster(writer, true);
    put(writer, " TO ");
    put_table(writer, CH_TRACES, "_trace_id_ts");
    put(writer, " AS SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM ");
    put_table(writer, CH_TRACES, NULL);
    put(writer, " WHERE TraceId != '' GROUP BY TraceId");
}

/* Attributes of metrics are maps, whatever `json` says. */
static void create_metrics(struct writer *writer, enum ch_metric kind)
{
    struct ch_config config = *writer->schema->config;
    const struct ch_schema with_maps = {.config = &config, .target = writer->schema->target};
    struct writer inner = {.schema = &with_maps, .out = writer->out, .status = writer->status};
    bool is_first = true;
    config.json = false;
    begin_table(&inner, (enum ch_rows)(CH_METRICS + kind), NULL);
    put_lines(&inner, metric_lines, SIZE_MAX, &is_first);
    put_lines(&inner, kind_lines[kind], KIND_LINES_MAX, &is_first);
    put_lines(&inner, metric_index_lines, SIZE_MAX, &is_first);
    put_engine(&inner);
    put(&inner, "PARTITION BY toDate(TimeUnix)\n"
                "ORDER BY (ServiceName, MetricName, toStartOfHour(TimeUnix), "
                "cityHash64(Attributes), TimeUnix)");
    put_ttl(&inner, "TimeUnix");
    put_settings(&inner);
    writer->status = inner.status;
}

static bool create_for_metrics(struct writer *writer, unsigned index)
{
    if (index < CH_METRIC_COUNT) {
        create_metrics(writer, (enum ch_metric)index);
    }
    return index < CH_METRIC_COUNT;
}

static bool create_for_traces(struct writer *writer, unsigned index)
{
    static void (*const steps[])(struct writer *) = {create_traces, create_trace_times,
                                                     create_trace_view};
    bool is_there = index < sizeof(steps) / sizeof(steps[0]);
    if (is_there) {
        steps[index](writer);
    }
    return is_there;
}

static bool create_for_logs(struct writer *writer, unsigned index)
{
    if (index == 0) {
        create_logs(writer);
    }
    return index == 0;
}

enum hf_status ch_schema_create(const struct ch_schema *schema, enum hf_signal signal,
                                unsigned index, struct hf_bytes *out)
{
    struct writer writer = {.schema = schema, .out = out, .status = HF_OK};
    bool has_database = strcmp(schema->target->database, "default") != 0;
    if (has_database && index == 0) {
        create_database(&writer);
        return writer.status;
    }
    index -= has_database ? 1 : 0;
    bool is_there = signal == HF_LOGS     ? create_for_logs(&writer, index)
                    : signal == HF_TRACES ? create_for_traces(&writer, index)
                                          : create_for_metrics(&writer, index);
    return is_there ? writer.status : HF_NOT_FOUND;
}

enum hf_status ch_schema_insert(const struct ch_schema *schema, enum ch_rows rows,
                                bool has_optional, struct hf_bytes *out)
{
    struct writer writer = {.schema = schema, .out = out, .status = HF_OK};
    put(&writer, "INSERT INTO ");
    put_table(&writer, rows, NULL);
    put(&writer, " (");
    put(&writer, columns[rows]);
    put(&writer, has_optional ? optional_columns(rows, schema->config->json) : "");
    put(&writer, ") FORMAT JSONEachRow\n");
    return writer.status;
}

enum hf_status ch_schema_table(const struct ch_schema *schema, enum ch_rows rows,
                               struct hf_bytes *out)
{
    struct writer writer = {.schema = schema, .out = out, .status = HF_OK};
    put_table(&writer, rows, NULL);
    return writer.status;
}
