#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "util/time/clock.h"

void prom_source_report(struct prom_source *source, struct prom_found *found, size_t count)
{
    struct prom_job_state *job = source->job;
    size_t all_count = 0;
    source->found = found;
    source->found_count = count;
    for (const struct prom_source *other = job->sources; other != NULL; other = other->next) {
        all_count += other->found_count;
    }
    struct prom_found *all = calloc(all_count + 1, sizeof(*all));
    if (all == NULL) {
        prom_source_say(source, "its targets", "out of memory");
        return;
    }
    size_t used = 0;
    for (const struct prom_source *other = job->sources; other != NULL; other = other->next) {
        for (size_t i = 0; i < other->found_count; i++) {
            all[used++] = other->found[i];
        }
    }
    prom_job_set_targets(job, all, used);
    free(all);
}

void prom_source_say(const struct prom_source *source, const char *what, const char *why)
{
    struct prom_receiver *receiver = source->job->receiver;
    if (hf_log_limiter_allows(&receiver->said, what, why, hf_clock_coarse_ns())) {
        hf_node_log(receiver->node, HF_LOG_WARN,
                    "%s of job \"%s\": reading %s failed, keeping the targets that are known: %s",
                    source->kind, source->job->config->job_name, what, why);
    }
}

bool prom_source_expand(const struct hf_target_group *groups, size_t count,
                        const struct hf_prom_label *more, struct hf_arena *arena,
                        struct prom_found **ret_found, size_t *ret_count)
{
    size_t targets = 0;
    for (size_t i = 0; i < count; i++) {
        targets += groups[i].target_count;
    }
    struct prom_found *found = hf_arena_take(arena, (*ret_count + targets + 1) * sizeof(*found));
    if (found == NULL) {
        return false;
    }
    if (*ret_count != 0) {
        memcpy(found, *ret_found, *ret_count * sizeof(*found));
    }
    size_t used = *ret_count;
    for (size_t i = 0; i < count; i++) {
        const struct hf_target_group *group = &groups[i];
        for (size_t k = 0; k < group->target_count; k++) {
            struct hf_prom_label *labels =
                hf_arena_take(arena, (group->label_count + 2) * sizeof(*labels));
            if (labels == NULL) {
                return false;
            }
            size_t size = 0;
            for (; size < group->label_count; size++) {
                labels[size] = group->labels[size];
            }
            labels[size++] =
                (struct hf_prom_label){hf_slice_text("__address__"), group->targets[k]};
            labels[size++] = *more;
            found[used++] = (struct prom_found){labels, size};
        }
    }
    *ret_found = found;
    *ret_count = used;
    return true;
}
