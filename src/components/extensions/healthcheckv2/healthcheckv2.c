/*
 * healthcheckv2: health by HTTP and gRPC, of the whole, a pipeline, or each component. Without
 * use_v2 it is what health_check is, on localhost.
 */
#include <holdfast/component.h>

#include "support/health/health.h"

static const struct hf_field fields[] = {
    HF_HEALTH_FIELDS("localhost:13133"),
    HF_FIELDS_END,
};

const struct hf_component hf_extension_healthcheckv2 = {
    .type = "healthcheckv2",
    .help = "Health by HTTP and gRPC: of the whole, of a pipeline, of each component.",
    .kind = HF_EXTENSION,
    .config_size = sizeof(struct hf_health_config),
    .fields = fields,
    .check = hf_health_check_config,
    .probe = hf_health_probe,
    .open = hf_health_open,
    .start = hf_health_start,
    .stop = hf_health_stop,
    .close = hf_health_close,
};
