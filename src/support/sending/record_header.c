#include "record_header.h"

#include <assert.h>
#include <string.h>

#include "util/hash.h"

static bool is_known(const uint8_t *origin)
{
    static const uint8_t none[HF_ORIGIN_BYTES];
    return origin != NULL && memcmp(origin, none, sizeof(none)) != 0;
}

/* Records of one opening of the queue; what is not known is another. */
static bool is_same(const uint8_t *a, const uint8_t *b)
{
    return is_known(a) ? b != NULL && memcmp(a, b, HF_ORIGIN_BYTES) == 0 : !is_known(b);
}

static void begin(struct hf_record_names_writer *writer, const uint8_t *origin,
                  const char *exporter_id)
{
    uint8_t sender[HF_ORIGIN_BYTES];
    const struct hf_hash hash =
        hf_hash_pair(hf_slice_of(origin, HF_ORIGIN_BYTES), hf_slice_text(exporter_id));
    static_assert(sizeof(hash) == sizeof(sender), "a sender's name is as long as an origin");
    memcpy(sender, &hash, sizeof(sender));
    hf_record_names_begin(writer, sender);
}

enum hf_status hf_record_header_make(const struct hf_export *export, const char *exporter_id,
                                     struct hf_record_names_writer *writer,
                                     struct hf_slice *ret_value)
{
    const uint8_t *origin = export->range_count != 0 ? export->ranges[0].origin : NULL;
    *ret_value = HF_EMPTY_SLICE;
    if (is_known(origin)) {
        begin(writer, origin, exporter_id);
    }
    for (size_t i = 0; i < export->range_count; i++) {
        const struct hf_export_range *range = &export->ranges[i];
        if (!is_same(origin, range->origin)) {
            return HF_TOO_LARGE;
        }
        const struct hf_record_part part = {range->sequence, range->first, range->count,
                                            range->record_items};
        if (is_known(origin)) {
            hf_record_names_add(writer, &part);
        }
    }
    if (!is_known(origin)) {
        return HF_OK;
    }
    *ret_value = hf_record_names_end(writer);
    return ret_value->size == 0 && export->range_count > 1 ? HF_TOO_LARGE : HF_OK;
}
