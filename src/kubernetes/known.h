/*
 * known: the objects of one kind that are known to exist: uid and a digest of the resourceVersion
 * of each. By it a list that is read once more is told from what was shown before. 56 bytes an
 * object. Owned by one thread: zeroed at first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_KUBE_UID_MAX 40u /* with its NUL; the API's are 36 characters */
#define HF_KUBE_KNOWN_MAX (1u << 20)

struct hf_kube_known_entry {
    char uid[HF_KUBE_UID_MAX]; /* "": an empty place */
    uint64_t version;          /* digest of its resourceVersion */
    uint32_t generation;       /* of the list that has it; or that was current with its event */
};

struct hf_kube_known {
    struct hf_kube_known_entry *entries;
    size_t capacity, count; /* the capacity is 0 or a power of two */
};

enum hf_kube_finding { HF_KUBE_SAME = 0, HF_KUBE_OTHER_VERSION, HF_KUBE_NEW };

/* Notes the object. HF_NOMEM: or there are HF_KUBE_KNOWN_MAX already. */
HF_MUST_USE enum hf_status hf_kube_known_note(struct hf_kube_known *known, struct hf_slice uid,
                                              struct hf_slice version, uint32_t generation,
                                              enum hf_kube_finding *ret_finding);
/* False: it was not known. */
bool hf_kube_known_remove(struct hf_kube_known *known, struct hf_slice uid);
/* Removes one object of another generation and tells which. False: there is none. `*cursor` starts
 * at 0. */
HF_MUST_USE bool hf_kube_known_sweep(struct hf_kube_known *known, uint32_t generation,
                                     size_t *cursor, char ret_uid[HF_KUBE_UID_MAX]);
void hf_kube_known_release(struct hf_kube_known *known);
