#include "cpu_usage.h"

bool kubelet_cpu_usage_add(struct hf_between *between, const struct kubelet_cpu_sample *sample,
                           double *ret_cores)
{
    const struct kubelet_cpu_sample *before = hf_between_find(between, sample->key);
    hf_between_keep(between, sample);
    if (before == NULL || sample->time_ns <= before->time_ns || sample->cpu_ns < before->cpu_ns) {
        return false;
    }
    *ret_cores =
        (double)(sample->cpu_ns - before->cpu_ns) / (double)(sample->time_ns - before->time_ns);
    return true;
}
