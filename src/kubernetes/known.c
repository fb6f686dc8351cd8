#include "known.h"

#include <stdlib.h>
#include <string.h>

#include "util/fnv.h"

#define CAPACITY_LEAST 64u

static uint64_t digest(struct hf_slice text)
{
    return hf_fnv_folded(text) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct hf_slice cut(struct hf_slice uid)
{
    return hf_slice_of(uid.data, uid.size < HF_KUBE_UID_MAX ? uid.size : HF_KUBE_UID_MAX - 1);
}

static size_t place_of(const struct hf_kube_known *known, struct hf_slice uid)
{
    size_t place = (size_t)(digest(uid) >> 20) & (known->capacity - 1);
    while (known->entries[place].uid[0] != '\0' && !hf_slice_is(uid, known->entries[place].uid)) {
        place = (place + 1) & (known->capacity - 1);
    }
    return place;
}

static enum hf_status grow(struct hf_kube_known *known)
{
    struct hf_kube_known wider = {.capacity =
                                      known->capacity != 0 ? known->capacity * 2 : CAPACITY_LEAST,
                                  .count = known->count};
    wider.entries = calloc(wider.capacity, sizeof(*wider.entries));
    if (wider.entries == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < known->capacity; i++) {
        if (known->entries[i].uid[0] != '\0') {
            wider.entries[place_of(&wider, hf_slice_text(known->entries[i].uid))] =
                known->entries[i];
        }
    }
    free(known->entries);
    *known = wider;
    return HF_OK;
}

enum hf_status hf_kube_known_note(struct hf_kube_known *known, struct hf_slice uid,
                                  struct hf_slice version, uint32_t generation,
                                  enum hf_kube_finding *ret_finding)
{
    uid = cut(uid);
    if (known->count * 4 >= known->capacity * 3) {
        if (known->count >= HF_KUBE_KNOWN_MAX || grow(known) != HF_OK) {
            return HF_NOMEM;
        }
    }
    struct hf_kube_known_entry *entry = &known->entries[place_of(known, uid)];
    uint64_t version_digest = digest(version);
    if (entry->uid[0] == '\0') {
        *ret_finding = HF_KUBE_NEW;
        memcpy(entry->uid, uid.data, uid.size);
        entry->uid[uid.size] = '\0';
        known->count += uid.size != 0;
    } else {
        *ret_finding = entry->version == version_digest ? HF_KUBE_SAME : HF_KUBE_OTHER_VERSION;
    }
    entry->version = version_digest;
    entry->generation = generation;
    return HF_OK;
}

/* Empties a place and moves those behind it that would not be found any more. */
static void empty(struct hf_kube_known *known, size_t place)
{
    size_t mask = known->capacity - 1, next = place;
    known->count--;
    for (;;) {
        known->entries[place].uid[0] = '\0';
        for (;;) {
            next = (next + 1) & mask;
            if (known->entries[next].uid[0] == '\0') {
                return;
            }
            size_t home = (size_t)(digest(hf_slice_text(known->entries[next].uid)) >> 20) & mask;
            if (((next - home) & mask) >= ((next - place) & mask)) {
                break;
            }
        }
        known->entries[place] = known->entries[next];
        place = next;
    }
}

bool hf_kube_known_remove(struct hf_kube_known *known, struct hf_slice uid)
{
    uid = cut(uid);
    size_t place = known->count != 0 && uid.size != 0 ? place_of(known, uid) : 0;
    if (known->count == 0 || uid.size == 0 || known->entries[place].uid[0] == '\0') {
        return false;
    }
    empty(known, place);
    return true;
}

bool hf_kube_known_sweep(struct hf_kube_known *known, uint32_t generation, size_t *cursor,
                         char ret_uid[HF_KUBE_UID_MAX])
{
    /* An entry that is moved into an emptied place is looked at there: the cursor stays. One that
     * wraps around to the beginning was looked at before. */
    for (; *cursor < known->capacity; ++*cursor) {
        struct hf_kube_known_entry *entry = &known->entries[*cursor];
        if (entry->uid[0] != '\0' && entry->generation != generation) {
            memcpy(ret_uid, entry->uid, HF_KUBE_UID_MAX);
            empty(known, *cursor);
            return true;
        }
    }
    return false;
}

void hf_kube_known_release(struct hf_kube_known *known)
{
    free(known->entries);
    *known = (struct hf_kube_known){0};
}
