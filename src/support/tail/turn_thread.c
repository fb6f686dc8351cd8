#include "turn_thread.h"

#include <stdio.h>

#include <holdfast/component.h>

#include "util/thread.h"

enum hf_status hf_turn_thread_start(struct hf_turn_thread *thread, const struct hf_node *node,
                                    const char *name, void *(*run)(void *user), void *user,
                                    char *reterr)
{
    enum hf_status status = hf_turn_join(hf_node_place_id(node), &thread->turn);
    if (status != HF_OK) {
        return status;
    }
    if (hf_thread_start(&thread->thread, NULL, run, user) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "cannot start a thread: the system has no more of them");
        return HF_IO;
    }
    thread->is_running = true;
    (void)pthread_setname_np(thread->thread, name);
    return HF_OK;
}

void hf_turn_thread_join(struct hf_turn_thread *thread)
{
    if (thread->is_running) {
        pthread_join(thread->thread, NULL);
        thread->is_running = false;
    }
    hf_turn_leave(thread->turn);
    thread->turn = NULL;
}
