/*
 * own_spans: spans of Holdfast's own work: one for each request that a receiver takes, and for each
 * attempt of an exporter.
 *
 * Spans are made only while they are wanted: a page that shows the latest ones, or a sink that
 * sends them on. By name there is a count of those that run, and the latest few ended ones of each
 * bucket of latency and of those that failed. A meeting place with a lock for each name: any
 * thread. What it holds is bounded by HF_OWN_SPANS_NAMES_MAX names; others are not traced.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

struct hf_own_spans;
struct hf_span_name;

#define HF_OWN_SPANS_NAMES_MAX 512u
#define HF_SPAN_BUCKETS 9u /* of latency: from 0, 10 us, 100 us, ... 10 s, 1 min on */
#define HF_SPAN_FAILED HF_SPAN_BUCKETS
#define HF_SPAN_SAMPLES 8u /* that are kept of each bucket, and of the failed ones */
#define HF_SPAN_ERROR_MAX 128

/* A span that has ended. */
struct hf_own_span {
    uint8_t trace_id[16], span_id[8];
    uint64_t start_unix_ns, duration_ns;
    uint64_t items;
    const char *transport; /* a literal; NULL: none */
    bool is_failed;
    char error[HF_SPAN_ERROR_MAX];
};

/* What all spans of a name share. Literals, but for the name. */
struct hf_span_kind {
    const char *items_key, *failed_items_key; /* "accepted_spans", "refused_spans" */
    bool is_client;                           /* an exporter's; else a server's */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_own_spans_new(struct hf_own_spans **ret_spans);
void hf_own_spans_free(struct hf_own_spans *spans);

/* Are spans to be made now? NULL: never. */
bool hf_own_spans_wanted(const struct hf_own_spans *spans);
/* One more reader, or one less. */
void hf_own_spans_want(struct hf_own_spans *spans, bool wants);

/* The name of that text, which is copied; it lives as long as `spans`. NULL: there are too many, or
 * no memory, or `spans` is NULL. */
struct hf_span_name *hf_own_spans_name(struct hf_own_spans *spans, const char *text,
                                       const struct hf_span_kind *kind);
const char *hf_span_name_text(const struct hf_span_name *name);
const struct hf_span_kind *hf_span_name_kind(const struct hf_span_name *name);

/* A span begins. Returns its start (monotonic, never 0); 0: it is not traced, and is not to be
 * ended. `name` may be NULL. */
uint64_t hf_own_span_begin(struct hf_span_name *name);
/* It ends. `span` has what is known of it: items, transport, is_failed; `error` is copied, cut;
 * NULL: none. */
void hf_own_span_end(struct hf_span_name *name, uint64_t start_ns, struct hf_own_span *span,
                     const char *error);

/* ---- for readers of spans ---- */

/* Is told of each span that ends, on the thread that ends it. Embed it. */
struct hf_span_sink {
    struct hf_span_sink *next;
    void (*take)(struct hf_span_sink *sink, const struct hf_span_name *name,
                 const struct hf_own_span *span); /* must not block */
};

/* A sink wants them as long as it is there. After the removal it is not called any more. */
void hf_own_spans_add_sink(struct hf_own_spans *spans, struct hf_span_sink *sink);
void hf_own_spans_remove_sink(struct hf_own_spans *spans, struct hf_span_sink *sink);

struct hf_span_summary {
    const struct hf_span_name *name;
    uint64_t running;
    uint64_t ended[HF_SPAN_BUCKETS + 1]; /* by latency, without the failed ones; and those */
};

/* In the order in which the names came up. */
void hf_own_spans_each(struct hf_own_spans *spans,
                       void (*visit)(void *user, const struct hf_span_summary *summary),
                       void *user);

/* The latest ended spans of a name and bucket (HF_SPAN_FAILED: the failed ones), the latest first.
 * Returns how many, at most HF_SPAN_SAMPLES; 0 when there is no such name. */
size_t hf_own_spans_samples(struct hf_own_spans *spans, const char *name, unsigned bucket,
                            struct hf_own_span *ret_spans);
