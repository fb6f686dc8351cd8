#include "body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdata/wire.h"

#define SPAN_NAME "GET /api/v1/checkout/{id}"
#define POD_NAME "checkout-6b7f9c9d8-x2x7q"
#define NAME_DIGITS 4u
/* From the span id: it, the parent's id and the head of the name with two bytes of tag and size
 * before each, then the name, whose last digits vary. */
#define NAME_DIGITS_AT (8u + 2 + 8 + 2 + sizeof(SPAN_NAME) - 1 - NAME_DIGITS)

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void put_text(struct hf_wire_writer *writer, uint32_t number, const char *text)
{
    hf_wire_put_bytes(writer, number, hf_slice_text(text));
}

/* KeyValue {1 key, 2 AnyValue {1 string}}. */
static void put_attribute(struct hf_wire_writer *writer, uint32_t number, const char *key,
                          const char *value)
{
    struct hf_wire_message pair = hf_wire_open(writer, number, 64);
    put_text(writer, 1, key);
    struct hf_wire_message any = hf_wire_open(writer, 2, 32);
    put_text(writer, 1, value);
    hf_wire_close(writer, any);
    hf_wire_close(writer, pair);
}

static void put_int_attribute(struct hf_wire_writer *writer, uint32_t number, const char *key,
                              uint64_t value)
{
    struct hf_wire_message pair = hf_wire_open(writer, number, 64);
    put_text(writer, 1, key);
    struct hf_wire_message any = hf_wire_open(writer, 2, 16);
    hf_wire_put_varint(writer, 3, value);
    hf_wire_close(writer, any);
    hf_wire_close(writer, pair);
}

static void put_attributes(struct hf_wire_writer *writer, uint32_t number, uint64_t *random)
{
    static const char *const methods[] = {"GET", "GET", "GET", "POST", "PUT", "DELETE"};
    static const char *const agents[] = {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
                                         "okhttp/4.12.0", "python-requests/2.31.0 (linux)",
                                         "Go-http-client/2.0",
                                         "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X)"};
    char text[128];
    put_attribute(writer, number, "http.request.method", methods[next_random(random) % 6]);
    snprintf(text, sizeof(text), "https://shop.example.com/api/v1/checkout/%llu",
             (unsigned long long)(next_random(random) % 1000000));
    put_attribute(writer, number, "url.full", text);
    put_attribute(writer, number, "url.scheme", "https");
    put_int_attribute(writer, number, "http.response.status_code",
                      next_random(random) % 20 != 0 ? 200 : 500);
    put_attribute(writer, number, "user_agent.original", agents[next_random(random) % 5]);
    put_attribute(writer, number, "server.address", "shop.example.com");
    snprintf(text, sizeof(text), "10.%llu.%llu.%llu",
             (unsigned long long)(next_random(random) % 16),
             (unsigned long long)(next_random(random) % 256),
             (unsigned long long)(next_random(random) % 256));
    put_attribute(writer, number, "client.address", text);
    put_int_attribute(writer, number, "thread.id", next_random(random) % 64);
}

/* Eight bytes for the number. */
static void put_id_place(struct hf_wire_writer *writer, uint32_t number)
{
    static const uint8_t zeros[8];
    hf_wire_put_bytes(writer, number, hf_slice_of(zeros, 8));
}

static void put_trace_id(struct hf_wire_writer *writer, uint32_t number, uint64_t *random)
{
    uint64_t id[2] = {next_random(random), next_random(random)};
    hf_wire_put_bytes(writer, number, hf_slice_of(id, sizeof(id)));
}

static void put_span(struct hf_wire_writer *writer, uint64_t *random, bool failed)
{
    uint64_t parent = next_random(random);
    uint64_t start = UINT64_C(1700000000000000000) + next_random(random) % 1000000000;
    struct hf_wire_message span = hf_wire_open(writer, 2, 400);
    put_trace_id(writer, 1, random);
    put_id_place(writer, 2);
    hf_wire_put_bytes(writer, 4, hf_slice_of(&parent, sizeof(parent)));
    put_text(writer, 5, SPAN_NAME);
    hf_wire_put_varint(writer, 6, 1 + next_random(random) % 4);
    hf_wire_put_fixed64(writer, 7, start);
    hf_wire_put_fixed64(writer, 8, start + next_random(random) % 80000000);
    put_attributes(writer, 9, random);
    if (failed) {
        struct hf_wire_message status = hf_wire_open(writer, 15, 2);
        hf_wire_put_varint(writer, 3, 2);
        hf_wire_close(writer, status);
    }
    hf_wire_close(writer, span);
}

static void put_fine_span(struct hf_wire_writer *writer, uint64_t *random)
{
    put_span(writer, random, false);
}

static void put_failed_span(struct hf_wire_writer *writer, uint64_t *random)
{
    put_span(writer, random, true);
}

static void put_log(struct hf_wire_writer *writer, uint64_t *random)
{
    struct hf_wire_message record = hf_wire_open(writer, 2, 400);
    hf_wire_put_fixed64(writer, 1,
                        UINT64_C(1700000000000000000) + next_random(random) % 1000000000);
    hf_wire_put_varint(writer, 2, 9);
    put_text(writer, 3, "INFO");
    struct hf_wire_message any = hf_wire_open(writer, 5, 64);
    put_text(writer, 1, "order accepted and handed to the warehouse");
    hf_wire_close(writer, any);
    put_attributes(writer, 6, random);
    put_trace_id(writer, 9, random);
    put_id_place(writer, 10);
    hf_wire_close(writer, record);
}

static void put_point(struct hf_wire_writer *writer, uint64_t *random)
{
    struct hf_wire_message metric = hf_wire_open(writer, 2, 400);
    put_text(writer, 1, "http.server.request.duration");
    put_text(writer, 3, "s");
    struct hf_wire_message gauge = hf_wire_open(writer, 5, 380);
    struct hf_wire_message point = hf_wire_open(writer, 1, 370);
    put_attributes(writer, 7, random);
    hf_wire_put_fixed64(writer, 3,
                        UINT64_C(1700000000000000000) + next_random(random) % 1000000000);
    hf_wire_put_fixed64(writer, 6, 0);
    hf_wire_close(writer, point);
    hf_wire_close(writer, gauge);
    hf_wire_close(writer, metric);
}

static void put_resource(struct hf_wire_writer *writer)
{
    struct hf_wire_message resource = hf_wire_open(writer, 1, 200);
    put_attribute(writer, 1, "service.name", "checkout");
    put_attribute(writer, 1, "service.version", "1.4.2");
    put_attribute(writer, 1, "deployment.environment", "production");
    put_attribute(writer, 1, "host.name", "node-17.cluster.local");
    put_attribute(writer, 1, "telemetry.sdk.language", "go");
    put_attribute(writer, 1, "k8s.pod.name", POD_NAME);
    hf_wire_close(writer, resource);
}

/* The trace id stands right before the tag and the size of the span id. */
static void number_trace(uint8_t *span_id, uint64_t number)
{
    uint64_t id[2] = {number * UINT64_C(0x9E3779B97F4A7C15), number};
    memcpy(span_id - 2 - sizeof(id), id, sizeof(id));
}

/* The number of the trace that the span has. */
static uint64_t trace_of(const struct storm_body *body, uint64_t request, uint32_t span)
{
    if (body->trace_requests == 0) {
        return (request * body->items + span) / body->trace_spans + 1;
    }
    uint32_t together = body->trace_spans / body->trace_requests; /* in one request */
    together = together != 0 ? together : 1;
    uint32_t traces = (body->items + together - 1) / together;
    return request / body->trace_requests * traces + span / together + 1;
}

/* Four digits of base 36, so that a name keeps its size. The order is mixed: neighbours are far
 * apart in what is kept of them. */
static void put_digits(uint8_t *place, uint64_t number, uint32_t count)
{
    uint64_t rest = number * UINT64_C(2654435761) % count;
    for (size_t i = NAME_DIGITS; i-- > 0; rest /= 36) {
        place[i] = (uint8_t) "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
    }
}

void storm_body_number(struct storm_body *body, uint64_t request)
{
    if (body->pod_names != 0) {
        put_digits(body->bytes.data + body->pod_place, request, body->pod_names);
    }
    for (uint32_t i = 0; i < body->items; i++) {
        /* Never zero: an all-zero span id means none. */
        uint64_t number = request * body->items + i + 1;
        uint8_t *place = body->bytes.data + body->places[i];
        memcpy(place, &number, sizeof(number));
        if (body->trace_spans != 0) {
            number_trace(place, trace_of(body, request, i));
        }
        if (body->span_names != 0) {
            put_digits(place + NAME_DIGITS_AT, number, body->span_names);
        }
    }
}

void storm_body_release(struct storm_body *body)
{
    hf_bytes_release(&body->bytes);
    free(body->places);
    *body = (struct storm_body){.items = 0};
}

/* ---- reading ---- */

/* From the request down to its items, and the item's field that holds the number. */
static const uint32_t paths[HF_SIGNAL_COUNT][6] = {
    [HF_TRACES] = {1, 2, 2, 0}, [HF_METRICS] = {1, 2, 2, 5, 1, 0}, [HF_LOGS] = {1, 2, 2, 0}};
static const uint32_t id_fields[HF_SIGNAL_COUNT] = {2, 6, 10};

struct reading {
    void (*visit)(void *user, uint64_t number);
    void *user;
    int64_t items;
    size_t *places; /* where the numbers stand, from `base`; NULL: not asked */
    const uint8_t *base;
};

static bool read_item(struct reading *reading, struct hf_slice item, uint32_t id_field)
{
    struct hf_wire wire = hf_wire_of(item);
    struct hf_wire_field field;
    reading->items++;
    if (reading->visit == NULL && reading->places == NULL) {
        return true; /* only counted */
    }
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number != id_field) {
            continue;
        }
        if (reading->places != NULL) {
            const uint8_t *end = field.whole.data + field.whole.size;
            reading->places[reading->items - 1] = (size_t)(end - 8 - reading->base);
        }
        uint64_t number = field.value;
        if (field.wire == HF_WIRE_BYTES && field.bytes.size == 8) {
            memcpy(&number, field.bytes.data, sizeof(number));
        }
        if (number != 0 && reading->visit != NULL) {
            reading->visit(reading->user, number - 1);
        }
        return true;
    }
    return true;
}

/* Walks messages down `path` (field numbers, ended by 0); the last are the items. */
static bool read_down(struct reading *reading, struct hf_slice bytes, const uint32_t *path,
                      uint32_t id_field)
{
    struct hf_wire wire = hf_wire_of(bytes);
    struct hf_wire_field field;
    while (!hf_wire_at_end(wire)) {
        if (!hf_wire_next(&wire, &field)) {
            return false;
        }
        if (field.number != path[0] || field.wire != HF_WIRE_BYTES) {
            continue;
        }
        bool fine = path[1] == 0 ? read_item(reading, field.bytes, id_field)
                                 : read_down(reading, field.bytes, path + 1, id_field);
        if (!fine) {
            return false;
        }
    }
    return true;
}

int64_t storm_body_read(enum hf_signal signal, struct hf_slice raw,
                        void (*visit)(void *user, uint64_t number), void *user)
{
    struct reading reading = {.visit = visit, .user = user};
    bool fine = read_down(&reading, raw, paths[signal], id_fields[signal]);
    return fine ? reading.items : -1;
}

/* ---- making ---- */

static bool find_places(struct storm_body *body, enum hf_signal signal)
{
    struct reading reading = {.places = body->places, .base = body->bytes.data};
    const uint8_t *pod = memmem(body->bytes.data, body->bytes.size, POD_NAME, sizeof(POD_NAME) - 1);
    body->pod_place = (size_t)(pod - body->bytes.data) + sizeof(POD_NAME) - 1 - NAME_DIGITS;
    return read_down(&reading, hf_slice_of(body->bytes.data, body->bytes.size), paths[signal],
                     id_fields[signal]) &&
           reading.items == body->items;
}

typedef void put_item_fn(struct hf_wire_writer *writer, uint64_t *random);

static bool make(struct storm_body *body, enum hf_signal signal, put_item_fn *put_item,
                 uint32_t items, uint64_t seed)
{
    uint64_t random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    *body = (struct storm_body){.places = calloc(items, sizeof(*body->places))};
    if (body->places == NULL ||
        hf_bytes_reserve(&body->bytes, (size_t)items * 512 + 1024) != HF_OK) {
        storm_body_release(body);
        return false;
    }
    struct hf_wire_writer writer = {.out = &body->bytes};
    size_t expected = (size_t)items * 400;
    struct hf_wire_message resource = hf_wire_open(&writer, 1, expected + 300);
    put_resource(&writer);
    struct hf_wire_message scope = hf_wire_open(&writer, 2, expected);
    struct hf_wire_message name = hf_wire_open(&writer, 1, 100);
    put_text(&writer, 1, "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp");
    put_text(&writer, 2, "0.55.0");
    hf_wire_close(&writer, name);
    for (; body->items < items; body->items++) {
        put_item(&writer, &random);
    }
    hf_wire_close(&writer, scope);
    hf_wire_close(&writer, resource);
    return hf_wire_status(&writer) == HF_OK && find_places(body, signal);
}

bool storm_body_make(struct storm_body *body, enum hf_signal signal, uint32_t items, uint64_t seed)
{
    static put_item_fn *const put[HF_SIGNAL_COUNT] = {put_fine_span, put_point, put_log};
    return make(body, signal, put[signal], items, seed);
}

bool storm_body_make_failed(struct storm_body *body, enum hf_signal signal, uint32_t items,
                            uint64_t seed)
{
    static put_item_fn *const put[HF_SIGNAL_COUNT] = {put_failed_span, put_point, put_log};
    return make(body, signal, put[signal], items, seed);
}
