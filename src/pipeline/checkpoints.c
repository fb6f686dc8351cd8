#include "checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "node/node.h"

/* The queue's name of a checkpoint: the receiver's id (of its places), a zero byte, the receiver's
 * own name. */
static size_t write_name(const struct hf_node *node, struct hf_slice name, char *out)
{
    size_t id_size = strlen(hf_node_place_id(node)) + 1;
    memcpy(out, hf_node_place_id(node), id_size);
    memcpy(out + id_size, name.data, name.size);
    return id_size + name.size;
}

/* Checkpoints with their names behind them, in one piece. */
enum hf_status hf_checkpoints_copy(const struct hf_node *node,
                                   const struct hf_submit_options *options,
                                   struct wal_checkpoint **ret_checkpoints)
{
    size_t count = options->checkpoint_count;
    *ret_checkpoints = NULL;
    if (count == 0) {
        return HF_OK;
    }
    size_t size = count * (sizeof(struct wal_checkpoint) + strlen(hf_node_place_id(node)) + 1);
    for (size_t i = 0; i < count; i++) {
        size += options->checkpoints[i].name.size;
    }
    struct wal_checkpoint *copies = malloc(size);
    if (copies == NULL) {
        return HF_NOMEM;
    }
    char *names = (char *)(copies + count);
    for (size_t i = 0; i < count; i++) {
        size_t name_size = write_name(node, options->checkpoints[i].name, names);
        copies[i] = (struct wal_checkpoint){.name = hf_slice_of(names, name_size),
                                            .value = options->checkpoints[i].value};
        names += name_size;
    }
    *ret_checkpoints = copies;
    return HF_OK;
}

/* The queues behind a connector that answers at once. As deep as there are connectors in a row: the
 * loader refuses cycles. */
static enum hf_status each_behind(const struct hf_pipeline *pipeline, const struct hf_node *node,
                                  enum hf_status (*act)(void *user, struct hf_pipeline *),
                                  void *user)
{
    const struct hf_connector_ops *ops = node->component->connector;
    enum hf_status status = HF_OK;
    if (ops == NULL || ops->connect == NULL) {
        return HF_OK;
    }
    for (int signal = 0; signal < HF_SIGNAL_COUNT && status == HF_OK; signal++) {
        if ((ops->makes[pipeline->signal] & HF_SIGNAL_BIT(signal)) != 0) {
            status =
                hf_pipelines_each_queue(node->routes[signal], node->route_count[signal], act, user);
        }
    }
    return status;
}

enum hf_status hf_pipelines_each_queue(struct hf_pipeline *const *pipelines, size_t count,
                                       enum hf_status (*act)(void *user, struct hf_pipeline *),
                                       void *user)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        status = pipelines[i]->skips_queue ? HF_OK : act(user, pipelines[i]);
        for (size_t k = 0; k < pipelines[i]->behind_count && status == HF_OK; k++) {
            status = each_behind(pipelines[i], pipelines[i]->behind[k], act, user);
        }
    }
    return status;
}

struct reading {
    struct hf_slice name;
    void (*visit)(void *user, struct hf_slice value);
    void *user;
};

static enum hf_status read_one(void *user, struct hf_pipeline *pipeline)
{
    const struct reading *reading = user;
    uint8_t value[HF_CHECKPOINT_BYTES_MAX];
    size_t size = 0;
    enum wal_status status = wal_checkpoint_get(pipeline->wal, reading->name, value, &size);
    reading->visit(reading->user, hf_slice_of(value, status == WAL_OK ? size : 0));
    return HF_OK;
}

enum hf_status hf_node_checkpoint_each(const struct hf_node *node, struct hf_slice name,
                                       void (*visit)(void *user, struct hf_slice value), void *user)
{
    char full[WAL_NAME_BYTES_MAX];
    if (strlen(hf_node_place_id(node)) + 1 + name.size > sizeof(full)) {
        return HF_TOO_LARGE;
    }
    const struct reading reading = {
        .name = hf_slice_of(full, write_name(node, name, full)), .visit = visit, .user = user};
    enum hf_status status = HF_OK;
    for (int signal = 0; signal < HF_SIGNAL_COUNT && status == HF_OK; signal++) {
        status = hf_pipelines_each_queue(node->routes[signal], node->route_count[signal], read_one,
                                         (void *)&reading);
    }
    return status;
}
