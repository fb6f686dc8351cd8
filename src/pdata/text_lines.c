/*
 * text_lines: writes spans, data points and log records as one line of text each.
 */
#include "text_writer.h"

#include <string.h>

/* " k=v k=v" */
static void put_attributes(struct hf_text_writer *writer, struct hf_slice message, uint32_t number)
{
    struct hf_wire wire = hf_wire_of(message);
    struct hf_slice attribute;
    while (hf_wire_each(&wire, number, &attribute)) {
        hf_text_say(writer, " ");
        hf_text_put(writer, hf_wire_find_bytes(attribute, 1));
        hf_text_say(writer, "=");
        hf_text_put_value(writer, hf_wire_find_bytes(attribute, 2));
    }
}

static void put_schema(struct hf_text_writer *writer, struct hf_slice url)
{
    if (url.size > 0) {
        hf_text_say(writer, " [");
        hf_text_put(writer, url);
        hf_text_say(writer, "]");
    }
}

/* "<name> <trace id> <span id> k=v" */
static void put_span(struct hf_text_writer *writer, struct hf_slice span)
{
    hf_text_put(writer, hf_wire_find_bytes(span, 5));
    hf_text_say(writer, " ");
    hf_text_put_hex(writer, hf_wire_find_bytes(span, 1));
    hf_text_say(writer, " ");
    hf_text_put_hex(writer, hf_wire_find_bytes(span, 2));
    put_attributes(writer, span, 9);
    hf_text_say(writer, "\n");
}

/* "body k=v" */
static void put_record(struct hf_text_writer *writer, struct hf_slice record)
{
    hf_text_put_value(writer, hf_wire_find_bytes(record, 5));
    put_attributes(writer, record, 6);
    hf_text_say(writer, "\n");
}

static void put_double(struct hf_text_writer *writer, const char *label, struct hf_slice point,
                       uint32_t number)
{
    struct hf_wire_field field;
    if (hf_wire_find(point, number, &field)) {
        hf_text_say(writer, "%s", label);
        hf_text_put_double(writer, field.value, false);
    }
}

static void put_count(struct hf_text_writer *writer, struct hf_slice point)
{
    hf_text_say(writer, " count=%llu", (unsigned long long)hf_wire_find_bits(point, 4));
}

static void put_number(struct hf_text_writer *writer, struct hf_slice point)
{
    struct hf_wire_field field;
    if (hf_wire_find(point, 6, &field)) {
        hf_text_say(writer, " %lld", (long long)field.value);
    }
    put_double(writer, " ", point, 4);
}

/* "le0.5=3 le1=4 5": the last bucket has no bound. */
static void put_histogram(struct hf_text_writer *writer, struct hf_slice point)
{
    put_count(writer, point);
    put_double(writer, " sum=", point, 5);
    put_double(writer, " min=", point, 11);
    put_double(writer, " max=", point, 12);
    struct hf_wire_numbers bounds = hf_wire_numbers(point, 7, HF_WIRE_64);
    struct hf_wire_numbers counts = hf_wire_numbers(point, 6, HF_WIRE_64);
    uint64_t count = 0;
    uint64_t bound = 0;
    while (hf_wire_next_number(&counts, &count)) {
        hf_text_say(writer, " ");
        if (hf_wire_next_number(&bounds, &bound)) {
            hf_text_say(writer, "le");
            hf_text_put_double(writer, bound, false);
            hf_text_say(writer, "=");
        }
        hf_text_say(writer, "%llu", (unsigned long long)count);
    }
}

/* " le-1=3 le2=4": by their upper bounds. */
static void put_buckets(struct hf_text_writer *writer, struct hf_slice point, bool negative)
{
    struct hf_text_buckets buckets;
    hf_text_read_buckets(writer, point, negative, &buckets);
    for (size_t i = 0; i < buckets.count; i++) {
        struct hf_text_bucket bucket = hf_text_bucket(&buckets, i);
        uint64_t bits;
        memcpy(&bits, &bucket.upper, sizeof(bits));
        hf_text_say(writer, " le");
        hf_text_put_double(writer, bits, false);
        hf_text_say(writer, "=%llu", (unsigned long long)bucket.count);
    }
    hf_text_release_buckets(&buckets);
}

static void put_exponential(struct hf_text_writer *writer, struct hf_slice point)
{
    uint64_t zeros = hf_wire_find_bits(point, 7);
    put_count(writer, point);
    put_double(writer, " sum=", point, 5);
    put_double(writer, " min=", point, 12);
    put_double(writer, " max=", point, 13);
    put_buckets(writer, point, true);
    if (zeros != 0) {
        hf_text_say(writer, " zero=%llu", (unsigned long long)zeros);
    }
    put_buckets(writer, point, false);
}

static void put_summary(struct hf_text_writer *writer, struct hf_slice point)
{
    struct hf_wire wire = hf_wire_of(point);
    struct hf_slice quantile;
    put_count(writer, point);
    hf_text_say(writer, " sum=");
    hf_text_put_double(writer, hf_wire_find_bits(point, 5), true);
    while (hf_wire_each(&wire, 6, &quantile)) {
        hf_text_say(writer, " q");
        hf_text_put_double(writer, hf_wire_find_bits(quantile, 1), false);
        hf_text_say(writer, "=");
        hf_text_put_double(writer, hf_wire_find_bits(quantile, 2), false);
    }
}

/* The shapes of a metric: its field, and where a point of it has its attributes. */
static const struct {
    uint32_t number, attributes;
    void (*put)(struct hf_text_writer *writer, struct hf_slice point);
} shapes[] = {{5, 7, put_number},
              {7, 7, put_number},
              {9, 9, put_histogram},
              {10, 1, put_exponential},
              {11, 7, put_summary}};

/* "name{k=v,k=v}" */
static void put_series(struct hf_text_writer *writer, struct hf_slice metric, struct hf_slice point,
                       uint32_t number)
{
    struct hf_wire wire = hf_wire_of(point);
    struct hf_slice attribute;
    hf_text_put(writer, hf_wire_find_bytes(metric, 1));
    hf_text_say(writer, "{");
    for (bool first = true; hf_wire_each(&wire, number, &attribute); first = false) {
        hf_text_say(writer, "%s", first ? "" : ",");
        hf_text_put(writer, hf_wire_find_bytes(attribute, 1));
        hf_text_say(writer, "=");
        hf_text_put_value(writer, hf_wire_find_bytes(attribute, 2));
    }
    hf_text_say(writer, "}");
}

static void put_metric(struct hf_text_writer *writer, struct hf_slice metric)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct hf_wire wire = hf_wire_of(hf_wire_find_bytes(metric, shapes[i].number));
        struct hf_slice point;
        while (hf_wire_each(&wire, 1, &point)) {
            put_series(writer, metric, point, shapes[i].attributes);
            shapes[i].put(writer, point);
            hf_text_say(writer, "\n");
        }
    }
}

/* "<profile id> samples=5" */
static void put_profile(struct hf_text_writer *writer, struct hf_slice profile)
{
    struct hf_wire wire = hf_wire_of(profile);
    struct hf_slice sample;
    unsigned count = 0;
    while (hf_wire_each(&wire, 2, &sample)) {
        count++;
    }
    hf_text_put_hex(writer, hf_wire_find_bytes(profile, 7));
    hf_text_say(writer, " samples=%u\n", count);
}

static const struct words {
    const char *resource, *scope;
    void (*put_item)(struct hf_text_writer *writer, struct hf_slice item);
} words[] = {
    [HF_TRACES] = {"ResourceTraces", "ScopeTraces", put_span},
    [HF_METRICS] = {"ResourceMetrics", "ScopeMetrics", put_metric},
    [HF_LOGS] = {"ResourceLog", "ScopeLog", put_record},
    [HF_PROFILES] = {"ResourceProfiles", "ScopeProfiles", put_profile},
};

static void put_scope(struct hf_text_writer *writer, struct hf_slice scope_items)
{
    struct hf_slice scope = hf_wire_find_bytes(scope_items, 1);
    struct hf_slice name = hf_wire_find_bytes(scope, 1);
    struct hf_slice version = hf_wire_find_bytes(scope, 2);
    hf_text_say(writer, "%s", name.size + version.size > 0 ? " " : "");
    hf_text_put(writer, name);
    hf_text_say(writer, "%s", version.size > 0 ? "@" : "");
    hf_text_put(writer, version);
    put_schema(writer, hf_wire_find_bytes(scope_items, 3));
    put_attributes(writer, scope, 3);
    hf_text_say(writer, "\n");
}

void hf_text_lines(struct hf_text_writer *writer, enum hf_signal signal, struct hf_slice raw)
{
    const struct words *say = &words[signal];
    struct hf_wire wire = hf_wire_of(raw);
    struct hf_slice resource_items;
    struct hf_slice scope_items;
    struct hf_slice item;
    for (unsigned i = 0; hf_wire_each(&wire, 1, &resource_items); i++) {
        hf_text_say(writer, "%s #%u", say->resource, i);
        put_schema(writer, hf_wire_find_bytes(resource_items, 3));
        put_attributes(writer, hf_wire_find_bytes(resource_items, 1), 1);
        hf_text_say(writer, "\n");
        struct hf_wire scopes = hf_wire_of(resource_items);
        for (unsigned j = 0; hf_wire_each(&scopes, 2, &scope_items); j++) {
            hf_text_say(writer, "%s #%u", say->scope, j);
            put_scope(writer, scope_items);
            struct hf_wire items = hf_wire_of(scope_items);
            while (hf_wire_each(&items, 2, &item)) {
                say->put_item(writer, item);
            }
        }
    }
}
