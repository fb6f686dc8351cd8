/*
 * exposition_fuzz: the first byte chooses the format, the rest is what a target answers.
 * Must reach: next_open, next_text, take_sample, take_labels, take_quoted, take_exemplar,
 * hf_expo_number, hf_expo_next_family, read_part, show_native, read_side, hf_prom_gather_sample,
 * hf_prom_gather_write.
 *
 * Whatever is read makes requests that pass the scan.
 */
#include "check.h"
#include "pdata/build.h"
#include "pdata/scan.h"
#include "prometheus/exposition.h"
#include "prometheus/gather.h"

#include <stdint.h>
static void gather_item(struct hf_prom_gather *gather, enum hf_expo_item item,
                        const struct hf_expo_reader *reader, struct hf_arena *arena)
{
    if (item != HF_EXPO_IS_SAMPLE && item != HF_EXPO_IS_NATIVE) {
        hf_prom_gather_metadata(gather, item, reader);
        return;
    }
    struct hf_prom_sample sample = {
        .name = reader->name,
        .labels = reader->labels.items,
        .label_count = reader->labels.count,
        .value = reader->value,
        .time_ms = reader->has_time ? reader->time_ms : 1,
        .has_created = reader->has_created,
        .created_ms = reader->created_ms,
        .exemplars = reader->exemplars,
        .exemplar_count = reader->exemplar_count,
    };
    if (item == HF_EXPO_IS_NATIVE) {
        struct hf_expo_native *native = hf_arena_take(arena, sizeof(*native));
        if (native == NULL) {
            return;
        }
        *native = reader->native;
        sample.native = native;
        sample.value = 0;
    }
    hf_prom_gather_sample(gather, &sample);
}

static void take_batches(struct hf_builder *builder)
{
    struct hf_batch *batch;
    while ((batch = hf_build_take(builder)) != NULL) {
        struct hf_scan scan;
        check(hf_scan(HF_METRICS, batch->raw, &scan) == HF_OK);
        check(scan.items == batch->items);
        hf_ref_drop(&batch->ref);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_expo_reader reader;
    if (size == 0) {
        return 0;
    }
    struct hf_arena arena = {.limit = 32u << 20};
    struct hf_prom_gather gather;
    struct hf_builder builder;
    const struct hf_prom_gather_options options = {.job = hf_slice_text("job"),
                                                   .instance = hf_slice_text("host:1"),
                                                   .trim_suffixes = data[0] / 12 % 2 != 0};
    hf_prom_gather_init(&gather, &arena);
    hf_prom_gather_begin(&gather, &options);
    hf_builder_init(&builder, HF_METRICS, 1u << 16);
    hf_expo_init(&reader, (enum hf_expo_format)(data[0] % 3), hf_slice_of(data + 1, size - 1),
                 &arena);
    reader.wants_native = data[0] / 3 % 2 != 0;
    reader.wants_classic = data[0] / 6 % 2 != 0;
    enum hf_expo_item item = hf_expo_next(&reader);
    while (item != HF_EXPO_END && item != HF_EXPO_BAD) {
        gather_item(&gather, item, &reader, &arena);
        item = hf_expo_next(&reader);
    }
    enum hf_status written = hf_prom_gather_write(&gather, &builder);
    enum hf_status finished = hf_build_finish(&builder);
    check(written == HF_OK || written == HF_NOMEM);
    check(finished == HF_OK || finished == HF_NOMEM);
    take_batches(&builder);
    hf_builder_release(&builder);
    hf_prom_gather_release(&gather);
    hf_arena_release(&arena);
    return 0;
}
