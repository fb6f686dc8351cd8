#include "discovery.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"

/* Those that are written in the configuration. */
static size_t put_static(const struct prom_static *group, struct prom_found *found,
                         struct hf_prom_label *labels)
{
    size_t used = 0;
    for (size_t i = 0; i < group->targets.count; i++) {
        struct hf_prom_label *items = labels + used;
        size_t count = 0;
        for (size_t k = 0; k < group->labels.count; k++) {
            items[count++] = (struct hf_prom_label){hf_slice_text(group->labels.items[k].key),
                                                    hf_slice_text(group->labels.items[k].value)};
        }
        items[count++] = (struct hf_prom_label){hf_slice_text("__address__"),
                                                hf_slice_text(group->targets.items[i])};
        found[i] = (struct prom_found){items, count};
        used += count;
    }
    return used;
}

void prom_discovery_start(struct prom_job_state *job)
{
    const struct prom_static *groups = job->config->statics.items;
    size_t count = 0, label_count = 0;
    for (size_t i = 0; i < job->config->statics.count; i++) {
        count += groups[i].targets.count;
        label_count += groups[i].targets.count * (groups[i].labels.count + 1);
    }
    struct prom_found *found = calloc(count + 1, sizeof(*found));
    struct hf_prom_label *labels = calloc(label_count + 1, sizeof(*labels));
    size_t target = 0, label = 0;
    for (size_t i = 0; i < job->config->statics.count && found != NULL && labels != NULL; i++) {
        label += put_static(&groups[i], found + target, labels + label);
        target += groups[i].targets.count;
    }
    if (target == count) {
        prom_job_set_targets(job, found, count);
    } else {
        hf_node_log(job->receiver->node, HF_LOG_ERROR, "job \"%s\" has no targets: out of memory",
                    job->config->job_name);
    }
    free(found);
    free(labels);
}

void prom_discovery_stop(struct prom_job_state *job)
{
    (void)job;
}
