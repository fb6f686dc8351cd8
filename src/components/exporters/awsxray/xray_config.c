#include "xray_config.h"

#include <stddef.h>

#define AT(member) offsetof(struct xray_config, member)
#define UNUSED "belongs to the telemetry of X-Ray, which is not sent"

const char *xray_check(const void *from)
{
    const struct xray_config *config = from;
    return config->telemetry.enabled
               ? "telemetry::enabled: the telemetry of X-Ray's daemon is not sent; remove the key: "
                 "the exporter's own metrics tell of the same"
               : NULL;
}

static const struct hf_field telemetry_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .offset =
         offsetof(struct xray_config, telemetry.enabled) - offsetof(struct xray_config, telemetry),
     .help = "Must be false: the telemetry of X-Ray's daemon is not sent."},
    {.key = "include_metadata", .type = HF_FIELD_IGNORED, .help = UNUSED},
    {.key = "contributors", .type = HF_FIELD_IGNORED, .help = UNUSED},
    {.key = "hostname", .type = HF_FIELD_IGNORED, .help = UNUSED},
    {.key = "instance_id", .type = HF_FIELD_IGNORED, .help = UNUSED},
    {.key = "resource_arn", .type = HF_FIELD_IGNORED, .help = UNUSED},
    HF_FIELDS_END};

const struct hf_field xray_fields[] = {
    {.key = "indexed_attributes",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(indexed),
     .help = "Attributes that become annotations, by which X-Ray searches; those of the resource "
             "as otel.resource.NAME. Others become metadata."},
    {.key = "index_all_attributes",
     .type = HF_FIELD_BOOL,
     .offset = AT(index_all),
     .help = "All attributes become annotations."},
    {.key = "aws_log_groups",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(log_groups),
     .help = "Log groups that belong to the segments, where the resource names none."},
    {.key = "skip_timestamp_validation",
     .type = HF_FIELD_BOOL,
     .offset = AT(skip_validation),
     .default_text = "true",
     .help = "Takes trace ids that do not begin with a time, as X-Ray does since 2023; the gate "
             "exporter.awsxray.skiptimestampvalidation of the Go collector."},
    {.key = "telemetry",
     .type = HF_FIELD_STRUCT,
     .offset = AT(telemetry),
     .inner = telemetry_fields,
     .help = "The telemetry of X-Ray's daemon."},
    HF_AWS_FIELDS(struct xray_config, aws),
    HF_FIELDS_END};
