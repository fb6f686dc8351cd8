#include "metric_table.h"

#define ENABLED(default_)                                                                          \
    {                                                                                              \
        .key = "enabled", .type = HF_FIELD_BOOL, .offset = 0, .default_text = (default_),          \
        .help = "Report it."                                                                       \
    }
#define ALL_ATTRIBUTES(name)                                                                       \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED,                                                   \
        .help = "Its points have all attributes; the processor metricstransform joins them."       \
    }
#define METRIC(default_)                                                                           \
    {                                                                                              \
        ENABLED(default_), ALL_ATTRIBUTES("attributes"), ALL_ATTRIBUTES("aggregation_strategy"),   \
            HF_FIELDS_END,                                                                         \
    }

const struct hf_field hf_metric_enabled_on[] = METRIC("true");
const struct hf_field hf_metric_enabled_off[] = METRIC("false");
const struct hf_field hf_event_enabled_off[] = {ENABLED("false"), HF_FIELDS_END};

void hf_metric_open(struct hf_builder *builder, const struct hf_metric_row *row)
{
    bool is_sum = row->kind != HF_METRIC_GAUGE;
    hf_build_metric(builder,
                    &(struct hf_build_metric){
                        .name = hf_slice_text(row->name),
                        .description = hf_slice_text(row->help),
                        .unit = hf_slice_text(row->unit),
                        .kind = is_sum ? HF_BUILD_SUM : HF_BUILD_GAUGE,
                        .temporality = is_sum ? HF_BUILD_CUMULATIVE : HF_BUILD_NO_TEMPORALITY,
                        .is_monotonic = row->kind == HF_METRIC_COUNTER,
                    });
}
