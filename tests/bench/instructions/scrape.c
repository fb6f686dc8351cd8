/*
 * bench-scrape PART SAMPLES: makes the requests of expositions of 1,000 samples, so many samples in
 * all, by reading each (`read`), or of those of the one before (`replay`). For counting
 * instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prometheus/replay.h"

#define SAMPLES 1000u
#define TIME_MS 1700000000000

struct scraping {
    struct hf_arena arena;
    struct hf_prom_gather gather;
    struct hf_builder builder;
    struct hf_expo_values values;
    struct hf_prom_replay replay;
    struct hf_expo_reader reader;
    char text[100 * SAMPLES];
};

static struct hf_slice make_text(struct scraping *scraping)
{
    size_t size = 0;
    for (unsigned i = 0; i < SAMPLES; i++) {
        size += (size_t)snprintf(
            scraping->text + size, sizeof(scraping->text) - size,
            "%s%u%shttp_requests_%u_total{method=\"GET\",code=\"200\",path=\"/path/%u\"} %u\n",
            i % 100 == 0 ? "# TYPE http_requests_" : "# ", i / 100,
            i % 100 == 0 ? "_total counter\n" : "\n", i / 100, i % 100, i);
    }
    return hf_slice_of(scraping->text, size);
}

static enum hf_status read_all(struct scraping *scraping, struct hf_slice text)
{
    const struct hf_prom_gather_options options = {.job = hf_slice_text("job"),
                                                   .instance = hf_slice_text("host:80")};
    struct hf_expo_reader *reader = &scraping->reader;
    enum hf_expo_item item;
    uint32_t number = 0;
    hf_arena_rewind(&scraping->arena, SIZE_MAX);
    hf_prom_gather_begin(&scraping->gather, &options);
    hf_expo_init(reader, HF_EXPO_TEXT, text, &scraping->arena);
    while ((item = hf_expo_next(reader)) != HF_EXPO_END && item != HF_EXPO_BAD) {
        const struct hf_prom_sample sample = {.name = reader->name,
                                              .labels = reader->labels.items,
                                              .label_count = reader->labels.count,
                                              .value = reader->value,
                                              .number = number,
                                              .time_ms = TIME_MS};
        if (item == HF_EXPO_IS_SAMPLE) {
            hf_prom_gather_sample(&scraping->gather, &sample);
            number++;
        } else {
            hf_prom_gather_metadata(&scraping->gather, item, reader);
        }
    }
    enum hf_status status = hf_prom_gather_write(&scraping->gather, &scraping->builder);
    return status == HF_OK ? hf_build_finish(&scraping->builder) : status;
}

/* How many points. */
static unsigned long take_all(struct scraping *scraping)
{
    unsigned long items = 0;
    struct hf_batch *batch;
    while ((batch = hf_build_take(&scraping->builder)) != NULL) {
        items += batch->items;
        hf_ref_drop(&batch->ref);
    }
    return items;
}

static bool replay(struct scraping *scraping, struct hf_slice text)
{
    return hf_expo_values_read(&scraping->values, HF_EXPO_TEXT, text) &&
           hf_prom_replay_write(&scraping->replay, &scraping->values, TIME_MS, &scraping->builder);
}

int main(int argc, char **argv)
{
    struct scraping *scraping = calloc(1, sizeof(*scraping));
    bool replays = argc == 3 && strcmp(argv[1], "replay") == 0;
    if (scraping == NULL || argc != 3 || (!replays && strcmp(argv[1], "read") != 0)) {
        fputs("usage: bench-scrape read|replay SAMPLES\n", stderr);
        return 2;
    }
    scraping->arena.limit = SIZE_MAX;
    struct hf_slice text = make_text(scraping);
    hf_prom_gather_init(&scraping->gather, &scraping->arena);
    hf_builder_init(&scraping->builder, HF_METRICS, 4u << 20);
    bool works = read_all(scraping, text) == HF_OK &&
                 hf_expo_values_read(&scraping->values, HF_EXPO_TEXT, text);
    hf_prom_replay_make(&scraping->replay, &scraping->gather, &scraping->builder,
                        &scraping->values);
    works = works && take_all(scraping) == SAMPLES;
    for (unsigned long left = strtoul(argv[2], NULL, 10); works && left >= SAMPLES;
         left -= SAMPLES) {
        works = replays ? replay(scraping, text) : read_all(scraping, text) == HF_OK;
        works = works && take_all(scraping) == SAMPLES;
    }
    hf_prom_replay_release(&scraping->replay);
    hf_expo_values_release(&scraping->values);
    hf_builder_release(&scraping->builder);
    hf_prom_gather_release(&scraping->gather);
    hf_arena_release(&scraping->arena);
    free(scraping);
    fputs(works ? "" : "the scrape was not made\n", stderr);
    return works ? 0 : 1;
}
