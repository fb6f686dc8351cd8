#include "node.h"

#include <holdfast/overview.h>

#include <stdarg.h>

#include "util/log/log.h"
#include "util/metrics/metrics.h"

const char *hf_node_id(const struct hf_node *node)
{
    return node->id;
}

const char *hf_node_counted_id(const struct hf_node *node)
{
    return node->counted_id != NULL ? node->counted_id : node->id;
}

const char *hf_node_place_id(const struct hf_node *node)
{
    return node->place_id != NULL ? node->place_id : node->id;
}

void hf_node_log(const struct hf_node *node, enum hf_log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    hf_log_vline(node->host->log, level, node->id, format, arguments);
    va_end(arguments);
}

void hf_node_log_keys(const struct hf_node *node, enum hf_log_level level, const char *message,
                      const struct hf_log_key *keys)
{
    hf_log_keys(node->host->log, level, node->id, message, keys);
}

struct hf_metrics *hf_node_metrics(const struct hf_node *node)
{
    return node->host->metrics;
}

struct hf_own_spans *hf_node_own_spans(const struct hf_node *node)
{
    return node->host->spans;
}

struct hf_loop *const *hf_node_loops(const struct hf_node *node, size_t *ret_count)
{
    *ret_count = node->host->loop_count;
    return node->host->loops;
}

struct hf_loop *hf_node_own_loop(const struct hf_node *node)
{
    return node->own_loop;
}

struct hf_pipeline *const *hf_node_outputs(const struct hf_node *node, enum hf_signal signal,
                                           size_t *ret_count)
{
    *ret_count = node->route_count[signal];
    return node->routes[signal];
}

const char *hf_pipeline_id(const struct hf_pipeline *pipeline)
{
    return pipeline->id;
}

unsigned hf_node_signals(const struct hf_node *node)
{
    return node->signals;
}
