#include "words.h"

const char *hf_status_kind(enum hf_kind kind)
{
    static const char *const names[HF_KIND_COUNT] = {[HF_RECEIVER] = "receiver",
                                                     [HF_PROCESSOR] = "processor",
                                                     [HF_EXPORTER] = "exporter",
                                                     [HF_EXTENSION] = "extension",
                                                     [HF_CONNECTOR] = "connector"};
    return names[kind];
}

void hf_status_amount(struct hf_json_out *json, const char *key, const struct wal_amount *amount)
{
    hf_json_out_map(json, key);
    hf_json_out_number(json, "records", amount->records);
    hf_json_out_number(json, "items", amount->items);
    hf_json_out_number(json, "bytes", amount->bytes);
    hf_json_out_end_map(json);
}
