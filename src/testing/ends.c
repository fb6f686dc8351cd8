#include "ends.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)256 << 20)

static struct hf_test_ends *current;

/* ---- receivers ---- */

static enum hf_status open_receiver(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    (void)config, (void)ret_self, (void)reterr;
    if (current->receiver_count < sizeof(current->receivers) / sizeof(current->receivers[0])) {
        current->receivers[current->receiver_count++] = node;
    }
    return hf_node_add_transport(node, "test");
}

struct hf_node *hf_test_receiver(const struct hf_test_ends *ends, const char *id)
{
    for (size_t i = 0; i < ends->receiver_count; i++) {
        if (strcmp(hf_node_id(ends->receivers[i]), id) == 0) {
            return ends->receivers[i];
        }
    }
    return NULL;
}

/* ---- exporters ---- */

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    (void)config, (void)reterr;
    *ret_self = node;
    return HF_OK;
}

/* What is to be kept. */
struct coded {
    enum hf_signal signal;
    enum hf_coding coding;
    struct hf_slice wire;
    uint32_t items;
};

static void keep(struct hf_test_place place, const struct coded *coded)
{
    struct hf_test_output *output = calloc(1, sizeof(*output));
    bool good =
        output != NULL && hf_decode(coded->coding, coded->wire, BODY_MAX, &output->bytes) == HF_OK;
    pthread_mutex_lock(&current->lock);
    if (good) {
        output->place = place;
        output->signal = coded->signal;
        output->items = coded->items;
        *current->last = output;
        current->last = &output->next;
        current->items += coded->items;
    } else {
        current->failed = true;
    }
    pthread_mutex_unlock(&current->lock);
    if (!good && output != NULL) {
        hf_bytes_release(&output->bytes);
        free(output);
    }
}

static void send_here(void *self, struct hf_export *export)
{
    for (size_t i = 0; i < export->body_count; i++) {
        const struct hf_export_body *body = &export->bodies[i];
        keep((struct hf_test_place){HF_TEST_EXPORTER, hf_node_id(self), NULL},
             &(struct coded){export->signal, body->coding, body->wire, body->items});
    }
    hf_export_done(export, &(const struct hf_outcome){.status = HF_OK});
}

/* ---- on the way ---- */

void hf_test_see(void *user, const struct hf_node *node, const struct hf_pipeline *pipeline,
                 struct hf_batch *batch)
{
    struct hf_test_place place = {HF_TEST_QUEUE, pipeline != NULL ? pipeline->id : NULL,
                                  pipeline != NULL ? pipeline->id : NULL};
    (void)user;
    if (node != NULL) {
        enum hf_kind kind = node->component->kind;
        if (kind != HF_PROCESSOR && kind != HF_CONNECTOR) {
            return; /* a receiver's is the input, and exporters keep theirs */
        }
        place.kind = kind == HF_PROCESSOR ? HF_TEST_PROCESSOR : HF_TEST_CONNECTOR;
        place.id = hf_node_id(node);
        place.pipeline = kind == HF_PROCESSOR ? place.pipeline : NULL;
    }
    if (batch->items != 0) {
        keep(place, &(struct coded){batch->signal, batch->coding, batch->wire, batch->items});
    }
}

/* ---- the registry ---- */

/* One component of the registry, and what it does. */
struct copy {
    struct hf_component component;
    struct hf_exporter_ops exporter;
};

static void make_copy(const struct hf_component *from, struct copy *copy)
{
    copy->component = *from;
    if (from->kind != HF_RECEIVER && from->kind != HF_EXPORTER && from->kind != HF_EXTENSION) {
        return;
    }
    copy->component.open = from->kind == HF_RECEIVER   ? open_receiver
                           : from->kind == HF_EXPORTER ? open_exporter
                                                       : NULL;
    copy->component.start = NULL;
    copy->component.stop = NULL;
    copy->component.close = NULL;
    if (from->kind == HF_EXPORTER) {
        copy->exporter = *from->exporter;
        copy->exporter.send = send_here;
        copy->exporter.context_keys = NULL;
        copy->component.exporter = &copy->exporter;
    }
}

const struct hf_component **hf_test_registry(const struct hf_component *const *registry)
{
    size_t count = 0;
    while (registry[count] != NULL) {
        count++;
    }
    /* The pointers first, then what they point to. */
    size_t pointers = (count + 1) * sizeof(*registry);
    char *block = calloc(1, pointers + count * sizeof(struct copy) + sizeof(max_align_t));
    if (block == NULL) {
        return NULL;
    }
    const struct hf_component **list = (const struct hf_component **)(void *)block;
    size_t align = sizeof(max_align_t);
    struct copy *copies = (struct copy *)(void *)(block + (pointers + align - 1) / align * align);
    for (size_t i = 0; i < count; i++) {
        make_copy(registry[i], &copies[i]);
        list[i] = &copies[i].component;
    }
    return list;
}

/* ---- a test's ends ---- */

void hf_test_ends_init(struct hf_test_ends *ends)
{
    memset(ends, 0, sizeof(*ends));
    pthread_mutex_init(&ends->lock, NULL);
    ends->last = &ends->first;
    current = ends;
}

void hf_test_ends_release(struct hf_test_ends *ends)
{
    while (ends->first != NULL) {
        struct hf_test_output *next = ends->first->next;
        hf_bytes_release(&ends->first->bytes);
        free(ends->first);
        ends->first = next;
    }
    pthread_mutex_destroy(&ends->lock);
    current = NULL;
}
