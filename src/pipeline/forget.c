/*
 * forget: the places of subreceivers that are kept in the queues of their parent, and their end.
 */
#include <holdfast/subreceiver.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoints.h"
#include "node/node.h"
#include "util/time/clock.h"

#define NAMES_MAX 256u /* that are forgotten with one record */

/* ---- what is there ---- */

struct listing {
    const char *prefix;
    void (*visit)(void *user, const char *place);
    void *user;
};

/* A name is the place, a zero byte, and the receiver's own name. */
static enum hf_status list_queue(void *user, struct hf_pipeline *pipeline)
{
    const struct listing *listing = user;
    uint8_t name[WAL_NAME_BYTES_MAX];
    size_t size;
    uint32_t at = 0;
    while (wal_checkpoint_next(pipeline->wal, hf_slice_text(listing->prefix), &at, name, &size)) {
        if (memchr(name, '\0', size) != NULL) {
            listing->visit(listing->user, (const char *)name);
        }
    }
    return HF_OK;
}

void hf_subreceiver_each_place(struct hf_node *parent, const char *prefix,
                               void (*visit)(void *user, const char *place), void *user)
{
    struct listing listing = {prefix, visit, user};
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        enum hf_status status = hf_pipelines_each_queue(
            parent->routes[signal], parent->route_count[signal], list_queue, &listing);
        (void)status; /* it never fails */
    }
}

/* ---- the end of a place ---- */

/* A record of no items that takes names away, on its way to the queues. */
struct forgetting {
    struct hf_reply reply;
    struct hf_node node; /* with the place, and the routes of the parent */
    struct hf_node *parent;
    char place[HF_SUBRECEIVER_PLACE_MAX + 1];
    struct hf_checkpoint checkpoints[NAMES_MAX];
    char names[NAMES_MAX][WAL_NAME_BYTES_MAX];
    size_t count;
};

static void done(struct hf_reply *reply, enum hf_status status)
{
    struct forgetting *forgetting = HF_CONTAINER(reply, struct forgetting, reply);
    struct hf_node *parent = forgetting->parent;
    (void)status; /* what is still there is found again */
    free(forgetting);
    hf_node_release(parent);
}

static bool has_name(const struct forgetting *forgetting, struct hf_slice name)
{
    for (size_t i = 0; i < forgetting->count; i++) {
        if (hf_slice_equal(forgetting->checkpoints[i].name, name)) {
            return true;
        }
    }
    return false;
}

static enum hf_status collect_queue(void *user, struct hf_pipeline *pipeline)
{
    struct forgetting *forgetting = user;
    uint8_t name[WAL_NAME_BYTES_MAX];
    size_t size, before = strlen(forgetting->place) + 1;
    uint32_t at = 0;
    while (forgetting->count < NAMES_MAX &&
           wal_checkpoint_next(pipeline->wal, hf_slice_of(forgetting->place, before), &at, name,
                               &size)) {
        struct hf_slice own = hf_slice_of(name + before, size - before);
        if (!has_name(forgetting, own)) {
            char *kept = forgetting->names[forgetting->count];
            memcpy(kept, own.data, own.size);
            forgetting->checkpoints[forgetting->count++] =
                (struct hf_checkpoint){.name = hf_slice_of(kept, own.size)};
        }
    }
    return HF_OK;
}

static void forget_signal(struct hf_node *parent, const char *place, enum hf_signal signal)
{
    struct forgetting *forgetting = calloc(1, sizeof(*forgetting));
    struct hf_batch *batch = hf_batch_new(signal, 0, HF_EMPTY_SLICE);
    if (forgetting != NULL && batch != NULL) {
        snprintf(forgetting->place, sizeof(forgetting->place), "%s", place);
        enum hf_status status = hf_pipelines_each_queue(
            parent->routes[signal], parent->route_count[signal], collect_queue, forgetting);
        (void)status; /* it never fails */
    }
    if (forgetting == NULL || batch == NULL || forgetting->count == 0) {
        free(forgetting);
        hf_ref_drop(batch != NULL ? &batch->ref : NULL);
        return;
    }
    hf_batch_seal(batch, 0, 0);
    batch->received_ns = hf_clock_unix_ns();
    forgetting->reply.done = done;
    forgetting->parent = parent;
    forgetting->node.id = parent->id;
    forgetting->node.place_id = forgetting->place;
    forgetting->node.component = parent->component;
    forgetting->node.graph = parent->graph;
    forgetting->node.host = parent->host;
    forgetting->node.routes[signal] = parent->routes[signal];
    forgetting->node.route_count[signal] = parent->route_count[signal];
    hf_node_hold(parent);
    hf_submit_with(&forgetting->node, batch,
                   &(struct hf_submit_options){.checkpoints = forgetting->checkpoints,
                                               .checkpoint_count = forgetting->count},
                   &forgetting->reply);
    hf_ref_drop(&batch->ref);
}

void hf_subreceiver_forget(struct hf_node *parent, const char *place)
{
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        if (parent->route_count[signal] != 0) {
            forget_signal(parent, place, (enum hf_signal)signal);
        }
    }
}
