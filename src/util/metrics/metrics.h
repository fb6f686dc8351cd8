/*
 * metrics: Holdfast's own counters, gauges and histograms, and their Prometheus text.
 *
 * A family has a name, a type and help; a series is a family with labels. Registering twice yields
 * the same series, so that a reload continues its counts. Counting is one relaxed atomic add: any
 * thread. Registering and printing take the registry's lock.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/status.h>

struct hf_metrics;

enum hf_metric_type { HF_COUNTER = 0, HF_GAUGE, HF_HISTOGRAM };

struct hf_label {
    const char *name, *value; /* both copied */
};

/* A counter or a gauge. */
struct hf_series {
    _Atomic int64_t value;
};

struct hf_histogram;

static inline void hf_series_add(struct hf_series *series, int64_t more)
{
    atomic_fetch_add_explicit(&series->value, more, memory_order_relaxed);
}

static inline void hf_series_set(struct hf_series *series, int64_t value)
{
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

static inline int64_t hf_series_get(const struct hf_series *series)
{
    return atomic_load_explicit(&series->value, memory_order_relaxed);
}

struct hf_metric_family {
    const char *name; /* without prefix rules applied: "otelcol_receiver_accepted_spans" */
    enum hf_metric_type type;
    const char *unit; /* "", "s", "By": for the newer spelling's suffix */
    const char *help;
    double scale;         /* printed value = stored integer * scale; 0 means 1 */
    const double *bounds; /* HISTOGRAM: upper bounds in printed units, ascending */
    size_t bound_count;
    bool is_swept; /* of things that come and go, see hf_metrics_sweep() */
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status hf_metrics_new(struct hf_metrics **ret_metrics);
void hf_metrics_free(struct hf_metrics *metrics);

/* `labels` ends with {NULL, NULL}. NULL when out of memory. The series lives as long as the
 * registry; one of a family that is swept, until a sweep finds it unused. */
struct hf_series *hf_metrics_series(struct hf_metrics *metrics,
                                    const struct hf_metric_family *family,
                                    const struct hf_label *labels);
struct hf_histogram *hf_metrics_histogram(struct hf_metrics *metrics,
                                          const struct hf_metric_family *family,
                                          const struct hf_label *labels);
/*
 * Removes the series of swept families that were not asked for since the sweep before. The user of
 * such families asks for every series again at each refresh, sets it, and sweeps at the end; it
 * keeps none of them. The refreshing thread.
 */
void hf_metrics_sweep(struct hf_metrics *metrics);

/* `value` in stored units (nanoseconds with scale 1e-9, say). Lock-free; any thread. */
void hf_histogram_observe(struct hf_histogram *histogram, uint64_t value);

/*
 * Takes over counts that are kept elsewhere: `counts` of each bucket (bound_count + 1 of them,
 * each its own values only) and the sum, in stored units. For histograms that are not observed
 * here.
 */
void hf_histogram_load(struct hf_histogram *histogram, const uint64_t *counts, uint64_t sum);

/* Called by the printing thread before each scrape, to set gauges from elsewhere; removed by the
 * token. */
typedef void hf_metrics_refresh(void *user);
HF_MUST_USE enum hf_status hf_metrics_on_scrape(struct hf_metrics *metrics,
                                                hf_metrics_refresh *refresh, void *user);
void hf_metrics_off_scrape(struct hf_metrics *metrics, hf_metrics_refresh *refresh, void *user);

struct hf_metrics_style {
    bool type_suffix; /* counters end in _total */
    bool unit_suffix; /* _seconds, _bytes */
    const struct hf_label
        *constant_labels; /* on every series, ends with {NULL, NULL}; may be NULL */
};

/* The whole exposition, text format 0.0.4; malloc'd, the caller frees. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_metrics_print(struct hf_metrics *metrics,
                                            const struct hf_metrics_style *style, char **ret_text,
                                            size_t *ret_size);

/* A series as hf_metrics_walk() shows it; valid during the call. */
struct hf_metric_view {
    const char *name, *unit, *help; /* of its family, as registered */
    enum hf_metric_type type;
    double scale;  /* 1: the values are integers */
    int64_t value; /* COUNTER, GAUGE: stored units */
    uint64_t sum;  /* HISTOGRAM: stored units */
    const double *bounds;
    const uint64_t *buckets; /* bound_count + 1, each its own values only */
    size_t bound_count;
    const char *labels; /* for hf_metrics_label_next() */
};

/* Refreshes, and visits all series, those of a family one after another. Under the registry's lock:
 * `visit` must not call it. */
void hf_metrics_walk(struct hf_metrics *metrics,
                     void (*visit)(void *user, const struct hf_metric_view *view), void *user);

#define HF_METRIC_LABEL_MAX 512u /* bytes of a name or a value, with the NUL; more is cut */

/* The next label of `*labels`, which steps behind it; false: there are no more. */
bool hf_metrics_label_next(const char **labels, char *ret_name, char *ret_value);

/*
 * Where the process shows its metrics ("localhost:8888"; NULL: nowhere) and in which style. Both
 * are borrowed until they are set again. Main thread.
 */
void hf_metrics_show_at(struct hf_metrics *metrics, const char *address,
                        const struct hf_metrics_style *style);

/*
 * What a scrape of "host:port" would get when that is where this process shows its metrics, without
 * a connection; NULL: wherever that is. HF_NOT_FOUND: it is not, as far as can be told from the
 * text. Any thread.
 */
HF_MUST_USE enum hf_status hf_metrics_print_shown(struct hf_metrics *metrics, const char *address,
                                                  char **ret_text, size_t *ret_size);
