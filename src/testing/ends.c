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

static void keep(const struct hf_node *node, enum hf_signal signal,
                 const struct hf_export_body *body)
{
    struct hf_test_output *output = calloc(1, sizeof(*output));
    bool good =
        output != NULL && hf_decode(body->coding, body->wire, BODY_MAX, &output->bytes) == HF_OK;
    pthread_mutex_lock(&current->lock);
    if (good) {
        output->at = hf_node_id(node);
        output->signal = signal;
        output->items = body->items;
        *current->last = output;
        current->last = &output->next;
        current->items += body->items;
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
        keep(self, export->signal, &export->bodies[i]);
    }
    hf_export_done(export, &(const struct hf_outcome){.status = HF_OK});
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
