#include "top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "rows.h"

static void copy(char *into, size_t room, const struct hf_json *from, const char *key)
{
    snprintf(into, room, "%s", hf_top_text(from, key));
}

static void add(double *sum, double more)
{
    *sum += more > 0 ? more : 0;
}

static void sum_up(struct hf_top *top)
{
    struct hf_top_process *process = &top->process;
    const struct hf_top_rows *pipelines = &top->parts[HF_TOP_PIPELINES];
    const struct hf_top_rows *exporters = &top->parts[HF_TOP_EXPORTERS];
    for (size_t i = 0; i < pipelines->count; i++) {
        add(&process->in_per_s, pipelines->items[i].in_per_s);
    }
    for (size_t i = 0; i < exporters->count; i++) {
        add(&process->out_per_s, exporters->items[i].out_per_s);
        add(&process->queued_items, exporters->items[i].queued_items);
        add(&process->dead_items, exporters->items[i].dead_items);
    }
}

static void read_process(struct hf_top *top)
{
    const struct hf_json *now = hf_json_get(top->now->root, "process");
    const struct hf_json *before =
        top->before != NULL ? hf_json_get(top->before->root, "process") : NULL;
    struct hf_top_process *process = &top->process;
    *process =
        (struct hf_top_process){.is_draining = hf_json_bool(hf_json_get(now, "draining")),
                                .is_degraded = hf_json_bool(hf_json_get(now, "degraded")),
                                .pid = hf_top_number(now, "pid"),
                                .uptime_s = hf_top_number(now, "uptime_seconds"),
                                .resident_bytes = hf_top_number(now, "memory.resident_bytes"),
                                .cpu_share = hf_top_rate(top, now, before, "cpu_seconds")};
    copy(process->version, sizeof(process->version), now, "version");
    copy(process->directory, sizeof(process->directory), now, "data_directory");
    copy(process->why, sizeof(process->why), now, "why_not_ready");
}

/* Counters begin again with the process: no rate spans its restart. */
static double interval_of(const struct hf_top_answer *now, const struct hf_top_answer *before)
{
    if (before == NULL || hf_top_number(hf_json_get(now->root, "process"), "pid") !=
                              hf_top_number(hf_json_get(before->root, "process"), "pid")) {
        return 0;
    }
    double interval_s = hf_top_number(now->root, "monotonic_seconds") -
                        hf_top_number(before->root, "monotonic_seconds");
    return interval_s > 0 ? interval_s : 0;
}

enum hf_status hf_top_take(struct hf_top *top, struct hf_slice text)
{
    struct hf_top_answer *answer = NULL;
    enum hf_status status = hf_top_answer_read(text, &answer);
    if (status != HF_OK) {
        return status;
    }
    hf_top_answer_free(top->before);
    top->before = top->now;
    top->now = answer;
    top->interval_s = interval_of(top->now, top->before);
    top->time_s = hf_top_number(answer->root, "time_seconds");
    for (size_t part = 0; part < HF_TOP_PART_COUNT; part++) {
        top->parts[part].count = 0;
    }
    read_process(top);
    bool made = hf_top_make_rows(top);
    hf_top_series_sweep(&top->series);
    sum_up(top);
    return made ? HF_OK : HF_NOMEM;
}

void hf_top_release(struct hf_top *top)
{
    for (size_t part = 0; part < HF_TOP_PART_COUNT; part++) {
        free(top->parts[part].items);
    }
    hf_top_series_free(&top->series);
    hf_top_answer_free(top->before);
    hf_top_answer_free(top->now);
}
