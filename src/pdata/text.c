#include "text.h"

#include <string.h>

#include "text_writer.h"

/* ---- what all signals share ---- */

static void put_text_line(struct hf_text_writer *writer, const char *label, struct hf_slice text)
{
    hf_text_say(writer, "%s", label);
    hf_text_put(writer, text);
    hf_text_say(writer, "\n");
}

static void put_hex_line(struct hf_text_writer *writer, const char *label, struct hf_slice bytes)
{
    hf_text_say(writer, "%s", label);
    hf_text_put_hex(writer, bytes);
    hf_text_say(writer, "\n");
}

static void put_time_line(struct hf_text_writer *writer, const char *label, uint64_t unix_ns)
{
    hf_text_say(writer, "%s", label);
    hf_text_put_time(writer, unix_ns);
    hf_text_say(writer, "\n");
}

static void put_count_line(struct hf_text_writer *writer, const char *label, uint64_t count)
{
    hf_text_say(writer, "%s%llu\n", label, (unsigned long long)count);
}

/* `title`, then a line each; nothing at all when there are none. */
static void put_attributes(struct hf_text_writer *writer, const char *title, const char *indent,
                           struct hf_slice message, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_slice attribute;
    for (bool first = true; hf_wire_each(&wire, number, &attribute); first = false) {
        if (first) {
            hf_text_say(writer, "%s\n", title);
        }
        hf_text_say(writer, "%s", indent);
        hf_text_put(writer, hf_wire_find_bytes(attribute, 1));
        hf_text_say(writer, ": ");
        hf_text_put_typed(writer, hf_wire_find_bytes(attribute, 2));
        hf_text_say(writer, "\n");
    }
}

#define INDENT "     -> "

static void put_scope(struct hf_text_writer *writer, struct hf_slice scope_items)
{
    struct hf_slice scope = hf_wire_find_bytes(scope_items, 1);
    hf_text_say(writer, "InstrumentationScope ");
    hf_text_put(writer, hf_wire_find_bytes(scope, 1));
    hf_text_say(writer, " ");
    hf_text_put(writer, hf_wire_find_bytes(scope, 2));
    hf_text_say(writer, "\n");
    put_attributes(writer, "InstrumentationScope attributes:", INDENT, scope, 3);
}

/* The keys of an entity. */
static void put_keys(struct hf_text_writer *writer, const char *title, struct hf_slice entity,
                     uint32_t number)
{
    struct hf_wire wire = hf_wire_of(entity);
    struct hf_slice key;
    for (bool first = true; hf_wire_each(&wire, number, &key); first = false) {
        hf_text_say(writer, "%s", first ? title : "");
        put_text_line(writer, "          " INDENT, key);
    }
}

static void put_entities(struct hf_text_writer *writer, struct hf_slice resource)
{
    struct hf_wire wire = hf_wire_of(resource);
    struct hf_slice entity;
    for (unsigned i = 0; hf_wire_each(&wire, 3, &entity); i++) {
        hf_text_say(writer, "%s" INDENT "Entity ref #%u:\n",
                    i == 0 ? "Resource entity refs:\n" : "", i);
        put_text_line(writer, "     " INDENT "Type: ", hf_wire_find_bytes(entity, 2));
        if (hf_wire_find_bytes(entity, 1).size > 0) {
            put_text_line(writer, "     " INDENT "Schema URL: ", hf_wire_find_bytes(entity, 1));
        }
        put_keys(writer, "     " INDENT "ID keys:\n", entity, 3);
        put_keys(writer, "     " INDENT "Description keys:\n", entity, 4);
    }
}

/* ---- traces ---- */

static const char *name_of(const char *const *names, size_t count, uint64_t number)
{
    return number < count ? names[number] : "";
}

#define NAME_OF(names, number) name_of((names), sizeof(names) / sizeof((names)[0]), (number))

static void put_events(struct hf_text_writer *writer, struct hf_slice span)
{
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice event;
    for (unsigned i = 0; hf_wire_each(&wire, 11, &event); i++) {
        hf_text_say(writer, "%sSpanEvent #%u\n", i == 0 ? "Events:\n" : "", i);
        put_text_line(writer, INDENT "Name: ", hf_wire_find_bytes(event, 2));
        put_time_line(writer, INDENT "Timestamp: ", hf_wire_find_bits(event, 1));
        put_count_line(writer, INDENT "DroppedAttributesCount: ", hf_wire_find_bits(event, 4));
        put_attributes(writer, INDENT "Attributes::", "     " INDENT, event, 3);
    }
}

static void put_links(struct hf_text_writer *writer, struct hf_slice span)
{
    struct hf_wire wire = hf_wire_of(span);
    struct hf_slice link;
    for (unsigned i = 0; hf_wire_each(&wire, 13, &link); i++) {
        hf_text_say(writer, "%sSpanLink #%u\n", i == 0 ? "Links:\n" : "", i);
        put_hex_line(writer, INDENT "Trace ID: ", hf_wire_find_bytes(link, 1));
        put_hex_line(writer, INDENT "ID: ", hf_wire_find_bytes(link, 2));
        put_text_line(writer, INDENT "TraceState: ", hf_wire_find_bytes(link, 3));
        put_count_line(writer, INDENT "DroppedAttributesCount: ", hf_wire_find_bits(link, 5));
        put_attributes(writer, INDENT "Attributes::", "     " INDENT, link, 4);
    }
}

static void put_span(struct hf_text_writer *writer, struct hf_slice span)
{
    static const char *const kinds[] = {"Unspecified", "Internal", "Server",
                                        "Client",      "Producer", "Consumer"};
    static const char *const codes[] = {"Unset", "Ok", "Error"};
    struct hf_slice status = hf_wire_find_bytes(span, 15);
    struct hf_slice trace_state = hf_wire_find_bytes(span, 3);
    put_hex_line(writer, "    Trace ID       : ", hf_wire_find_bytes(span, 1));
    put_hex_line(writer, "    Parent ID      : ", hf_wire_find_bytes(span, 4));
    put_hex_line(writer, "    ID             : ", hf_wire_find_bytes(span, 2));
    put_text_line(writer, "    Name           : ", hf_wire_find_bytes(span, 5));
    hf_text_say(writer, "    Kind           : %s\n", NAME_OF(kinds, hf_wire_find_bits(span, 6)));
    if (trace_state.size > 0) {
        put_text_line(writer, "    TraceState     : ", trace_state);
    }
    put_time_line(writer, "    Start time     : ", hf_wire_find_bits(span, 7));
    put_time_line(writer, "    End time       : ", hf_wire_find_bits(span, 8));
    hf_text_say(writer, "    Status code    : %s\n", NAME_OF(codes, hf_wire_find_bits(status, 3)));
    put_text_line(writer, "    Status message : ", hf_wire_find_bytes(status, 2));
    put_count_line(writer, "    DroppedAttributesCount: ", hf_wire_find_bits(span, 10));
    put_count_line(writer, "    DroppedEventsCount: ", hf_wire_find_bits(span, 12));
    put_count_line(writer, "    DroppedLinksCount: ", hf_wire_find_bits(span, 14));
    put_attributes(writer, "Attributes:", INDENT, span, 9);
    put_events(writer, span);
    put_links(writer, span);
}

/* ---- logs ---- */

static void put_severity(struct hf_text_writer *writer, uint64_t number)
{
    static const char *const levels[] = {"Trace", "Debug", "Info", "Warn", "Error", "Fatal"};
    hf_text_say(writer, "SeverityNumber: ");
    if (number == 0) {
        hf_text_say(writer, "Unspecified");
    } else if (number <= 24) {
        hf_text_say(writer, "%s", levels[(number - 1) / 4]);
        if (number % 4 != 1) { /* Info, Info2, Info3, Info4 */
            hf_text_say(writer, "%u", (unsigned)((number - 1) % 4 + 1));
        }
    }
    hf_text_say(writer, "(%d)\n", (int)number);
}

static void put_record(struct hf_text_writer *writer, struct hf_slice record)
{
    struct hf_slice event_name = hf_wire_find_bytes(record, 12);
    put_time_line(writer, "ObservedTimestamp: ", hf_wire_find_bits(record, 11));
    put_time_line(writer, "Timestamp: ", hf_wire_find_bits(record, 1));
    put_text_line(writer, "SeverityText: ", hf_wire_find_bytes(record, 3));
    put_severity(writer, hf_wire_find_bits(record, 2));
    if (event_name.size > 0) {
        put_text_line(writer, "EventName: ", event_name);
    }
    hf_text_say(writer, "Body: ");
    hf_text_put_typed(writer, hf_wire_find_bytes(record, 5));
    hf_text_say(writer, "\n");
    put_attributes(writer, "Attributes:", INDENT, record, 6);
    put_hex_line(writer, "Trace ID: ", hf_wire_find_bytes(record, 9));
    put_hex_line(writer, "Span ID: ", hf_wire_find_bytes(record, 10));
    hf_text_say(writer, "Flags: %u\n", (unsigned)hf_wire_find_bits(record, 8));
}

/* ---- metrics ---- */

static void put_double_line(struct hf_text_writer *writer, const char *label,
                            struct hf_slice message, uint32_t number)
{
    struct hf_wire_field field;
    if (hf_wire_find(message, number, &field)) {
        hf_text_say(writer, "%s", label);
        hf_text_put_double(writer, field.value, true);
        hf_text_say(writer, "\n");
    }
}

/* A number that is a double in one field or an integer in another; nothing when there is none. */
static void put_number_line(struct hf_text_writer *writer, const char *label,
                            struct hf_slice message, uint32_t double_field)
{
    struct hf_wire_field field;
    if (hf_wire_find(message, 6, &field)) {
        hf_text_say(writer, "%s%lld\n", label, (long long)field.value);
    } else {
        put_double_line(writer, label, message, double_field);
    }
}

static void put_exemplars(struct hf_text_writer *writer, struct hf_slice point, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(point);
    struct hf_slice exemplar;
    for (unsigned i = 0; hf_wire_each(&wire, number, &exemplar); i++) {
        hf_text_say(writer, "%sExemplar #%u\n", i == 0 ? "Exemplars:\n" : "", i);
        put_hex_line(writer, INDENT "Trace ID: ", hf_wire_find_bytes(exemplar, 5));
        put_hex_line(writer, INDENT "Span ID: ", hf_wire_find_bytes(exemplar, 4));
        put_time_line(writer, INDENT "Timestamp: ", hf_wire_find_bits(exemplar, 2));
        put_number_line(writer, INDENT "Value: ", exemplar, 3);
        put_attributes(writer, INDENT "FilteredAttributes:", "     " INDENT, exemplar, 7);
    }
}

static void put_times(struct hf_text_writer *writer, struct hf_slice point)
{
    put_time_line(writer, "StartTimestamp: ", hf_wire_find_bits(point, 2));
    put_time_line(writer, "Timestamp: ", hf_wire_find_bits(point, 3));
}

static void put_number_point(struct hf_text_writer *writer, struct hf_slice point)
{
    put_attributes(writer, "Data point attributes:", INDENT, point, 7);
    put_times(writer, point);
    put_number_line(writer, "Value: ", point, 4);
    put_exemplars(writer, point, 5);
}

static void put_histogram_point(struct hf_text_writer *writer, struct hf_slice point)
{
    uint64_t bits = 0;
    put_attributes(writer, "Data point attributes:", INDENT, point, 9);
    put_times(writer, point);
    hf_text_say(writer, "Count: %llu\n", (unsigned long long)hf_wire_find_bits(point, 4));
    put_double_line(writer, "Sum: ", point, 5);
    put_double_line(writer, "Min: ", point, 11);
    put_double_line(writer, "Max: ", point, 12);
    struct hf_wire_numbers bounds = hf_wire_numbers(point, 7, HF_WIRE_64);
    for (unsigned i = 0; hf_wire_next_number(&bounds, &bits); i++) {
        hf_text_say(writer, "ExplicitBounds #%u: ", i);
        hf_text_put_double(writer, bits, true);
        hf_text_say(writer, "\n");
    }
    struct hf_wire_numbers counts = hf_wire_numbers(point, 6, HF_WIRE_64);
    for (unsigned i = 0; hf_wire_next_number(&counts, &bits); i++) {
        hf_text_say(writer, "Buckets #%u, Count: %llu\n", i, (unsigned long long)bits);
    }
    put_exemplars(writer, point, 8);
}

/* The buckets on one side of zero, from the lowest up. */
static void put_exponential_buckets(struct hf_text_writer *writer, struct hf_slice point,
                                    bool negative)
{
    struct hf_text_buckets buckets;
    hf_text_read_buckets(writer, point, negative, &buckets);
    for (size_t i = 0; i < buckets.count; i++) {
        struct hf_text_bucket bucket = hf_text_bucket(&buckets, i);
        hf_text_say(writer,
                    negative ? "Bucket [%f, %f), Count: %llu\n" : "Bucket (%f, %f], Count: %llu\n",
                    bucket.lower, bucket.upper, (unsigned long long)bucket.count);
    }
    hf_text_release_buckets(&buckets);
}

static void put_exponential_point(struct hf_text_writer *writer, struct hf_slice point)
{
    uint64_t zeros = hf_wire_find_bits(point, 7);
    put_attributes(writer, "Data point attributes:", INDENT, point, 1);
    put_times(writer, point);
    hf_text_say(writer, "Count: %llu\n", (unsigned long long)hf_wire_find_bits(point, 4));
    put_double_line(writer, "Sum: ", point, 5);
    put_double_line(writer, "Min: ", point, 12);
    put_double_line(writer, "Max: ", point, 13);
    put_exponential_buckets(writer, point, true);
    if (zeros != 0) {
        hf_text_say(writer, "Bucket [0, 0], Count: %llu\n", (unsigned long long)zeros);
    }
    put_exponential_buckets(writer, point, false);
    put_exemplars(writer, point, 11);
}

static void put_summary_point(struct hf_text_writer *writer, struct hf_slice point)
{
    struct hf_wire wire = hf_wire_of(point);
    struct hf_slice quantile;
    uint64_t sum = hf_wire_find_bits(point, 5);
    put_attributes(writer, "Data point attributes:", INDENT, point, 7);
    put_times(writer, point);
    hf_text_say(writer, "Count: %llu\nSum: ", (unsigned long long)hf_wire_find_bits(point, 4));
    hf_text_put_double(writer, sum, true);
    hf_text_say(writer, "\n");
    for (unsigned i = 0; hf_wire_each(&wire, 6, &quantile); i++) {
        hf_text_say(writer, "QuantileValue #%u: Quantile ", i);
        hf_text_put_double(writer, hf_wire_find_bits(quantile, 1), true);
        hf_text_say(writer, ", Value ");
        hf_text_put_double(writer, hf_wire_find_bits(quantile, 2), true);
        hf_text_say(writer, "\n");
    }
}

/* The five shapes of a metric. */
static const struct shape {
    uint32_t number;
    const char *name, *points;
    bool has_temporality;
    void (*put_point)(struct hf_text_writer *writer, struct hf_slice point);
} shapes[] = {
    {5, "Gauge", "NumberDataPoints", false, put_number_point},
    {7, "Sum", "NumberDataPoints", true, put_number_point},
    {9, "Histogram", "HistogramDataPoints", true, put_histogram_point},
    {10, "ExponentialHistogram", "ExponentialHistogramDataPoints", true, put_exponential_point},
    {11, "Summary", "SummaryDataPoints", false, put_summary_point},
};

static const struct shape *find_shape(struct hf_slice metric, struct hf_slice *ret_data)
{
    struct hf_wire_field field;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (hf_wire_find(metric, shapes[i].number, &field)) {
            *ret_data = field.bytes;
            return &shapes[i];
        }
    }
    return NULL;
}

static void put_metric(struct hf_text_writer *writer, struct hf_slice metric)
{
    static const char *const temporalities[] = {"Unspecified", "Delta", "Cumulative"};
    struct hf_slice data = HF_EMPTY_SLICE;
    struct hf_slice point;
    const struct shape *shape = find_shape(metric, &data);
    hf_text_say(writer, "Descriptor:\n");
    put_text_line(writer, INDENT "Name: ", hf_wire_find_bytes(metric, 1));
    put_text_line(writer, INDENT "Description: ", hf_wire_find_bytes(metric, 2));
    put_text_line(writer, INDENT "Unit: ", hf_wire_find_bytes(metric, 3));
    hf_text_say(writer, INDENT "DataType: %s\n", shape != NULL ? shape->name : "Empty");
    put_attributes(writer, INDENT "Metadata:", "     " INDENT, metric, 12);
    if (shape == NULL) {
        return;
    }
    if (shape->number == 7) {
        hf_text_say(writer, INDENT "IsMonotonic: %s\n",
                    hf_wire_find_bits(data, 3) != 0 ? "true" : "false");
    }
    if (shape->has_temporality) {
        hf_text_say(writer, INDENT "AggregationTemporality: %s\n",
                    NAME_OF(temporalities, hf_wire_find_bits(data, 2)));
    }
    struct hf_wire wire = hf_wire_of(data);
    for (unsigned i = 0; hf_wire_each(&wire, 1, &point); i++) {
        hf_text_say(writer, "%s #%u\n", shape->points, i);
        shape->put_point(writer, point);
    }
}

/* ---- profiles ---- */

static uint32_t count_samples(struct hf_slice profile)
{
    struct hf_wire wire = hf_wire_of(profile);
    struct hf_slice sample;
    uint32_t count = 0;
    while (hf_wire_each(&wire, 2, &sample)) {
        count++;
    }
    return count;
}

/* Its samples point into tables; they are counted. */
static void put_profile(struct hf_text_writer *writer, struct hf_slice profile)
{
    hf_text_say(writer, "    Profile ID     : ");
    hf_text_put_hex(writer, hf_wire_find_bytes(profile, 7));
    hf_text_say(writer, "\n");
    put_time_line(writer, "    Start time     : ", hf_wire_find_bits(profile, 3));
    put_count_line(writer, "    Duration ns    : ", hf_wire_find_bits(profile, 4));
    put_count_line(writer, "    DroppedAttributesCount: ", hf_wire_find_bits(profile, 8));
    put_count_line(writer, "    Samples        : ", count_samples(profile));
}

/* ---- the whole ---- */

static const struct words {
    const char *resource, *scope, *item;
    void (*put_item)(struct hf_text_writer *writer, struct hf_slice item);
} words[] = {
    [HF_TRACES] = {"ResourceSpans", "ScopeSpans", "Span", put_span},
    [HF_METRICS] = {"ResourceMetrics", "ScopeMetrics", "Metric", put_metric},
    [HF_LOGS] = {"ResourceLog", "ScopeLogs", "LogRecord", put_record},
    [HF_PROFILES] = {"ResourceProfiles", "ScopeProfiles", "Profile", put_profile},
};

static void put_scope_items(struct hf_text_writer *writer, const struct words *say,
                            struct hf_slice scope_items)
{
    struct hf_wire wire = hf_wire_of(scope_items);
    struct hf_slice item;
    hf_text_say(writer, "%s SchemaURL: ", say->scope);
    put_text_line(writer, "", hf_wire_find_bytes(scope_items, 3));
    put_scope(writer, scope_items);
    for (unsigned i = 0; hf_wire_each(&wire, 2, &item); i++) {
        hf_text_say(writer, "%s #%u\n", say->item, i);
        say->put_item(writer, item);
    }
}

void hf_text_full(struct hf_text_writer *writer, enum hf_signal signal, struct hf_slice raw)
{
    const struct words *say = &words[signal];
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_slice resource_items;
    struct hf_slice scope_items;
    for (unsigned i = 0; hf_wire_each(&wire, 1, &resource_items); i++) {
        hf_text_say(writer, "%s #%u\n", say->resource, i);
        put_text_line(writer, "Resource SchemaURL: ", hf_wire_find_bytes(resource_items, 3));
        put_attributes(writer, "Resource attributes:", INDENT,
                       hf_wire_find_bytes(resource_items, 1), 1);
        put_entities(writer, hf_wire_find_bytes(resource_items, 1));
        struct hf_wire scopes = hf_wire_of(resource_items);
        for (unsigned j = 0; hf_wire_each(&scopes, 2, &scope_items); j++) {
            hf_text_say(writer, "%s #%u\n", say->scope, j);
            put_scope_items(writer, say, scope_items);
        }
    }
}

enum hf_status hf_text_print(enum hf_signal signal, struct hf_slice raw, enum hf_text_detail detail,
                             struct hf_bytes *out)
{
    struct hf_text_writer writer = {.out = out};
    if (detail == HF_TEXT_FULL) {
        hf_text_full(&writer, signal, raw);
    } else {
        hf_text_lines(&writer, signal, raw);
    }
    return writer.failed ? HF_NOMEM : HF_OK;
}
