#include "schema.h"

#include <assert.h>
#include <stddef.h>

#include "schema_internal.h"

/* Every message with its dense number. */
#define MESSAGES(X)                                                                                \
    X(ANY_VALUE, hf_schema_any_value)                                                              \
    X(ARRAY_VALUE, array_value)                                                                    \
    X(KEY_VALUE_LIST, key_value_list)                                                              \
    X(KEY_VALUE, key_value)                                                                        \
    X(SCOPE, hf_schema_scope)                                                                      \
    X(ENTITY_REF, entity_ref)                                                                      \
    X(RESOURCE, hf_schema_resource)                                                                \
    X(TRACE_REQUEST, trace_request)                                                                \
    X(TRACE_RESPONSE, trace_response)                                                              \
    X(TRACE_PARTIAL, trace_partial)                                                                \
    X(RESOURCE_SPANS, resource_spans)                                                              \
    X(SCOPE_SPANS, scope_spans)                                                                    \
    X(SPAN, span)                                                                                  \
    X(SPAN_EVENT, span_event)                                                                      \
    X(SPAN_LINK, span_link)                                                                        \
    X(SPAN_STATUS, span_status)                                                                    \
    X(METRICS_REQUEST, metrics_request)                                                            \
    X(METRICS_RESPONSE, metrics_response)                                                          \
    X(METRICS_PARTIAL, metrics_partial)                                                            \
    X(RESOURCE_METRICS, resource_metrics)                                                          \
    X(SCOPE_METRICS, scope_metrics)                                                                \
    X(METRIC, metric)                                                                              \
    X(GAUGE, gauge)                                                                                \
    X(SUM, sum)                                                                                    \
    X(HISTOGRAM, histogram)                                                                        \
    X(EXPONENTIAL_HISTOGRAM, exponential_histogram)                                                \
    X(SUMMARY, summary)                                                                            \
    X(NUMBER_POINT, number_point)                                                                  \
    X(HISTOGRAM_POINT, histogram_point)                                                            \
    X(EXPONENTIAL_POINT, exponential_point)                                                        \
    X(BUCKETS, buckets)                                                                            \
    X(SUMMARY_POINT, summary_point)                                                                \
    X(QUANTILE, quantile)                                                                          \
    X(EXEMPLAR, exemplar)                                                                          \
    X(LOGS_REQUEST, logs_request)                                                                  \
    X(LOGS_RESPONSE, logs_response)                                                                \
    X(LOGS_PARTIAL, logs_partial)                                                                  \
    X(RESOURCE_LOGS, resource_logs)                                                                \
    X(SCOPE_LOGS, scope_logs)                                                                      \
    X(LOG_RECORD, log_record)

/* ---- common, resource ---- */

#define COMMON "opentelemetry.proto.common.v1."

/* A value holds lists of values. */
static const struct hf_schema_message array_value, key_value_list, key_value;

const struct hf_schema_message hf_schema_any_value = {
    .name = COMMON "AnyValue",
    .index = HF_MESSAGE_ANY_VALUE,
    .fields = {
        FIELD(1, STRING, "string_value", "stringValue", .oneof = 1),
        FIELD(2, BOOL, "bool_value", "boolValue", .oneof = 1),
        FIELD(3, INT64, "int_value", "intValue", .oneof = 1),
        FIELD(4, DOUBLE, "double_value", "doubleValue", .oneof = 1),
        ONE(5, "array_value", "arrayValue", array_value, .oneof = 1),
        ONE(6, "kvlist_value", "kvlistValue", key_value_list, .oneof = 1),
        FIELD(7, BYTES, "bytes_value", "bytesValue", .oneof = 1),
        /* Points into the dictionary of a profile; carried here, never made. */
        FIELD(8, INT32, "string_value_strindex", "stringValueStrindex", .oneof = 1),
    }};

static const struct hf_schema_message array_value = {
    .name = COMMON "ArrayValue",
    .index = HF_MESSAGE_ARRAY_VALUE,
    .fields = {MANY(1, "values", "values", hf_schema_any_value)}};

static const struct hf_schema_message key_value_list = {
    .name = COMMON "KeyValueList",
    .index = HF_MESSAGE_KEY_VALUE_LIST,
    .fields = {MANY(1, "values", "values", key_value)}};

static const struct hf_schema_message key_value = {
    .name = COMMON "KeyValue",
    .index = HF_MESSAGE_KEY_VALUE,
    .fields = {
        FIELD(1, STRING, "key", "key"),
        ONE(2, "value", "value", hf_schema_any_value),
        FIELD(3, INT32, "key_strindex", "keyStrindex"),
    }};

const struct hf_schema_message hf_schema_scope = {
    .name = COMMON "InstrumentationScope",
    .index = HF_MESSAGE_SCOPE,
    .fields = {
        FIELD(1, STRING, "name", "name"),
        FIELD(2, STRING, "version", "version"),
        MANY(3, "attributes", "attributes", key_value),
        FIELD(4, UINT32, "dropped_attributes_count", "droppedAttributesCount"),
    }};

static const struct hf_schema_message entity_ref = {
    .name = COMMON "EntityRef",
    .index = HF_MESSAGE_ENTITY_REF,
    .fields = {
        FIELD(1, STRING, "schema_url", "schemaUrl"),
        FIELD(2, STRING, "type", "type"),
        FIELD(3, STRING, "id_keys", "idKeys", .repeated = true),
        FIELD(4, STRING, "description_keys", "descriptionKeys", .repeated = true),
    }};

const struct hf_schema_message hf_schema_resource = {
    .name = "opentelemetry.proto.resource.v1.Resource",
    .index = HF_MESSAGE_RESOURCE,
    .fields = {
        MANY(1, "attributes", "attributes", key_value),
        FIELD(2, UINT32, "dropped_attributes_count", "droppedAttributesCount"),
        MANY(3, "entity_refs", "entityRefs", entity_ref),
    }};

/* ---- traces ---- */

#define TRACE "opentelemetry.proto.trace.v1."
#define TRACE_SERVICE "opentelemetry.proto.collector.trace.v1."

static const struct hf_schema_enum span_kind = {.name = TRACE "Span.SpanKind",
                                                .values = {
                                                    {"SPAN_KIND_UNSPECIFIED", 0},
                                                    {"SPAN_KIND_INTERNAL", 1},
                                                    {"SPAN_KIND_SERVER", 2},
                                                    {"SPAN_KIND_CLIENT", 3},
                                                    {"SPAN_KIND_PRODUCER", 4},
                                                    {"SPAN_KIND_CONSUMER", 5},
                                                    {NULL, 0},
                                                }};

static const struct hf_schema_enum status_code = {.name = TRACE "Status.StatusCode",
                                                  .values = {
                                                      {"STATUS_CODE_UNSET", 0},
                                                      {"STATUS_CODE_OK", 1},
                                                      {"STATUS_CODE_ERROR", 2},
                                                      {NULL, 0},
                                                  }};

static const struct hf_schema_message span_status = {
    .name = TRACE "Status",
    .index = HF_MESSAGE_SPAN_STATUS,
    .fields = {
        FIELD(2, STRING, "message", "message"),
        FIELD(3, ENUM, "code", "code", .values = &status_code),
    }};

static const struct hf_schema_message span_event = {
    .name = TRACE "Span.Event",
    .index = HF_MESSAGE_SPAN_EVENT,
    .fields = {
        FIELD(1, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(2, STRING, "name", "name"),
        MANY(3, "attributes", "attributes", key_value),
        FIELD(4, UINT32, "dropped_attributes_count", "droppedAttributesCount"),
    }};

static const struct hf_schema_message span_link = {
    .name = TRACE "Span.Link",
    .index = HF_MESSAGE_SPAN_LINK,
    .fields = {
        ID(1, "trace_id", "traceId", 16),
        ID(2, "span_id", "spanId", 8),
        FIELD(3, STRING, "trace_state", "traceState"),
        MANY(4, "attributes", "attributes", key_value),
        FIELD(5, UINT32, "dropped_attributes_count", "droppedAttributesCount"),
        FIELD(6, FIXED32, "flags", "flags"),
    }};

static const struct hf_schema_message span = {
    .name = TRACE "Span",
    .is_item = true,
    .index = HF_MESSAGE_SPAN,
    .fields = {
        ID(1, "trace_id", "traceId", 16),
        ID(2, "span_id", "spanId", 8),
        FIELD(3, STRING, "trace_state", "traceState"),
        ID(4, "parent_span_id", "parentSpanId", 8),
        FIELD(5, STRING, "name", "name"),
        FIELD(6, ENUM, "kind", "kind", .values = &span_kind),
        FIELD(7, FIXED64, "start_time_unix_nano", "startTimeUnixNano"),
        FIELD(8, FIXED64, "end_time_unix_nano", "endTimeUnixNano"),
        MANY(9, "attributes", "attributes", key_value),
        FIELD(10, UINT32, "dropped_attributes_count", "droppedAttributesCount"),
        MANY(11, "events", "events", span_event),
        FIELD(12, UINT32, "dropped_events_count", "droppedEventsCount"),
        MANY(13, "links", "links", span_link),
        FIELD(14, UINT32, "dropped_links_count", "droppedLinksCount"),
        ONE(15, "status", "status", span_status),
        FIELD(16, FIXED32, "flags", "flags"),
    }};

static const struct hf_schema_message scope_spans = {
    .name = TRACE "ScopeSpans",
    .holds_items = true,
    .index = HF_MESSAGE_SCOPE_SPANS,
    .fields = {
        ONE(1, "scope", "scope", hf_schema_scope),
        MANY(2, "spans", "spans", span),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

static const struct hf_schema_message resource_spans = {
    .name = TRACE "ResourceSpans",
    .holds_items = true,
    .index = HF_MESSAGE_RESOURCE_SPANS,
    .fields = {
        ONE(1, "resource", "resource", hf_schema_resource),
        MANY(2, "scope_spans", "scopeSpans", scope_spans),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

static const struct hf_schema_message trace_request = {
    .name = TRACE_SERVICE "ExportTraceServiceRequest",
    .holds_items = true,
    .index = HF_MESSAGE_TRACE_REQUEST,
    .fields = {MANY(1, "resource_spans", "resourceSpans", resource_spans)}};

static const struct hf_schema_message trace_partial = {
    .name = TRACE_SERVICE "ExportTracePartialSuccess",
    .index = HF_MESSAGE_TRACE_PARTIAL,
    .fields = {
        FIELD(1, INT64, "rejected_spans", "rejectedSpans"),
        FIELD(2, STRING, "error_message", "errorMessage"),
    }};

static const struct hf_schema_message trace_response = {
    .name = TRACE_SERVICE "ExportTraceServiceResponse",
    .index = HF_MESSAGE_TRACE_RESPONSE,
    .fields = {ONE(1, "partial_success", "partialSuccess", trace_partial)}};

/* ---- metrics ---- */

#define METRICS "opentelemetry.proto.metrics.v1."
#define METRICS_SERVICE "opentelemetry.proto.collector.metrics.v1."

static const struct hf_schema_enum temporality = {.name = METRICS "AggregationTemporality",
                                                  .values = {
                                                      {"AGGREGATION_TEMPORALITY_UNSPECIFIED", 0},
                                                      {"AGGREGATION_TEMPORALITY_DELTA", 1},
                                                      {"AGGREGATION_TEMPORALITY_CUMULATIVE", 2},
                                                      {NULL, 0},
                                                  }};

static const struct hf_schema_message exemplar = {
    .name = METRICS "Exemplar",
    .index = HF_MESSAGE_EXEMPLAR,
    .fields = {
        FIELD(2, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(3, DOUBLE, "as_double", "asDouble", .oneof = 1),
        ID(4, "span_id", "spanId", 8),
        ID(5, "trace_id", "traceId", 16),
        FIELD(6, SFIXED64, "as_int", "asInt", .oneof = 1),
        MANY(7, "filtered_attributes", "filteredAttributes", key_value),
    }};

static const struct hf_schema_message number_point = {
    .name = METRICS "NumberDataPoint",
    .is_item = true,
    .index = HF_MESSAGE_NUMBER_POINT,
    .fields = {
        FIELD(2, FIXED64, "start_time_unix_nano", "startTimeUnixNano"),
        FIELD(3, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(4, DOUBLE, "as_double", "asDouble", .oneof = 1),
        MANY(5, "exemplars", "exemplars", exemplar),
        FIELD(6, SFIXED64, "as_int", "asInt", .oneof = 1),
        MANY(7, "attributes", "attributes", key_value),
        FIELD(8, UINT32, "flags", "flags"),
    }};

static const struct hf_schema_message histogram_point = {
    .name = METRICS "HistogramDataPoint",
    .is_item = true,
    .index = HF_MESSAGE_HISTOGRAM_POINT,
    .fields = {
        FIELD(2, FIXED64, "start_time_unix_nano", "startTimeUnixNano"),
        FIELD(3, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(4, FIXED64, "count", "count"),
        FIELD(5, DOUBLE, "sum", "sum", .optional = true),
        FIELD(6, FIXED64, "bucket_counts", "bucketCounts", .repeated = true),
        FIELD(7, DOUBLE, "explicit_bounds", "explicitBounds", .repeated = true),
        MANY(8, "exemplars", "exemplars", exemplar),
        MANY(9, "attributes", "attributes", key_value),
        FIELD(10, UINT32, "flags", "flags"),
        FIELD(11, DOUBLE, "min", "min", .optional = true),
        FIELD(12, DOUBLE, "max", "max", .optional = true),
    }};

static const struct hf_schema_message buckets = {
    .name = METRICS "ExponentialHistogramDataPoint.Buckets",
    .index = HF_MESSAGE_BUCKETS,
    .fields = {
        FIELD(1, SINT32, "offset", "offset"),
        FIELD(2, UINT64, "bucket_counts", "bucketCounts", .repeated = true),
    }};

static const struct hf_schema_message exponential_point = {
    .name = METRICS "ExponentialHistogramDataPoint",
    .is_item = true,
    .index = HF_MESSAGE_EXPONENTIAL_POINT,
    .fields = {
        MANY(1, "attributes", "attributes", key_value),
        FIELD(2, FIXED64, "start_time_unix_nano", "startTimeUnixNano"),
        FIELD(3, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(4, FIXED64, "count", "count"),
        FIELD(5, DOUBLE, "sum", "sum", .optional = true),
        FIELD(6, SINT32, "scale", "scale"),
        FIELD(7, FIXED64, "zero_count", "zeroCount"),
        ONE(8, "positive", "positive", buckets),
        ONE(9, "negative", "negative", buckets),
        FIELD(10, UINT32, "flags", "flags"),
        MANY(11, "exemplars", "exemplars", exemplar),
        FIELD(12, DOUBLE, "min", "min", .optional = true),
        FIELD(13, DOUBLE, "max", "max", .optional = true),
        FIELD(14, DOUBLE, "zero_threshold", "zeroThreshold"),
    }};

static const struct hf_schema_message quantile = {.name =
                                                      METRICS "SummaryDataPoint.ValueAtQuantile",
                                                  .index = HF_MESSAGE_QUANTILE,
                                                  .fields = {
                                                      FIELD(1, DOUBLE, "quantile", "quantile"),
                                                      FIELD(2, DOUBLE, "value", "value"),
                                                  }};

static const struct hf_schema_message summary_point = {
    .name = METRICS "SummaryDataPoint",
    .is_item = true,
    .index = HF_MESSAGE_SUMMARY_POINT,
    .fields = {
        FIELD(2, FIXED64, "start_time_unix_nano", "startTimeUnixNano"),
        FIELD(3, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(4, FIXED64, "count", "count"),
        FIELD(5, DOUBLE, "sum", "sum"),
        MANY(6, "quantile_values", "quantileValues", quantile),
        MANY(7, "attributes", "attributes", key_value),
        FIELD(8, UINT32, "flags", "flags"),
    }};

static const struct hf_schema_message gauge = {
    .name = METRICS "Gauge",
    .holds_items = true,
    .index = HF_MESSAGE_GAUGE,
    .fields = {MANY(1, "data_points", "dataPoints", number_point)}};

static const struct hf_schema_message sum = {
    .name = METRICS "Sum",
    .holds_items = true,
    .index = HF_MESSAGE_SUM,
    .fields = {
        MANY(1, "data_points", "dataPoints", number_point),
        FIELD(2, ENUM, "aggregation_temporality", "aggregationTemporality", .values = &temporality),
        FIELD(3, BOOL, "is_monotonic", "isMonotonic"),
    }};

static const struct hf_schema_message histogram = {
    .name = METRICS "Histogram",
    .holds_items = true,
    .index = HF_MESSAGE_HISTOGRAM,
    .fields = {
        MANY(1, "data_points", "dataPoints", histogram_point),
        FIELD(2, ENUM, "aggregation_temporality", "aggregationTemporality", .values = &temporality),
    }};

static const struct hf_schema_message exponential_histogram = {
    .name = METRICS "ExponentialHistogram",
    .holds_items = true,
    .index = HF_MESSAGE_EXPONENTIAL_HISTOGRAM,
    .fields = {
        MANY(1, "data_points", "dataPoints", exponential_point),
        FIELD(2, ENUM, "aggregation_temporality", "aggregationTemporality", .values = &temporality),
    }};

static const struct hf_schema_message summary = {
    .name = METRICS "Summary",
    .holds_items = true,
    .index = HF_MESSAGE_SUMMARY,
    .fields = {MANY(1, "data_points", "dataPoints", summary_point)}};

static const struct hf_schema_message metric = {
    .name = METRICS "Metric",
    .holds_items = true,
    .index = HF_MESSAGE_METRIC,
    .fields = {
        FIELD(1, STRING, "name", "name"),
        FIELD(2, STRING, "description", "description"),
        FIELD(3, STRING, "unit", "unit"),
        ONE(5, "gauge", "gauge", gauge, .oneof = 1),
        ONE(7, "sum", "sum", sum, .oneof = 1),
        ONE(9, "histogram", "histogram", histogram, .oneof = 1),
        ONE(10, "exponential_histogram", "exponentialHistogram", exponential_histogram, .oneof = 1),
        ONE(11, "summary", "summary", summary, .oneof = 1),
        MANY(12, "metadata", "metadata", key_value),
    }};

static const struct hf_schema_message scope_metrics = {
    .name = METRICS "ScopeMetrics",
    .holds_items = true,
    .index = HF_MESSAGE_SCOPE_METRICS,
    .fields = {
        ONE(1, "scope", "scope", hf_schema_scope),
        MANY(2, "metrics", "metrics", metric),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

static const struct hf_schema_message resource_metrics = {
    .name = METRICS "ResourceMetrics",
    .holds_items = true,
    .index = HF_MESSAGE_RESOURCE_METRICS,
    .fields = {
        ONE(1, "resource", "resource", hf_schema_resource),
        MANY(2, "scope_metrics", "scopeMetrics", scope_metrics),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

static const struct hf_schema_message metrics_request = {
    .name = METRICS_SERVICE "ExportMetricsServiceRequest",
    .holds_items = true,
    .index = HF_MESSAGE_METRICS_REQUEST,
    .fields = {MANY(1, "resource_metrics", "resourceMetrics", resource_metrics)}};

static const struct hf_schema_message metrics_partial = {
    .name = METRICS_SERVICE "ExportMetricsPartialSuccess",
    .index = HF_MESSAGE_METRICS_PARTIAL,
    .fields = {
        FIELD(1, INT64, "rejected_data_points", "rejectedDataPoints"),
        FIELD(2, STRING, "error_message", "errorMessage"),
    }};

static const struct hf_schema_message metrics_response = {
    .name = METRICS_SERVICE "ExportMetricsServiceResponse",
    .index = HF_MESSAGE_METRICS_RESPONSE,
    .fields = {ONE(1, "partial_success", "partialSuccess", metrics_partial)}};

/* ---- logs ---- */

#define LOGS "opentelemetry.proto.logs.v1."
#define LOGS_SERVICE "opentelemetry.proto.collector.logs.v1."

/* Four grades each: INFO, INFO2, INFO3, INFO4. */
#define SEVERITY(name_, first)                                                                     \
    {"SEVERITY_NUMBER_" name_, (first)}, {"SEVERITY_NUMBER_" name_ "2", (first) + 1},              \
        {"SEVERITY_NUMBER_" name_ "3", (first) + 2},                                               \
    {                                                                                              \
        "SEVERITY_NUMBER_" name_ "4", (first) + 3                                                  \
    }

static const struct hf_schema_enum severity = {.name = LOGS "SeverityNumber",
                                               .values = {
                                                   {"SEVERITY_NUMBER_UNSPECIFIED", 0},
                                                   SEVERITY("TRACE", 1),
                                                   SEVERITY("DEBUG", 5),
                                                   SEVERITY("INFO", 9),
                                                   SEVERITY("WARN", 13),
                                                   SEVERITY("ERROR", 17),
                                                   SEVERITY("FATAL", 21),
                                                   {NULL, 0},
                                               }};

static const struct hf_schema_message log_record = {
    .name = LOGS "LogRecord",
    .is_item = true,
    .index = HF_MESSAGE_LOG_RECORD,
    .fields = {
        FIELD(1, FIXED64, "time_unix_nano", "timeUnixNano"),
        FIELD(2, ENUM, "severity_number", "severityNumber", .values = &severity),
        FIELD(3, STRING, "severity_text", "severityText"),
        ONE(5, "body", "body", hf_schema_any_value),
        MANY(6, "attributes", "attributes", key_value),
        FIELD(7, UINT32, "dropped_attributes_count", "droppedAttributesCount"),
        FIELD(8, FIXED32, "flags", "flags"),
        ID(9, "trace_id", "traceId", 16),
        ID(10, "span_id", "spanId", 8),
        FIELD(11, FIXED64, "observed_time_unix_nano", "observedTimeUnixNano"),
        FIELD(12, STRING, "event_name", "eventName"),
    }};

static const struct hf_schema_message scope_logs = {
    .name = LOGS "ScopeLogs",
    .holds_items = true,
    .index = HF_MESSAGE_SCOPE_LOGS,
    .fields = {
        ONE(1, "scope", "scope", hf_schema_scope),
        MANY(2, "log_records", "logRecords", log_record),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

static const struct hf_schema_message resource_logs = {
    .name = LOGS "ResourceLogs",
    .holds_items = true,
    .index = HF_MESSAGE_RESOURCE_LOGS,
    .fields = {
        ONE(1, "resource", "resource", hf_schema_resource),
        MANY(2, "scope_logs", "scopeLogs", scope_logs),
        FIELD(3, STRING, "schema_url", "schemaUrl"),
    }};

static const struct hf_schema_message logs_request = {
    .name = LOGS_SERVICE "ExportLogsServiceRequest",
    .holds_items = true,
    .index = HF_MESSAGE_LOGS_REQUEST,
    .fields = {MANY(1, "resource_logs", "resourceLogs", resource_logs)}};

static const struct hf_schema_message logs_partial = {
    .name = LOGS_SERVICE "ExportLogsPartialSuccess",
    .index = HF_MESSAGE_LOGS_PARTIAL,
    .fields = {
        FIELD(1, INT64, "rejected_log_records", "rejectedLogRecords"),
        FIELD(2, STRING, "error_message", "errorMessage"),
    }};

static const struct hf_schema_message logs_response = {
    .name = LOGS_SERVICE "ExportLogsServiceResponse",
    .index = HF_MESSAGE_LOGS_RESPONSE,
    .fields = {ONE(1, "partial_success", "partialSuccess", logs_partial)}};

#define AS_POINTER(index_, message_) [HF_MESSAGE_##index_] = &(message_),
static const struct hf_schema_message *const messages[HF_SCHEMA_MESSAGE_COUNT] = {
    MESSAGES(AS_POINTER) PROFILES_MESSAGES(AS_POINTER)};

const struct hf_schema_message *hf_schema_request(enum hf_signal signal)
{
    assert(signal < HF_SIGNAL_COUNT);
    static const uint8_t requests[] = {HF_MESSAGE_TRACE_REQUEST, HF_MESSAGE_METRICS_REQUEST,
                                       HF_MESSAGE_LOGS_REQUEST, HF_MESSAGE_PROFILES_REQUEST};
    return messages[requests[signal]];
}

const struct hf_schema_message *hf_schema_response(enum hf_signal signal)
{
    assert(signal < HF_SIGNAL_COUNT);
    static const uint8_t responses[] = {HF_MESSAGE_TRACE_RESPONSE, HF_MESSAGE_METRICS_RESPONSE,
                                        HF_MESSAGE_LOGS_RESPONSE, HF_MESSAGE_PROFILES_RESPONSE};
    return messages[responses[signal]];
}

const struct hf_schema_message *hf_schema_message(uint8_t index)
{
    assert(index < HF_SCHEMA_MESSAGE_COUNT);
    return messages[index];
}

bool hf_schema_is_scalar(enum hf_schema_type type)
{
    return type > HF_SCHEMA_NONE && type < HF_SCHEMA_STRING;
}

const struct hf_schema_field *hf_schema_find(const struct hf_schema_message *message,
                                             struct hf_slice name)
{
    for (uint32_t number = 1; number <= HF_SCHEMA_NUMBER_MAX; number++) {
        const struct hf_schema_field *field = &message->fields[number];
        if (field->type != HF_SCHEMA_NONE &&
            hf_slice_equal(hf_slice_of(field->name, field->name_size), name)) {
            return field;
        }
    }
    return NULL;
}
