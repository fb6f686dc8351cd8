/*
 * fluent_fuzz: the bytes of a connection of the Forward protocol. Must reach: hf_fluent_measure()
 * with shape_of(), hf_fluent_read() with take_forward(), take_packed(), take_compressed(),
 * write_record(), value_of().
 *
 * What is taken passes the scan and has the records that are counted; what is refused has a
 * sentence and leaves nothing behind.
 */
#include "check.h"
#include "encodings/fluent.h"
#include "pdata/scan.h"

static void read_event(struct hf_slice event)
{
    struct hf_builder builder;
    struct hf_fluent_event found;
    struct hf_scan scan;
    char error[HF_FLUENT_ERROR_MAX] = "";
    hf_builder_init(&builder, HF_LOGS, (size_t)256 << 20);
    hf_build_resource(&builder, HF_EMPTY_SLICE);
    hf_build_scope(&builder, HF_EMPTY_SLICE, HF_EMPTY_SLICE);
    enum hf_status status = hf_fluent_read(event, &builder, &found, error);
    check(status == HF_OK || error[0] != '\0' || status == HF_NOMEM);
    check(hf_build_items(&builder) == (status == HF_OK ? found.records : 0));
    check(hf_build_finish(&builder) == HF_OK);
    struct hf_batch *batch = hf_build_take(&builder);
    if (batch != NULL) {
        check(hf_scan(HF_LOGS, batch->raw, &scan) == HF_OK && scan.items == found.records);
        hf_ref_drop(&batch->ref);
    }
    hf_builder_release(&builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_slice rest = hf_slice_of(data, size);
    size_t used;
    while (rest.size != 0 && hf_fluent_measure(rest, &used) == HF_FLUENT_WHOLE) {
        check(used != 0 && used <= rest.size);
        read_event(hf_slice_of(rest.data, used));
        rest = hf_slice_of(rest.data + used, rest.size - used);
    }
    return 0;
}
