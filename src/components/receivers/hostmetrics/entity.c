#include "entity.h"

#define NS_PER_MS UINT64_C(1000000)

void host_entity_build(struct hf_builder *builder, uint64_t now_ns, uint64_t interval_ns)
{
    hf_build_resource(builder, hf_slice_text(""));
    hf_build_scope(builder, hf_slice_text(""), hf_slice_text(""));
    hf_build_attribute_bool(builder, hf_slice_text("otel.entity.event_as_log"), true);
    hf_build_log_record(builder, &(struct hf_build_log_record){.time_ns = now_ns});
    hf_build_attribute_string(builder, hf_slice_text("otel.entity.event.type"),
                              hf_slice_text("entity_state"));
    hf_build_attribute_string(builder, hf_slice_text("otel.entity.type"), hf_slice_text("host"));
    if (interval_ns != 0) {
        hf_build_attribute_int(builder, hf_slice_text("otel.entity.interval"),
                               (int64_t)(interval_ns / NS_PER_MS));
    }
    hf_build_end(builder);
}
