#include "events.h"

void hf_console_events_init(struct hf_console_events *events)
{
    *events = (struct hf_console_events){0};
    pthread_mutex_init(&events->lock, NULL);
}

void hf_console_events_release(struct hf_console_events *events)
{
    pthread_mutex_destroy(&events->lock);
}

bool hf_console_events_add(struct hf_console_events *events, struct hf_console_request *request)
{
    pthread_mutex_lock(&events->lock);
    bool taken = events->count < HF_CONSOLE_STREAMS_MAX && !events->closed;
    if (taken) {
        request->next = events->first;
        events->first = request;
        events->count++;
    }
    pthread_mutex_unlock(&events->lock);
    return taken;
}

struct hf_console_request *hf_console_events_take(struct hf_console_events *events)
{
    pthread_mutex_lock(&events->lock);
    struct hf_console_request *all = events->first;
    events->first = NULL;
    events->count = 0;
    pthread_mutex_unlock(&events->lock);
    return all;
}

void hf_console_events_close(struct hf_console_events *events)
{
    pthread_mutex_lock(&events->lock);
    events->closed = true;
    pthread_mutex_unlock(&events->lock);
}
