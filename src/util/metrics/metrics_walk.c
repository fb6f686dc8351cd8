/*
 * metrics_walk: all series of the registry, one by one, for those who do not want text.
 */
#include <string.h>

#include "metrics_internal.h"

static void show(const struct family *family, const struct entry *entry,
                 void (*visit)(void *user, const struct hf_metric_view *view), void *user)
{
    uint64_t buckets[HF_METRIC_BOUNDS_MAX + 1];
    struct hf_metric_view view = {.name = family->name,
                                  .unit = family->unit,
                                  .help = family->help,
                                  .type = family->type,
                                  .scale = family->scale,
                                  .labels = entry->labels};
    if (family->type == HF_HISTOGRAM) {
        const struct hf_histogram *histogram = &entry->histogram;
        view.sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
        for (size_t i = 0; i <= histogram->bound_count; i++) {
            buckets[i] = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        }
        view.bounds = family->bounds;
        view.buckets = buckets;
        view.bound_count = family->bound_count;
    } else {
        view.value = hf_series_get(&entry->series);
    }
    visit(user, &view);
}

void hf_metrics_walk(struct hf_metrics *metrics,
                     void (*visit)(void *user, const struct hf_metric_view *view), void *user)
{
    hf_metrics_refresh_all(metrics);
    pthread_mutex_lock(&metrics->lock);
    for (const struct family *family = metrics->families; family != NULL; family = family->next) {
        for (const struct entry *entry = family->entries; entry != NULL; entry = entry->next) {
            show(family, entry, visit, user);
        }
    }
    pthread_mutex_unlock(&metrics->lock);
}

/* Labels are kept as they are printed: name="value",name="value", with \\ and \" in the values. */
bool hf_metrics_label_next(const char **labels, char *ret_name, char *ret_value)
{
    const char *at = *labels;
    size_t size = strcspn(at, "=");
    if (at[size] == '\0') {
        return false;
    }
    size_t kept = size < HF_METRIC_LABEL_MAX ? size : HF_METRIC_LABEL_MAX - 1;
    memcpy(ret_name, at, kept);
    ret_name[kept] = '\0';
    at += size + 2; /* =" */
    size = 0;
    for (; *at != '\0' && *at != '"'; at++) {
        at += *at == '\\' && at[1] != '\0';
        if (size < HF_METRIC_LABEL_MAX - 1) {
            ret_value[size++] = *at;
        }
    }
    ret_value[size] = '\0';
    at += *at == '"';
    *labels = at + (*at == ',');
    return true;
}
