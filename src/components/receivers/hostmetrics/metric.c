#include "metric.h"

#include <assert.h>
#include <math.h>

const struct hf_field host_enabled_on[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = 0,
     .default_text = "true",
     .help = "Measure it."},
    HF_FIELDS_END,
};

const struct hf_field host_enabled_off[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset = 0,
     .default_text = "false",
     .help = "Measure it."},
    HF_FIELDS_END,
};

bool host_metric(struct host_run *run, unsigned id)
{
    const struct host_metric *metric = &run->metrics[id];
    if (!run->enabled[id]) {
        return false;
    }
    bool is_sum = metric->kind != HOST_GAUGE;
    hf_build_metric(run->builder,
                    &(struct hf_build_metric){
                        .name = hf_slice_text(metric->name),
                        .description = hf_slice_text(metric->help),
                        .unit = hf_slice_text(metric->unit),
                        .kind = is_sum ? HF_BUILD_SUM : HF_BUILD_GAUGE,
                        .temporality = is_sum ? HF_BUILD_CUMULATIVE : HF_BUILD_NO_TEMPORALITY,
                        .is_monotonic = metric->kind == HOST_COUNTER,
                    });
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
