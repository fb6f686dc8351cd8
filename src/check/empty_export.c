#include "empty_export.h"

#include <stdio.h>
#include <string.h>

#include "util/loop.h"
#include "util/time/clock.h"

/* An exporter that does not answer within its deadline is given that much more. */
#define GRACE_NS (2 * HF_NS_PER_S)

struct attempt {
    struct hf_export export;
    struct hf_export_body body;
    struct hf_task task;
    struct hf_timer timer;
    struct hf_loop *loop;
    struct hf_node *node;
    struct hf_empty_outcome *outcome;
};

static void on_done(struct hf_export *export, const struct hf_outcome *outcome)
{
    struct attempt *attempt = HF_CONTAINER(export, struct attempt, export);
    attempt->outcome->status = outcome->status;
    snprintf(attempt->outcome->text, sizeof(attempt->outcome->text), "%s",
             outcome->message != NULL ? outcome->message : "");
    hf_loop_stop(attempt->loop);
}

static void on_late(struct hf_timer *timer, uint64_t now_ns)
{
    struct attempt *attempt = HF_CONTAINER(timer, struct attempt, timer);
    (void)now_ns;
    attempt->outcome->status = HF_DEADLINE;
    snprintf(attempt->outcome->text, sizeof(attempt->outcome->text), "no answer in time");
    hf_loop_stop(attempt->loop);
}

static void send(struct hf_task *task)
{
    struct attempt *attempt = HF_CONTAINER(task, struct attempt, task);
    attempt->node->component->exporter->send(attempt->node->self, &attempt->export);
}

static void run(struct attempt *attempt, enum hf_signal signal, uint64_t timeout_ns)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    attempt->body = (struct hf_export_body){.received_ns = hf_clock_unix_ns()};
    attempt->export = (struct hf_export){
        .signal = signal,
        .bodies = &attempt->body,
        .body_count = 1,
        .queue = "",
        .deadline_ns = now_ns + timeout_ns,
        .attempt = 1,
        .is_probe = true,
        .done = on_done,
    };
    attempt->timer.fire = on_late;
    attempt->task.run = send;
    if (hf_loop_timer_set(attempt->loop, &attempt->timer, now_ns + timeout_ns + GRACE_NS) !=
        HF_OK) {
        snprintf(attempt->outcome->text, sizeof(attempt->outcome->text), "out of memory");
        return;
    }
    hf_loop_post(attempt->loop, &attempt->task);
    hf_loop_run(attempt->loop);
    hf_loop_timer_stop(attempt->loop, &attempt->timer);
}

void hf_empty_export(struct hf_graph *graph, const struct hf_config_component *from,
                     enum hf_signal signal, uint64_t timeout_ns, struct hf_empty_outcome *ret)
{
    struct attempt attempt = {.outcome = ret};
    *ret = (struct hf_empty_outcome){.status = HF_NOMEM, .text = "out of memory"};
    if (hf_loop_new(&attempt.loop) != HF_OK) {
        return;
    }
    ret->status = hf_graph_add_exporter(graph, from, HF_SIGNAL_BIT(signal), attempt.loop,
                                        &attempt.node, ret->text);
    ret->is_opened = ret->status == HF_OK;
    if (ret->is_opened) {
        ret->status = HF_NOMEM;
        run(&attempt, signal, timeout_ns);
        struct hf_empty_outcome outcome = *ret; /* an export that is ended now says no more */
        hf_graph_remove_exporter(attempt.node);
        *ret = outcome;
    }
    hf_loop_free(attempt.loop);
}
