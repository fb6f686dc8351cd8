#include "loki_line.h"

#include "loki_logfmt.h"
#include "pdata/any.h"

const char *const loki_format_names[] = {"json", "logfmt", "raw", "body", NULL};

enum hf_status loki_line_write(struct loki_json *json, const struct hf_place *place,
                               const struct loki_record *record, const struct loki_labels *labels,
                               enum loki_format format, struct hf_bytes *out)
{
    switch (format) {
    case LOKI_JSON:
        return loki_json_write(json, place, record, labels, out);
    case LOKI_LOGFMT:
        return loki_logfmt_write(place, labels, out);
    default:
        return hf_any_text(record->body, out);
    }
}
