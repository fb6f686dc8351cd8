#include "series.h"

#include <stdlib.h>
#include <string.h>

static struct hf_top_series *make(struct hf_top_series **list, const char *key)
{
    struct hf_top_series *series = calloc(1, sizeof(*series));
    if (series == NULL) {
        return NULL;
    }
    series->key = strdup(key);
    if (series->key == NULL) {
        free(series);
        return NULL;
    }
    series->next = *list;
    *list = series;
    return series;
}

const struct hf_top_series *hf_top_series_add(struct hf_top_series **list, const char *key,
                                              double value)
{
    struct hf_top_series *series = *list;
    while (series != NULL && strcmp(series->key, key) != 0) {
        series = series->next;
    }
    if (series == NULL) {
        series = make(list, key);
    }
    if (series == NULL) {
        return NULL;
    }
    if (series->count == HF_TOP_VALUES) {
        series->count--;
        memmove(&series->values[0], &series->values[1], series->count * sizeof(double));
    }
    series->values[series->count++] = value;
    series->is_seen = true;
    return series;
}

static void remove_first(struct hf_top_series **place)
{
    struct hf_top_series *series = *place;
    *place = series->next;
    free(series->key);
    free(series);
}

void hf_top_series_sweep(struct hf_top_series **list)
{
    while (*list != NULL) {
        if (!(*list)->is_seen) {
            remove_first(list);
            continue;
        }
        (*list)->is_seen = false;
        list = &(*list)->next;
    }
}

void hf_top_series_free(struct hf_top_series **list)
{
    while (*list != NULL) {
        remove_first(list);
    }
}
