#include "loki_records.h"

#include <string.h>

#include "pdata/any.h"

#define NO_STREAM UINT32_MAX /* of records without a label */

enum hf_status loki_records_init(struct loki_records *records,
                                 const struct loki_record_config *config)
{
    const struct loki_tenant_config *tenant = config->tenant;
    bool is_attribute = tenant != NULL && tenant->source == LOKI_TENANT_ATTRIBUTES;
    records->config = config;
    return loki_telling_init(&records->telling, &config->labels,
                             is_attribute ? tenant->value : NULL);
}

void loki_records_release(struct loki_records *records)
{
    loki_telling_release(&records->telling);
    loki_labels_release(&records->common.labels);
    loki_labels_release(&records->labels);
    hf_bytes_release(&records->labels_text);
    loki_push_release(&records->push);
    loki_json_release(&records->json);
}

void loki_records_begin(struct loki_records *records)
{
    records->common.resource_group = NULL;
    records->common.last = NULL;
    loki_json_begin(&records->json);
}

/* ---- what one record says, or its resource; `item` NULL: the resource alone ---- */

static struct hf_slice value_of(const struct hf_place *place, struct hf_message *item,
                                struct hf_slice key)
{
    bool is_whole;
    struct hf_slice value = loki_attribute(hf_place_resource(place), key, &is_whole);
    return value.size != 0 || item == NULL ? value : loki_attribute(item, key, &is_whole);
}

static struct hf_slice hint_of(const struct hf_place *place, struct hf_message *item,
                               const char *name)
{
    return hf_any_read(value_of(place, item, hf_slice_text(name))).bytes;
}

/* The attribute that names the tenant; empty: none. */
static struct hf_slice tenant_key(const struct loki_records *records, const struct hf_place *place,
                                  struct hf_message *item)
{
    struct hf_slice key = hint_of(place, item, "loki.tenant");
    const struct loki_tenant_config *tenant = records->config->tenant;
    if (key.size == 0 && tenant != NULL && tenant->source == LOKI_TENANT_ATTRIBUTES) {
        return hf_slice_text(tenant->value);
    }
    return key;
}

/* The tenant as text. */
static struct hf_slice tenant_of(const struct hf_place *place, struct hf_message *item,
                                 struct hf_slice key)
{
    struct hf_slice value = key.size != 0 ? value_of(place, item, key) : HF_EMPTY_SLICE;
    struct hf_bytes text = {0};
    struct hf_slice kept = HF_EMPTY_SLICE;
    if (value.size != 0 && hf_any_text(value, &text) == HF_OK) {
        kept = hf_document_keep(place->document, hf_slice_of(text.data, text.size));
    }
    hf_bytes_release(&text);
    return kept;
}

static enum loki_format format_of(const struct loki_records *records, const struct hf_place *place,
                                  struct hf_message *item)
{
    struct hf_slice name = hint_of(place, item, "loki.format");
    for (int i = 0; i < LOKI_FORMAT_COUNT; i++) {
        if (hf_slice_is(name, loki_format_names[i])) {
            return (enum loki_format)i;
        }
    }
    return (enum loki_format)records->config->format;
}

/* A time of 0 would be refused. */
static uint64_t time_of(const struct loki_record *record, uint64_t received_ns)
{
    uint64_t time_ns = record->time_ns != 0 ? record->time_ns : record->observed_ns;
    return time_ns != 0 ? time_ns : received_ns;
}

/* ---- what records have in common ---- */

static void find_common(struct loki_records *records, const struct hf_place *place)
{
    struct loki_common *common = &records->common;
    common->resource_group = place->resource_group;
    common->tenant_key = tenant_key(records, place, NULL);
    common->tenant = tenant_of(place, NULL, common->tenant_key);
    common->format = format_of(records, place, NULL);
    /* An attribute that only the resource's hint names may be one of the record's. */
    bool is_asked = hint_of(place, NULL, "loki.tenant").size != 0 &&
                    value_of(place, NULL, common->tenant_key).size == 0;
    common->is_known = !is_asked && records->config->labels.maps.record.count == 0;
    memset(common->streams, 0, sizeof(common->streams));
}

/* Reads the record. NULL: it is to be looked at alone. */
static struct loki_common *common_of(struct loki_records *records, const struct hf_place *place)
{
    struct loki_common *common = &records->common;
    if (common->resource_group != place->resource_group) {
        find_common(records, place);
    }
    if (common->last != place->item) {
        common->last = place->item;
        loki_record_read(place->item, &records->record);
        common->is_of_last =
            common->is_known && !loki_is_telling(&records->telling, records->record.attributes);
    }
    return common->is_of_last ? common : NULL;
}

struct hf_slice loki_records_tenant(struct loki_records *records, const struct hf_place *place)
{
    const struct loki_common *common = common_of(records, place);
    if (common != NULL) {
        return common->tenant;
    }
    return tenant_of(place, place->item, tenant_key(records, place, place->item));
}

/* ---- records ---- */

/* The labels and the stream of one record; NO_STREAM: it has no label. */
static enum hf_status find_stream(struct loki_records *records, const struct hf_place *place,
                                  struct hf_slice key, struct loki_labels *labels,
                                  uint32_t *ret_stream)
{
    enum hf_status status = loki_labels_read(&records->config->labels, place, key, labels);
    *ret_stream = NO_STREAM;
    if (status != HF_OK || labels->count == 0) {
        return status;
    }
    records->labels_text.size = 0;
    status = loki_labels_write(labels, &records->labels_text);
    return status == HF_OK
               ? loki_push_stream(&records->push,
                                  hf_slice_of(records->labels_text.data, records->labels_text.size),
                                  ret_stream)
               : status;
}

/* Of records that tell nothing the severity alone decides. */
static enum hf_status find_common_stream(struct loki_records *records, const struct hf_place *place,
                                         uint32_t *ret_stream)
{
    struct loki_common *common = &records->common;
    int64_t severity = records->record.severity;
    bool is_named = severity > 0 && severity < LOKI_SEVERITIES;
    uint32_t *known = &common->streams[is_named ? severity : 0];
    if (*known == 0) {
        uint32_t stream;
        enum hf_status status =
            find_stream(records, place, common->tenant_key, &common->labels, &stream);
        if (status != HF_OK) {
            return status;
        }
        *known = stream == NO_STREAM ? NO_STREAM : stream + 1;
    }
    *ret_stream = *known == NO_STREAM ? NO_STREAM : *known - 1;
    return HF_OK;
}

enum hf_status loki_records_add(struct loki_records *records, const struct hf_place *place,
                                uint64_t received_ns, bool *ret_is_taken)
{
    const struct loki_common *common = common_of(records, place);
    const struct loki_labels *labels = common != NULL ? &common->labels : &records->labels;
    uint32_t stream;
    enum hf_status status =
        common != NULL ? find_common_stream(records, place, &stream)
                       : find_stream(records, place, tenant_key(records, place, place->item),
                                     &records->labels, &stream);
    *ret_is_taken = status == HF_OK && stream != NO_STREAM;
    if (!*ret_is_taken) {
        return status;
    }
    enum loki_format format =
        common != NULL ? common->format : format_of(records, place, place->item);
    loki_push_open(&records->push, stream, time_of(&records->record, received_ns));
    status = loki_line_write(&records->json, place, &records->record, labels, format,
                             &records->push.lines);
    return status == HF_OK ? loki_push_close(&records->push) : status;
}
