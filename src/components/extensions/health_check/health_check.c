/*
 * health_check: answers probes: 200 while durable enqueue works and the service runs; 503
 * otherwise. With use_v2 it is what healthcheckv2 is.
 */
#include <holdfast/component.h>

#include "support/health/health.h"

static const struct hf_field fields[] = {
    HF_HEALTH_FIELDS("0.0.0.0:13133"),
    HF_FIELDS_END,
};

const struct hf_component hf_extension_health_check = {
    .type = "health_check",
    .help = "Answers probes: 200 while accepted data reaches the disk.",
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
