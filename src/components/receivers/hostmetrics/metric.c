#include "metric.h"

#include <math.h>

bool host_wants(const struct host_run *run, unsigned id)
{
    return run->choices[id].enabled;
}

bool host_metric(struct host_run *run, unsigned id)
{
    const struct hf_metric_row *metric = &run->metrics[id];
    if (!host_wants(run, id)) {
        return false;
    }
    hf_metric_open(run->builder, metric);
    return true;
}

static void end_point(struct host_run *run, const struct host_attribute *attributes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hf_build_attribute_string(run->builder, hf_slice_text(attributes[i].key),
                                  attributes[i].value);
    }
    hf_build_end(run->builder);
    run->points++;
}

void host_int(struct host_run *run, uint64_t value, const struct host_attribute *attributes,
              size_t count)
{
    hf_build_point_int(run->builder, &run->point, (int64_t)value);
    end_point(run, attributes, count);
}

void host_double(struct host_run *run, double value, const struct host_attribute *attributes,
                 size_t count)
{
    hf_build_point_double(run->builder, &run->point, value);
    end_point(run, attributes, count);
}

double host_ratio(uint64_t part, uint64_t whole)
{
    double a = (double)part, b = (double)whole;
    if (whole == 0) {
        return a / b;
    }
    double digits = floor(log10(fmax(a, b))) + 1;
    double scale = pow(10, fmax(digits, 1));
    return round(a / b * scale) / scale;
}
