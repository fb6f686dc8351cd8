/*
 * bodies: Export requests for tests, written with the wire writer and a seed: every field of the
 * data model turns up sooner or later, unknown fields too.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <holdfast/batch.h>

#include "pdata/wire.h"

struct bodies {
    struct hf_wire_writer writer;
    uint64_t random; /* never 0 */
};

static inline uint64_t bodies_draw(struct bodies *bodies, uint64_t below)
{
    bodies->random ^= bodies->random << 13;
    bodies->random ^= bodies->random >> 7;
    bodies->random ^= bodies->random << 17;
    return bodies->random % below;
}

static inline void bodies_text(struct bodies *bodies, uint32_t number, const char *text)
{
    hf_wire_put_bytes(&bodies->writer, number, hf_slice_text(text));
}

static inline void bodies_id(struct bodies *bodies, uint32_t number, size_t size)
{
    uint8_t id[16];
    for (size_t i = 0; i < sizeof(id); i++) {
        id[i] = (uint8_t)bodies_draw(bodies, 256);
    }
    hf_wire_put_bytes(&bodies->writer, number, hf_slice_of(id, size));
}

static inline void bodies_unknown(struct bodies *bodies)
{
    switch (bodies_draw(bodies, 12)) {
    case 0:
        hf_wire_put_varint(&bodies->writer, 1000, UINT64_MAX);
        break;
    case 1:
        bodies_text(bodies, 333, "\xff kept as it is");
        break;
    case 2:
        hf_wire_put_fixed32(&bodies->writer, 77, 0x01020304);
        break;
    case 3:
        hf_wire_put_fixed64(&bodies->writer, 78, UINT64_MAX);
        break;
    default:
        break;
    }
}

static inline void bodies_value(struct bodies *bodies, uint32_t number, unsigned depth)
{
    static const char *const texts[] = {
        "",
        "GET",
        "/api/v1/checkout",
        "caf\xc3\xa9",
        "\xe2\x82\xac 10",
        "\xf0\x9f\x90\x9f",
        "a text that is longer than one hundred and twenty-seven bytes, so that its length takes "
        "two bytes and the usual way out is not the quick one"};
    struct hf_wire_writer *writer = &bodies->writer;
    struct hf_wire_message value = hf_wire_open(writer, number, 16);
    switch (bodies_draw(bodies, depth < 3 ? 12 : 8)) {
    case 0:
        hf_wire_put_varint(writer, 2, bodies_draw(bodies, 2));
        break;
    case 1:
        hf_wire_put_varint(writer, 3, bodies_draw(bodies, 600));
        break;
    case 2:
        hf_wire_put_varint(writer, 3, UINT64_MAX - bodies_draw(bodies, 600));
        break;
    case 3:
        hf_wire_put_fixed64(writer, 4, UINT64_C(0x3ff8000000000000));
        break;
    case 4:
        hf_wire_put_bytes(writer, 7, hf_slice_of("\xff\x00\x80", 3));
        break;
    case 8: {
        struct hf_wire_message list = hf_wire_open(writer, 5, 10);
        for (uint64_t i = bodies_draw(bodies, 3); i > 0; i--) {
            bodies_value(bodies, 1, depth + 1);
        }
        hf_wire_close(writer, list);
        break;
    }
    case 9: {
        struct hf_wire_message map = hf_wire_open(writer, 6, 200);
        for (uint64_t i = bodies_draw(bodies, 3); i > 0; i--) {
            struct hf_wire_message pair = hf_wire_open(writer, 1, 200);
            bodies_text(bodies, 1, "inner");
            bodies_value(bodies, 2, depth + 1);
            hf_wire_close(writer, pair);
        }
        hf_wire_close(writer, map);
        break;
    }
    case 10:
        break; /* an empty value */
    default:
        bodies_text(bodies, 1, texts[bodies_draw(bodies, sizeof(texts) / sizeof(texts[0]))]);
        break;
    }
    hf_wire_close(writer, value);
}

/* Attributes "a0".. in order, so that keys are unique in their list. */
static inline void bodies_attributes(struct bodies *bodies, uint32_t number, uint64_t most)
{
    uint64_t count = bodies_draw(bodies, most + 1);
    for (uint64_t i = 0; i < count; i++) {
        char key[24];
        snprintf(key, sizeof(key), "a%u", (unsigned)i);
        struct hf_wire_message pair = hf_wire_open(&bodies->writer, number, 30);
        bodies_text(bodies, 1, key);
        bodies_value(bodies, 2, 0);
        if (bodies_draw(bodies, 20) == 0) {
            bodies_unknown(bodies);
        }
        hf_wire_close(&bodies->writer, pair);
    }
}

static inline void bodies_span(struct bodies *bodies)
{
    struct hf_wire_writer *writer = &bodies->writer;
    struct hf_wire_message span = hf_wire_open(writer, 2, 300);
    bodies_id(bodies, 1, bodies_draw(bodies, 9) == 0 ? 0 : 16);
    bodies_id(bodies, 2, 8);
    bodies_text(bodies, 3, "k=v");
    bodies_id(bodies, 4, bodies_draw(bodies, 2) == 0 ? 0 : 8);
    bodies_text(bodies, 5, bodies_draw(bodies, 2) == 0 ? "GET /" : "checkout");
    hf_wire_put_varint(writer, 6, bodies_draw(bodies, 6));
    hf_wire_put_fixed64(writer, 7, UINT64_C(1700000000000000000));
    hf_wire_put_fixed64(writer, 8, UINT64_C(1700000000000000900));
    bodies_attributes(bodies, 9, 6);
    hf_wire_put_varint(writer, 10, 3);
    if (bodies_draw(bodies, 3) == 0) {
        struct hf_wire_message event = hf_wire_open(writer, 11, 60);
        hf_wire_put_fixed64(writer, 1, 5);
        bodies_text(bodies, 2, "exception");
        bodies_attributes(bodies, 3, 2);
        hf_wire_put_varint(writer, 4, 1);
        hf_wire_close(writer, event);
        hf_wire_put_varint(writer, 12, 300);
        struct hf_wire_message link = hf_wire_open(writer, 13, 60);
        bodies_id(bodies, 1, 16);
        bodies_id(bodies, 2, 8);
        bodies_text(bodies, 3, "");
        bodies_attributes(bodies, 4, 2);
        hf_wire_put_varint(writer, 5, 0);
        hf_wire_put_fixed32(writer, 6, 0x101);
        hf_wire_close(writer, link);
        hf_wire_put_varint(writer, 14, 1);
    }
    struct hf_wire_message status = hf_wire_open(writer, 15, 10);
    bodies_text(bodies, 2, "no");
    hf_wire_put_varint(writer, 3, 2);
    hf_wire_close(writer, status);
    hf_wire_put_fixed32(writer, 16, 1);
    bodies_unknown(bodies);
    hf_wire_close(writer, span);
}

static inline void bodies_record(struct bodies *bodies)
{
    static const char *const severities[] = {"INFO", "WARN", "ERROR", ""};
    struct hf_wire_writer *writer = &bodies->writer;
    struct hf_wire_message record = hf_wire_open(writer, 2, 300);
    hf_wire_put_fixed64(writer, 1, 1);
    hf_wire_put_varint(writer, 2, bodies_draw(bodies, 25));
    bodies_text(bodies, 3, severities[bodies_draw(bodies, 4)]);
    bodies_value(bodies, 5, 0);
    bodies_attributes(bodies, 6, 6);
    hf_wire_put_varint(writer, 7, 1);
    hf_wire_put_fixed32(writer, 8, 1);
    bodies_id(bodies, 9, 16);
    bodies_id(bodies, 10, 8);
    hf_wire_put_fixed64(writer, 11, 2);
    bodies_text(bodies, 12, "event.name");
    bodies_unknown(bodies);
    hf_wire_close(writer, record);
}

static inline void bodies_exemplar(struct bodies *bodies, uint32_t number)
{
    struct hf_wire_writer *writer = &bodies->writer;
    struct hf_wire_message exemplar = hf_wire_open(writer, number, 60);
    hf_wire_put_fixed64(writer, 2, 1);
    hf_wire_put_fixed64(writer, 3 + 3 * (uint32_t)bodies_draw(bodies, 2), 9);
    bodies_id(bodies, 4, 8);
    bodies_id(bodies, 5, 16);
    bodies_attributes(bodies, 7, 2);
    hf_wire_close(writer, exemplar);
}

/* One data point of a metric whose data is field `kind`: 5, 7, 9, 10 or 11. */
static inline void bodies_point(struct bodies *bodies, uint32_t kind)
{
    static const uint8_t counts[24] = {1};
    static const uint8_t attributes[12] = {[5] = 7, [7] = 7, [9] = 9, [10] = 1, [11] = 7};
    struct hf_wire_writer *writer = &bodies->writer;
    struct hf_wire_message point = hf_wire_open(writer, 1, 100);
    bodies_attributes(bodies, attributes[kind], 4);
    hf_wire_put_fixed64(writer, 2, 1);
    hf_wire_put_fixed64(writer, 3, 2);
    hf_wire_put_fixed64(writer, 4, 3);
    if (kind == 5 || kind == 7) {
        bodies_exemplar(bodies, 5);
        hf_wire_put_fixed64(writer, 6, 7);
        hf_wire_put_varint(writer, 8, 1);
    } else if (kind == 9) {
        hf_wire_put_bytes(writer, 6, hf_slice_of(counts, sizeof(counts)));
        hf_wire_put_fixed64(writer, 7, 1); /* not packed */
        hf_wire_put_fixed64(writer, 7, 2);
        bodies_exemplar(bodies, 8);
        hf_wire_put_varint(writer, 10, 1);
    } else if (kind == 10) {
        hf_wire_put_varint(writer, 6, 3);
        struct hf_wire_message buckets = hf_wire_open(writer, 8, 20);
        hf_wire_put_varint(writer, 1, 1);
        hf_wire_put_bytes(writer, 2, hf_slice_of("\x01\x96\x01\x03", 4));
        hf_wire_put_varint(writer, 2, 5); /* not packed */
        hf_wire_close(writer, buckets);
        bodies_exemplar(bodies, 11);
    } else {
        struct hf_wire_message quantile = hf_wire_open(writer, 6, 18);
        hf_wire_put_fixed64(writer, 1, 1);
        hf_wire_put_fixed64(writer, 2, 2);
        hf_wire_close(writer, quantile);
    }
    bodies_unknown(bodies);
    hf_wire_close(writer, point);
}

/* A metric of `points` data points. */
static inline void bodies_metric(struct bodies *bodies, uint64_t points)
{
    static const uint32_t kinds[] = {5, 7, 9, 10, 11};
    struct hf_wire_writer *writer = &bodies->writer;
    uint32_t kind = kinds[bodies_draw(bodies, 5)];
    struct hf_wire_message metric = hf_wire_open(writer, 2, 300);
    bodies_text(bodies, 1, bodies_draw(bodies, 2) == 0 ? "http.duration" : "requests");
    bodies_text(bodies, 2, "what it is");
    bodies_text(bodies, 3, "ms");
    struct hf_wire_message data = hf_wire_open(writer, kind, 200);
    for (uint64_t i = 0; i < points; i++) {
        bodies_point(bodies, kind);
    }
    if (kind != 5 && kind != 11) {
        hf_wire_put_varint(writer, 2, 2);
    }
    bodies_unknown(bodies);
    hf_wire_close(writer, data);
    bodies_attributes(bodies, 12, 1);
    bodies_unknown(bodies);
    hf_wire_close(writer, metric);
}

/* A profile of `samples` samples. */
static inline void bodies_profile(struct bodies *bodies, uint64_t samples)
{
    struct hf_wire_writer *writer = &bodies->writer;
    struct hf_wire_message profile = hf_wire_open(writer, 2, 100);
    struct hf_wire_message type = hf_wire_open(writer, 1, 10);
    hf_wire_put_varint(writer, 1, 1);
    hf_wire_put_varint(writer, 2, 2);
    hf_wire_close(writer, type);
    for (uint64_t i = 0; i < samples; i++) {
        struct hf_wire_message sample = hf_wire_open(writer, 2, 30);
        hf_wire_put_varint(writer, 1, 1 + i);
        hf_wire_put_bytes(writer, 4, hf_slice_of("\x01\x96\x01", 3));
        hf_wire_put_fixed64(writer, 5, 9); /* not packed */
        bodies_unknown(bodies);
        hf_wire_close(writer, sample);
    }
    hf_wire_put_fixed64(writer, 3, 5);
    hf_wire_put_varint(writer, 4, 6);
    bodies_id(bodies, 7, 16);
    bodies_text(bodies, 9, "pprof");
    bodies_unknown(bodies);
    hf_wire_close(writer, profile);
}

/* The tables that profiles point into. */
static inline void bodies_dictionary(struct bodies *bodies)
{
    struct hf_wire_writer *writer = &bodies->writer;
    struct hf_wire_message dictionary = hf_wire_open(writer, 2, 200);
    struct hf_wire_message location = hf_wire_open(writer, 2, 30);
    hf_wire_put_varint(writer, 2, 0x4000);
    struct hf_wire_message line = hf_wire_open(writer, 3, 10);
    hf_wire_put_varint(writer, 2, 7);
    hf_wire_close(writer, line);
    hf_wire_close(writer, location);
    bodies_text(bodies, 5, "");
    bodies_text(bodies, 5, "main");
    bodies_text(bodies, 5, "cpu");
    struct hf_wire_message pair = hf_wire_open(writer, 6, 30);
    hf_wire_put_varint(writer, 1, 1);
    bodies_value(bodies, 2, 0);
    hf_wire_close(writer, pair);
    hf_wire_close(writer, dictionary);
}

static inline void bodies_scope(struct bodies *bodies)
{
    struct hf_wire_message scope = hf_wire_open(&bodies->writer, 1, 40);
    bodies_text(bodies, 1, "my.library");
    bodies_text(bodies, 2, bodies_draw(bodies, 2) == 0 ? "1.0" : "2.0");
    bodies_attributes(bodies, 3, 1);
    hf_wire_put_varint(&bodies->writer, 4, 2);
    hf_wire_close(&bodies->writer, scope);
}

static inline void bodies_resource(struct bodies *bodies)
{
    struct hf_wire_message resource = hf_wire_open(&bodies->writer, 1, 100);
    bodies_attributes(bodies, 1, 4);
    hf_wire_put_varint(&bodies->writer, 2, 1);
    if (bodies_draw(bodies, 4) == 0) {
        struct hf_wire_message entity = hf_wire_open(&bodies->writer, 3, 10);
        bodies_text(bodies, 2, "service");
        bodies_text(bodies, 3, "service.name");
        hf_wire_close(&bodies->writer, entity);
    }
    bodies_unknown(bodies);
    hf_wire_close(&bodies->writer, resource);
}

/* Appends a request of exactly `items` items to `out`. */
static inline void bodies_make(enum hf_signal signal, uint64_t seed, uint64_t items,
                               struct hf_bytes *out)
{
    struct bodies bodies = {.writer = {.out = out},
                            .random = seed * 2654435761u + 88172645463325252u};
    for (uint64_t left = items; left > 0;) {
        struct hf_wire_message element = hf_wire_open(&bodies.writer, 1, 1000);
        if (bodies_draw(&bodies, 8) != 0) {
            bodies_resource(&bodies);
        }
        for (uint64_t scopes = 1 + bodies_draw(&bodies, 2); scopes > 0; scopes--) {
            struct hf_wire_message group = hf_wire_open(&bodies.writer, 2, 1000);
            bodies_scope(&bodies);
            for (uint64_t i = bodies_draw(&bodies, 6); i > 0 && left > 0; i--) {
                bool are_many = signal == HF_METRICS || signal == HF_PROFILES;
                uint64_t points = are_many ? 1 + bodies_draw(&bodies, 4) : 1;
                points = points < left ? points : left;
                left -= points;
                if (signal == HF_TRACES) {
                    bodies_span(&bodies);
                } else if (signal == HF_LOGS) {
                    bodies_record(&bodies);
                } else if (signal == HF_PROFILES) {
                    bodies_profile(&bodies, points);
                } else {
                    bodies_metric(&bodies, points);
                }
            }
            bodies_text(&bodies, 3, "https://example.com/scope");
            bodies_unknown(&bodies);
            hf_wire_close(&bodies.writer, group);
        }
        bodies_text(&bodies, 3, "https://example.com/resource");
        bodies_unknown(&bodies);
        hf_wire_close(&bodies.writer, element);
    }
    if (signal == HF_PROFILES) {
        bodies_dictionary(&bodies);
    }
    bodies_unknown(&bodies);
    assert(hf_wire_status(&bodies.writer) == HF_OK);
}
