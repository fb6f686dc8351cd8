/*
 * ref: a reference count to embed in what is shared between threads.
 *
 * The maker holds the first reference; the drop of the last one frees the object by `free`, on the
 * thread that drops it. Taking and dropping are safe on any thread as long as the caller holds a
 * reference.
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

struct hf_ref {
    atomic_uint count;
    void (*free)(struct hf_ref *ref); /* gets the embedded member; frees the whole */
};

static inline void hf_ref_init(struct hf_ref *ref, void (*free)(struct hf_ref *ref))
{
    atomic_init(&ref->count, 1);
    ref->free = free;
}

static inline void hf_ref_take(struct hf_ref *ref)
{
    unsigned before = atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
    assert(before != 0);
    (void)before;
}

/* NULL is nothing to drop. */
static inline void hf_ref_drop(struct hf_ref *ref)
{
    if (ref == NULL) {
        return;
    }
    /* acq_rel: what others did with the object happens before its freeing. */
    if (atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel) == 1) {
        ref->free(ref);
    }
}

/* The struct around an embedded member. */
#define HF_CONTAINER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
