#include <holdfast/batch.h>

#include <assert.h>
#include <stdlib.h>
#include <time.h>

static uint64_t unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void free_batch(struct hf_ref *ref)
{
    free(HF_CONTAINER(ref, struct hf_batch, ref));
}

struct hf_batch *hf_batch_new(enum hf_signal signal, size_t capacity, struct hf_slice meta)
{
    if (capacity > SIZE_MAX / 2 || meta.size > SIZE_MAX / 4) {
        return NULL;
    }
    struct hf_batch *batch = malloc(sizeof(*batch) + capacity + meta.size);
    if (batch == NULL) {
        return NULL;
    }
    uint8_t *room = (uint8_t *)(batch + 1);
    *batch = (struct hf_batch){.signal = signal, .received_ns = unix_ns()};
    hf_ref_init(&batch->ref, free_batch);
    batch->wire = hf_slice_of(room, 0);
    if (meta.size != 0) {
        memcpy(room + capacity, meta.data, meta.size);
        batch->meta = hf_slice_of(room + capacity, meta.size);
    }
    return batch;
}

uint8_t *hf_batch_room(struct hf_batch *batch)
{
    assert(batch->wire.size == 0);
    return (uint8_t *)(batch + 1);
}

void hf_batch_seal(struct hf_batch *batch, size_t size, uint32_t items)
{
    assert(batch->meta.size == 0 || batch->wire.data + size <= batch->meta.data);
    batch->wire.size = size;
    batch->raw = batch->wire;
    batch->coding = HF_IDENTITY;
    batch->items = items;
}

/* A batch whose bytes belong to another object. */
struct wrapped {
    struct hf_batch batch;
    struct hf_ref *owner;
};

static void free_wrapped(struct hf_ref *ref)
{
    struct wrapped *wrapped = HF_CONTAINER(ref, struct wrapped, batch.ref);
    hf_ref_drop(wrapped->owner);
    free(wrapped);
}

struct hf_batch *hf_batch_wrap(enum hf_signal signal, enum hf_coding coding, struct hf_slice wire,
                               struct hf_ref *owner, struct hf_slice meta)
{
    struct wrapped *wrapped = malloc(sizeof(*wrapped) + meta.size);
    if (wrapped == NULL) {
        return NULL;
    }
    wrapped->batch = (struct hf_batch){.signal = signal,
                                       .coding = coding,
                                       .received_ns = unix_ns(),
                                       .wire = wire,
                                       .raw = coding == HF_IDENTITY ? wire : HF_EMPTY_SLICE};
    hf_ref_init(&wrapped->batch.ref, free_wrapped);
    hf_ref_take(owner);
    wrapped->owner = owner;
    if (meta.size != 0) {
        memcpy(wrapped + 1, meta.data, meta.size);
        wrapped->batch.meta = hf_slice_of(wrapped + 1, meta.size);
    }
    return &wrapped->batch;
}

const char *hf_signal_name(enum hf_signal signal)
{
    static const char *const names[HF_SIGNAL_COUNT] = {"traces", "metrics", "logs", "profiles"};
    return names[signal];
}

const char *hf_signal_items_name(enum hf_signal signal)
{
    static const char *const names[HF_SIGNAL_COUNT] = {"spans", "metric_points", "log_records",
                                                       "profile_samples"};
    return names[signal];
}

const char *hf_coding_name(enum hf_coding coding)
{
    static const char *const names[HF_CODING_COUNT] = {"identity", "gzip",    "zstd",
                                                       "snappy",   "deflate", "snappy"};
    return names[coding];
}
