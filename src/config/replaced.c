#include "replaced.h"

#include <stddef.h>
#include <string.h>

static const struct {
    enum hf_kind kind;
    const char *type, *instead;
} replaced[] = {
    {HF_PROCESSOR, "routing",
     "use the connector \"routing\" instead: name it as the exporter of this pipeline and as the "
     "receiver of one pipeline for each list of exporters; for a row with `value`, with "
     "attribute_source: resource, write condition: attributes[\"FROM_ATTRIBUTE\"] == \"VALUE\", "
     "and "
     "with attribute_source: context, write context: request and condition: "
     "request[\"FROM_ATTRIBUTE\"] == \"VALUE\"; name pipelines where the row has exporters, and "
     "default_pipelines in place of default_exporters"},
    {HF_EXPORTER, "jaeger_thrift",
     "Jaeger takes OTLP: use the exporter otlphttp, and port 4318 of the same host instead of "
     "14268"},
};

const char *hf_replaced_by(enum hf_kind kind, const char *type)
{
    for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
        if (replaced[i].kind == kind && strcmp(replaced[i].type, type) == 0) {
            return replaced[i].instead;
        }
    }
    return NULL;
}
