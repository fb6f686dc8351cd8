#include "record.h"

#include <stdlib.h>
#include <string.h>

#define TAG_ANY_STRING 0x0au /* field 1 of AnyValue, length-delimited */

static void put(struct k8s_draft *draft, struct hf_slice key, bool keeps_key, bool is_late,
                struct hf_slice text)
{
    size_t i = 0;
    while (i < draft->pair_count && !hf_slice_equal(draft->pairs[i].key, key)) {
        i++;
    }
    if (i == K8S_PAIRS_MAX) {
        return;
    }
    if (i == draft->pair_count) {
        draft->pair_count++;
    }
    draft->pairs[i] = (struct k8s_pair){key, text};
    draft->is_late[i] = is_late;
    draft->keeps_key[i] = keeps_key;
}

void k8s_draft_set(struct k8s_draft *draft, struct hf_slice key, bool keeps_key,
                   struct hf_slice text)
{
    put(draft, key, keeps_key, false, text);
}

void k8s_draft_put(struct k8s_draft *draft, const char *key, struct hf_slice text)
{
    put(draft, hf_slice_text(key), true, false, text);
}

void k8s_draft_put_late(struct k8s_draft *draft, const char *key, struct hf_slice text)
{
    put(draft, hf_slice_text(key), true, true, text);
}

const struct k8s_pair *k8s_draft_find(const struct k8s_draft *draft, struct hf_slice key)
{
    for (size_t i = 0; i < draft->pair_count; i++) {
        if (hf_slice_equal(draft->pairs[i].key, key)) {
            return &draft->pairs[i];
        }
    }
    return NULL;
}

static size_t varint_size(size_t number)
{
    size_t size = 1;
    while (number >= 0x80) {
        number >>= 7;
        size++;
    }
    return size;
}

/* Copies behind `*room`. */
static struct hf_slice copy(uint8_t **room, struct hf_slice text)
{
    uint8_t *at = *room;
    if (text.size != 0) {
        memcpy(at, text.data, text.size);
    }
    *room += text.size;
    return hf_slice_of(at, text.size);
}

/* The same as the bytes of an AnyValue. */
static struct hf_slice copy_value(uint8_t **room, struct hf_slice text)
{
    uint8_t *begin = *room, *at = begin;
    size_t size = text.size;
    *at++ = TAG_ANY_STRING;
    for (; size >= 0x80; size >>= 7) {
        *at++ = (uint8_t)(size | 0x80);
    }
    *at++ = (uint8_t)size;
    *room = at;
    (void)copy(room, text);
    return hf_slice_of(begin, (size_t)(*room - begin));
}

static size_t texts_size(const struct k8s_draft *draft)
{
    const struct k8s_record *record = &draft->record;
    size_t size = record->namespace_name.size + record->pod_name.size + record->node_name.size;
    for (size_t i = 0; i < K8S_KIND_COUNT; i++) {
        size += record->owners[i].size;
    }
    for (size_t i = 0; i < draft->pair_count; i++) {
        size += draft->keeps_key[i] ? 0 : draft->pairs[i].key.size;
        size += 1 + varint_size(draft->pairs[i].value.size) + draft->pairs[i].value.size;
    }
    for (size_t i = 0; i < draft->container_count; i++) {
        const struct k8s_container *container = &draft->containers[i];
        size += container->name.size + container->image_name.size + container->image_tag.size +
                container->version.size + container->run.id.size + container->run.digest.size;
    }
    return size;
}

static void free_record(struct hf_ref *ref)
{
    free(HF_CONTAINER(ref, struct k8s_record, ref));
}

/* Those that are set at once, then the late ones. */
static void fill_pairs(const struct k8s_draft *draft, struct k8s_record *record,
                       struct k8s_pair *pairs, uint8_t **room)
{
    record->pairs = pairs;
    record->pair_count = 0;
    for (int is_late = 0; is_late < 2; is_late++) {
        record->late = record->pair_count;
        for (size_t i = 0; i < draft->pair_count; i++) {
            const struct k8s_pair *pair = &draft->pairs[i];
            if (draft->is_late[i] == (is_late == 1)) {
                struct k8s_pair *made = &pairs[record->pair_count++];
                made->key = draft->keeps_key[i] ? pair->key : copy(room, pair->key);
                made->value = copy_value(room, pair->value);
            }
        }
    }
}

struct k8s_record *k8s_record_make(const struct k8s_draft *draft)
{
    size_t pairs_size = draft->pair_count * sizeof(struct k8s_pair);
    size_t containers_size = draft->container_count * sizeof(struct k8s_container);
    struct k8s_record *record =
        malloc(sizeof(*record) + pairs_size + containers_size + texts_size(draft));
    if (record == NULL) {
        return NULL;
    }
    *record = draft->record;
    hf_ref_init(&record->ref, free_record);
    struct k8s_pair *pairs = (struct k8s_pair *)(record + 1);
    struct k8s_container *containers = (struct k8s_container *)(pairs + draft->pair_count);
    uint8_t *room = (uint8_t *)(containers + draft->container_count);
    record->namespace_name = copy(&room, draft->record.namespace_name);
    record->pod_name = copy(&room, draft->record.pod_name);
    record->node_name = copy(&room, draft->record.node_name);
    for (size_t i = 0; i < K8S_KIND_COUNT; i++) {
        record->owners[i] = copy(&room, draft->record.owners[i]);
    }
    fill_pairs(draft, record, pairs, &room);
    record->containers = containers;
    record->container_count = draft->container_count;
    for (size_t i = 0; i < draft->container_count; i++) {
        const struct k8s_container *from = &draft->containers[i];
        containers[i] = (struct k8s_container){
            .name = copy(&room, from->name),
            .image_name = copy(&room, from->image_name),
            .image_tag = copy(&room, from->image_tag),
            .version = copy(&room, from->version),
            .has_run = from->has_run,
            .run = {from->run.restart_count, copy(&room, from->run.id),
                    copy(&room, from->run.digest)},
        };
    }
    return record;
}
