/*
 * announce: what became of the start and of each reload, and how the program is: in the log, in its
 * metrics, and for the service manager. Main thread.
 */
#pragma once

#include "notify.h"
#include "pipeline/graph.h"

/* Zero, then hf_notify_init() of `notify`. */
struct hf_announce {
    struct hf_notify notify;
    bool is_kept_out; /* the configuration that was given last does not run */
};

/* The start is over: every component runs. */
void hf_announce_ready(struct hf_announce *announce, const struct hf_host *host);
/* The outcome of the last reload, or of the start. */
void hf_announce_reload(struct hf_announce *announce, const struct hf_host *host, bool succeeded);
/* Every few seconds: a sign of life, and how the program is. */
void hf_announce_state(struct hf_announce *announce, const struct hf_host *host);
