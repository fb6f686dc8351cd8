/*
 * source_static: targets that are written in the configuration.
 */
#include "source.h"

#include <stdlib.h>

static void put_group(const struct prom_static *group, struct prom_found *found,
                      struct hf_prom_label *labels)
{
    for (size_t i = 0; i < group->targets.count; i++) {
        size_t count = 0;
        for (size_t k = 0; k < group->labels.count; k++) {
            labels[count++] = (struct hf_prom_label){hf_slice_text(group->labels.items[k].key),
                                                     hf_slice_text(group->labels.items[k].value)};
        }
        labels[count++] = (struct hf_prom_label){hf_slice_text("__address__"),
                                                 hf_slice_text(group->targets.items[i])};
        found[i] = (struct prom_found){labels, count};
        labels += count;
    }
}

static void start(struct prom_source *source)
{
    prom_source_report(source, source->found, source->found_count);
}

static void stop(struct prom_source *source)
{
    (void)source;
}

static void free_source(struct prom_source *source)
{
    free(source);
}

struct prom_source *prom_source_static(struct prom_job_state *job)
{
    static const struct prom_source_ops ops = {start, stop, free_source};
    const struct prom_static *groups = job->config->statics.items;
    size_t count = 0, label_count = 0;
    for (size_t i = 0; i < job->config->statics.count; i++) {
        count += groups[i].targets.count;
        label_count += groups[i].targets.count * (groups[i].labels.count + 1);
    }
    struct prom_source *source = calloc(1, sizeof(*source) + count * sizeof(struct prom_found) +
                                               label_count * sizeof(struct hf_prom_label));
    if (source == NULL) {
        return NULL;
    }
    *source = (struct prom_source){.ops = &ops, .job = job, .kind = "static_configs"};
    source->found = (struct prom_found *)(source + 1);
    struct hf_prom_label *labels = (struct hf_prom_label *)(source->found + count);
    for (size_t i = 0; i < job->config->statics.count; i++) {
        put_group(&groups[i], source->found + source->found_count, labels);
        source->found_count += groups[i].targets.count;
        labels += groups[i].targets.count * (groups[i].labels.count + 1);
    }
    return source;
}
