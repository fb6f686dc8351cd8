/*
 * events: the requests that wait for the next event. An event stream here is one request for each
 * event: it waits, suspended, until there is news, is answered with one event, and the browser's
 * EventSource asks again (`retry`). Each event is a request whose credentials are checked, no
 * connection is tied to a graph across a reload, and a browser that has gone is noticed at the next
 * event.
 *
 * Any thread. They are few: HF_CONSOLE_STREAMS_MAX.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "request.h"

#define HF_CONSOLE_STREAMS_MAX 16u

struct hf_console_events {
    pthread_mutex_t lock; /* of what follows */
    struct hf_console_request *first;
    size_t count;
    bool closed;
};

void hf_console_events_init(struct hf_console_events *events);
void hf_console_events_release(struct hf_console_events *events);

/* False: they are too many, or it is closed; the request is still the caller's. */
HF_MUST_USE bool hf_console_events_add(struct hf_console_events *events,
                                       struct hf_console_request *request);
/* All that wait, as a list; they are the caller's. */
struct hf_console_request *hf_console_events_take(struct hf_console_events *events);
/* Takes no more. */
void hf_console_events_close(struct hf_console_events *events);
