/*
 * difference_queues: which queues keep or lose those that read them.
 */
#include <string.h>

#include "difference.h"

#define NAME_BYTES 2304 /* two ids and what stands between them */

/* Told of each queue of a configuration, and of who reads it. */
struct visit {
    void (*take)(const struct visit *visit, const char *queue, const char *reader);
    const struct hf_config *other; /* whose readers are looked up */
    FILE *out;
    const char *wanted_queue, *wanted_reader;
    bool *found;
    bool is_before;
};

static bool is_read_at_once(const struct hf_config_component *part)
{
    return part->component != NULL && part->component->connector != NULL &&
           part->component->connector->connect != NULL;
}

static void visit_exporters(const struct hf_config_pipeline *pipeline, const char *queue,
                            const struct visit *visit)
{
    for (size_t i = 0; i < pipeline->exporter_count; i++) {
        if (!is_read_at_once(pipeline->exporters[i])) {
            visit->take(visit, queue, pipeline->exporters[i]->id);
        }
    }
}

static void visit_pipeline(const struct hf_config_pipeline *pipeline, const struct visit *visit)
{
    char queue[NAME_BYTES];
    snprintf(queue, sizeof(queue), "%s", pipeline->id);
    for (size_t i = 0; i < pipeline->processor_count; i++) {
        const struct hf_config_component *processor = pipeline->processors[i];
        if (processor->component != NULL && processor->component->queued != NULL) {
            visit->take(visit, queue, processor->id);
            snprintf(queue, sizeof(queue), "%s>%s", pipeline->id, processor->id);
        }
    }
    visit_exporters(pipeline, queue, visit);
    for (unsigned number = 1; number < pipeline->shard_count; number++) {
        if (hf_shard_id(pipeline->id, number, queue, sizeof(queue))) {
            visit_exporters(pipeline, queue, visit);
        }
    }
}

static void visit_all(const struct hf_config *config, const struct visit *visit)
{
    for (size_t i = 0; i < config->pipeline_count; i++) {
        visit_pipeline(&config->pipelines[i], visit);
    }
}

static void look(const struct visit *visit, const char *queue, const char *reader)
{
    if (strcmp(queue, visit->wanted_queue) == 0 && strcmp(reader, visit->wanted_reader) == 0) {
        *visit->found = true;
    }
}

static bool reads(const struct hf_config *config, const char *queue, const char *reader)
{
    bool found = false;
    const struct visit visit = {
        .take = look, .wanted_queue = queue, .wanted_reader = reader, .found = &found};
    visit_all(config, &visit);
    return found;
}

/* A shard that is no more: does the reader have the pipeline's own queue? */
static bool reads_first(const struct hf_config *config, const char *queue, const char *reader)
{
    char first[NAME_BYTES];
    const char *mark = strrchr(queue, '~');
    if (mark == NULL) {
        return false;
    }
    snprintf(first, sizeof(first), "%.*s", (int)(mark - queue), queue);
    return reads(config, first, reader);
}

static void tell(const struct visit *visit, const char *queue, const char *reader)
{
    bool in_both = reads(visit->other, queue, reader);
    bool is_sent_on = visit->is_before && !in_both && reads_first(visit->other, queue, reader);
    if (is_sent_on) {
        fprintf(visit->out, "- queue %s: %s sends what is in it, then it is removed\n", queue,
                reader);
    } else if (visit->is_before && in_both) {
        fprintf(visit->out, "= queue %s: %s keeps its place\n", queue, reader);
    } else if (visit->is_before) {
        fprintf(visit->out, "- queue %s: %s reads it no more; its backlog stays there\n", queue,
                reader);
    } else if (!in_both) {
        fprintf(visit->out, "+ queue %s: %s is new there\n", queue, reader);
    }
}

void hf_config_compare_queues(const struct hf_config *before, const struct hf_config *after,
                              FILE *out)
{
    visit_all(before,
              &(const struct visit){.take = tell, .other = after, .out = out, .is_before = true});
    visit_all(after, &(const struct visit){.take = tell, .other = before, .out = out});
}
