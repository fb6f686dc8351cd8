#include "reloads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/time/clock.h"

struct reload {
    uint64_t time_ns, took_ns; /* Unix time when it was over */
    enum hf_reload_result result;
    char why[HF_ERROR_MAX];
    char *changes; /* as `holdfast diff` prints them; NULL: none, or not known */
};

struct hf_reloads {
    pthread_mutex_t lock; /* guards all below */
    struct reload kept[HF_RELOADS_KEPT];
    size_t count;
};

enum hf_status hf_reloads_new(struct hf_reloads **ret_reloads)
{
    struct hf_reloads *reloads = calloc(1, sizeof(*reloads));
    if (reloads == NULL) {
        return HF_NOMEM;
    }
    pthread_mutex_init(&reloads->lock, NULL);
    *ret_reloads = reloads;
    return HF_OK;
}

void hf_reloads_free(struct hf_reloads *reloads)
{
    if (reloads == NULL) {
        return;
    }
    for (size_t i = 0; i < reloads->count; i++) {
        free(reloads->kept[i].changes);
    }
    pthread_mutex_destroy(&reloads->lock);
    free(reloads);
}

/* Cuts at the end of a line. */
static void shorten(char *changes)
{
    if (strlen(changes) < HF_RELOAD_CHANGES_MAX) {
        return;
    }
    changes[HF_RELOAD_CHANGES_MAX - 1] = '\0';
    char *last = strrchr(changes, '\n');
    if (last != NULL) {
        last[1] = '\0';
    }
}

/* Malloc'd; NULL: no change, or out of memory. */
static char *changes_of(const struct hf_config *before, const struct hf_config *after)
{
    char *text = NULL;
    size_t size = 0;
    bool differs = false;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    bool done = hf_config_diff(before, after, out, &differs);
    done = fclose(out) == 0 && done;
    if (!done || !differs) {
        free(text);
        return NULL;
    }
    shorten(text);
    return text;
}

void hf_reloads_add(struct hf_reloads *reloads, enum hf_reload_result result, uint64_t began_ns,
                    const char *why, const struct hf_config *before, const struct hf_config *after)
{
    struct reload reload = {.time_ns = hf_clock_unix_ns(),
                            .took_ns = hf_clock_monotonic_ns() - began_ns,
                            .result = result};
    snprintf(reload.why, sizeof(reload.why), "%s", why != NULL ? why : "");
    reload.changes = before != NULL && after != NULL ? changes_of(before, after) : NULL;
    pthread_mutex_lock(&reloads->lock);
    if (reloads->count == HF_RELOADS_KEPT) {
        free(reloads->kept[0].changes);
        reloads->count--;
        memmove(&reloads->kept[0], &reloads->kept[1], reloads->count * sizeof(reload));
    }
    reloads->kept[reloads->count++] = reload;
    pthread_mutex_unlock(&reloads->lock);
}

static const char *result_name(enum hf_reload_result result)
{
    static const char *const names[] = {"started", "taken", "invalid", "not_started"};
    return names[result];
}

void hf_reloads_write(struct hf_reloads *reloads, struct hf_json_out *json, const char *key)
{
    hf_json_out_list(json, key);
    pthread_mutex_lock(&reloads->lock);
    for (size_t i = 0; i < reloads->count; i++) {
        const struct reload *reload = &reloads->kept[i];
        hf_json_out_map(json, NULL);
        hf_json_out_seconds(json, "time_seconds", reload->time_ns);
        hf_json_out_seconds(json, "duration_seconds", reload->took_ns);
        hf_json_out_text(json, "result", result_name(reload->result));
        hf_json_out_text(json, "error", reload->why[0] != '\0' ? reload->why : NULL);
        hf_json_out_text(json, "changes", reload->changes);
        hf_json_out_end_map(json);
    }
    pthread_mutex_unlock(&reloads->lock);
    hf_json_out_end_list(json);
}
