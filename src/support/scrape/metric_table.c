#include "metric_table.h"

#define ENABLED(default_)                                                                          \
    {                                                                                              \
        .key = "enabled", .type = HF_FIELD_BOOL, .offset = 0, .default_text = (default_),          \
        .help = "Report it."                                                                       \
    }
#define CHOICE(default_, strategy_)                                                                \
    {                                                                                              \
        ENABLED(default_),                                                                         \
            {.key = "attributes",                                                                  \
             .type = HF_FIELD_STRING_LIST,                                                         \
             .offset = offsetof(struct hf_metric_choice, attributes),                              \
             .help =                                                                               \
                 "Attributes that its points keep; absent: all. Points that are the same then "    \
                 "become one."},                                                                   \
            {.key = "aggregation_strategy",                                                        \
             .type = HF_FIELD_ENUM,                                                                \
             .offset = offsetof(struct hf_metric_choice, strategy),                                \
             .choices = hf_metric_strategies,                                                      \
             .default_text = (strategy_),                                                          \
             .help = "The value of such a point."},                                                \
            HF_FIELDS_END,                                                                         \
    }

const char *const hf_metric_strategies[] = {"sum", "avg", "min", "max", NULL};

const struct hf_field hf_metric_choice_GAUGE_on[] = CHOICE("true", "avg");
const struct hf_field hf_metric_choice_GAUGE_off[] = CHOICE("false", "avg");
const struct hf_field hf_metric_choice_COUNTER_on[] = CHOICE("true", "sum");
const struct hf_field hf_metric_choice_COUNTER_off[] = CHOICE("false", "sum");
const struct hf_field hf_metric_choice_UPDOWN_on[] = CHOICE("true", "sum");
const struct hf_field hf_metric_choice_UPDOWN_off[] = CHOICE("false", "sum");
const struct hf_field hf_event_enabled_off[] = {ENABLED("false"), HF_FIELDS_END};

void hf_metric_open(struct hf_builder *builder, const struct hf_metric_row *row)
{
    bool is_sum = row->kind != HF_KIND_GAUGE;
    hf_build_metric(builder,
                    &(struct hf_build_metric){
                        .name = hf_slice_text(row->name),
                        .description = hf_slice_text(row->help),
                        .unit = hf_slice_text(row->unit),
                        .kind = is_sum ? HF_BUILD_SUM : HF_BUILD_GAUGE,
                        .temporality = is_sum ? HF_BUILD_CUMULATIVE : HF_BUILD_NO_TEMPORALITY,
                        .is_monotonic = row->kind == HF_KIND_COUNTER,
                    });
}
