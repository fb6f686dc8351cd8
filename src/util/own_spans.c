#include "own_spans.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/time/clock.h"

struct samples {
    uint64_t count;             /* ever ended */
    struct hf_own_span *latest; /* a ring of HF_SPAN_SAMPLES; NULL: none was kept yet */
};

struct hf_span_name {
    struct hf_own_spans *spans;
    struct hf_span_kind kind;
    atomic_uint_fast64_t running;
    pthread_mutex_t lock; /* of the buckets */
    struct samples buckets[HF_SPAN_BUCKETS + 1];
    char text[];
};

struct hf_own_spans {
    atomic_uint wanted;
    atomic_size_t count; /* of the names; those below it never change */
    struct hf_span_name *names[HF_OWN_SPANS_NAMES_MAX];
    pthread_mutex_t lock;        /* of adding names */
    pthread_rwlock_t sinks_lock; /* of the list; read while a sink is called */
    struct hf_span_sink *sinks;
};

enum hf_status hf_own_spans_new(struct hf_own_spans **ret_spans)
{
    struct hf_own_spans *spans = calloc(1, sizeof(*spans));
    if (spans == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&spans->lock, NULL);
    pthread_rwlock_init(&spans->sinks_lock, NULL);
    *ret_spans = spans;
    return HF_OK;
}

static void free_name(struct hf_span_name *name)
{
    for (unsigned i = 0; i <= HF_SPAN_BUCKETS; i++) {
        free(name->buckets[i].latest);
    }
    pthread_mutex_destroy(&name->lock);
    free(name);
}

void hf_own_spans_free(struct hf_own_spans *spans)
{
    if (spans == NULL) {
        return;
    }
    for (size_t i = 0; i < atomic_load(&spans->count); i++) {
        free_name(spans->names[i]);
    }
    pthread_mutex_destroy(&spans->lock);
    pthread_rwlock_destroy(&spans->sinks_lock);
    free(spans);
}

bool hf_own_spans_wanted(const struct hf_own_spans *spans)
{
    return spans != NULL && atomic_load_explicit(&spans->wanted, memory_order_relaxed) != 0;
}

void hf_own_spans_want(struct hf_own_spans *spans, bool wants)
{
    if (wants) {
        atomic_fetch_add(&spans->wanted, 1);
    } else {
        atomic_fetch_sub(&spans->wanted, 1);
    }
}

/* ---- names ---- */

static struct hf_span_name *find_name(const struct hf_own_spans *spans, const char *text)
{
    size_t count = atomic_load_explicit(&spans->count, memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(spans->names[i]->text, text) == 0) {
            return spans->names[i];
        }
    }
    return NULL;
}

static struct hf_span_name *add_name(struct hf_own_spans *spans, const char *text,
                                     const struct hf_span_kind *kind)
{
    size_t count = atomic_load(&spans->count);
    size_t size = strlen(text) + 1;
    struct hf_span_name *name =
        count < HF_OWN_SPANS_NAMES_MAX ? calloc(1, sizeof(*name) + size) : NULL;
    if (name == NULL) {
        return NULL;
    }
    name->spans = spans;
    name->kind = *kind;
    pthread_mutex_init(&name->lock, NULL);
    memcpy(name->text, text, size);
    spans->names[count] = name;
    atomic_store_explicit(&spans->count, count + 1, memory_order_release);
    return name;
}

struct hf_span_name *hf_own_spans_name(struct hf_own_spans *spans, const char *text,
                                       const struct hf_span_kind *kind)
{
    if (spans == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&spans->lock);
    struct hf_span_name *name = find_name(spans, text);
    if (name == NULL) {
        name = add_name(spans, text, kind);
    }
    pthread_mutex_unlock(&spans->lock);
    return name;
}

const char *hf_span_name_text(const struct hf_span_name *name)
{
    return name->text;
}

const struct hf_span_kind *hf_span_name_kind(const struct hf_span_name *name)
{
    return &name->kind;
}

/* ---- spans ---- */

uint64_t hf_own_span_begin(struct hf_span_name *name)
{
    if (name == NULL || !hf_own_spans_wanted(name->spans)) {
        return 0;
    }
    atomic_fetch_add_explicit(&name->running, 1, memory_order_relaxed);
    uint64_t now_ns = hf_clock_monotonic_ns();
    return now_ns != 0 ? now_ns : 1;
}

static unsigned bucket_of(const struct hf_own_span *span)
{
    unsigned bucket = 0;
    if (span->is_failed) {
        return HF_SPAN_FAILED;
    }
    for (uint64_t bound_ns = 10000; bucket < HF_SPAN_BUCKETS - 2 && span->duration_ns >= bound_ns;
         bound_ns *= 10) {
        bucket++;
    }
    return span->duration_ns >= 60 * HF_NS_PER_S ? HF_SPAN_BUCKETS - 1 : bucket;
}

static void set_ids(struct hf_own_span *span)
{
    uint8_t bytes[sizeof(span->trace_id) + sizeof(span->span_id)];
    if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t)sizeof(bytes)) {
        uint64_t now_ns = hf_clock_monotonic_ns(); /* an id must not be 0 */
        memset(bytes, 1, sizeof(bytes));
        memcpy(bytes, &now_ns, sizeof(now_ns));
    }
    memcpy(span->trace_id, bytes, sizeof(span->trace_id));
    memcpy(span->span_id, bytes + sizeof(span->trace_id), sizeof(span->span_id));
}

void hf_own_span_end(struct hf_span_name *name, uint64_t start_ns, struct hf_own_span *span,
                     const char *error)
{
    struct hf_own_spans *spans = name->spans;
    span->duration_ns = hf_clock_monotonic_ns() - start_ns;
    span->start_unix_ns = hf_clock_unix_ns() - span->duration_ns;
    snprintf(span->error, sizeof(span->error), "%s", error != NULL ? error : "");
    set_ids(span);
    atomic_fetch_sub_explicit(&name->running, 1, memory_order_relaxed);
    struct samples *samples = &name->buckets[bucket_of(span)];
    pthread_mutex_lock(&name->lock);
    if (samples->latest == NULL) {
        samples->latest = calloc(HF_SPAN_SAMPLES, sizeof(*samples->latest));
    }
    if (samples->latest != NULL) {
        samples->latest[samples->count++ % HF_SPAN_SAMPLES] = *span;
    }
    pthread_mutex_unlock(&name->lock);
    pthread_rwlock_rdlock(&spans->sinks_lock);
    for (struct hf_span_sink *sink = spans->sinks; sink != NULL; sink = sink->next) {
        sink->take(sink, name, span);
    }
    pthread_rwlock_unlock(&spans->sinks_lock);
}

/* ---- for those who want them ---- */

void hf_own_spans_add_sink(struct hf_own_spans *spans, struct hf_span_sink *sink)
{
    pthread_rwlock_wrlock(&spans->sinks_lock);
    sink->next = spans->sinks;
    spans->sinks = sink;
    pthread_rwlock_unlock(&spans->sinks_lock);
    hf_own_spans_want(spans, true);
}

void hf_own_spans_remove_sink(struct hf_own_spans *spans, struct hf_span_sink *sink)
{
    pthread_rwlock_wrlock(&spans->sinks_lock);
    struct hf_span_sink **at = &spans->sinks;
    while (*at != sink) {
        at = &(*at)->next;
    }
    *at = sink->next;
    pthread_rwlock_unlock(&spans->sinks_lock);
    hf_own_spans_want(spans, false);
}

void hf_own_spans_each(struct hf_own_spans *spans,
                       void (*visit)(void *user, const struct hf_span_summary *summary), void *user)
{
    size_t count = atomic_load_explicit(&spans->count, memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        struct hf_span_name *name = spans->names[i];
        struct hf_span_summary summary = {.name = name, .running = atomic_load(&name->running)};
        pthread_mutex_lock(&name->lock);
        for (unsigned k = 0; k <= HF_SPAN_BUCKETS; k++) {
            summary.ended[k] = name->buckets[k].count;
        }
        pthread_mutex_unlock(&name->lock);
        visit(user, &summary);
    }
}

size_t hf_own_spans_samples(struct hf_own_spans *spans, const char *text, unsigned bucket,
                            struct hf_own_span *ret_spans)
{
    struct hf_span_name *name = find_name(spans, text);
    size_t found = 0;
    if (name == NULL || bucket > HF_SPAN_BUCKETS) {
        return 0;
    }
    pthread_mutex_lock(&name->lock);
    const struct samples *samples = &name->buckets[bucket];
    for (uint64_t i = samples->count; i > 0 && found < HF_SPAN_SAMPLES; i--) {
        ret_spans[found++] = samples->latest[(i - 1) % HF_SPAN_SAMPLES];
    }
    pthread_mutex_unlock(&name->lock);
    return found;
}
