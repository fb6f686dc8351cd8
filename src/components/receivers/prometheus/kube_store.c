/*
 * kube_store: the objects that are watched, reduced to what targets are made of.
 */
#include "kube_targets.h"

#include <stdlib.h>
#include <string.h>

/* A large part of an object of which no label is made? Texts are not, whatever their key: labels
 * and annotations have any. */
static bool is_needless(const struct hf_json *value)
{
    static const char *const keys[] = {
        "managedFields", "env",       "envFrom",     "volumeMounts",   "volumes",
        "tolerations",   "affinity",  "resources",   "livenessProbe",  "readinessProbe",
        "startupProbe",  "lifecycle", "args",        "command",        "securityContext",
        "images",        "capacity",  "allocatable", "nodeInfo",       "volumesInUse",
        "podCIDRs",      "lastState", "state",       "defaultBackend", "readinessGates",
        "template",
    };
    if (value->kind != HF_JSON_LIST && value->kind != HF_JSON_MAP) {
        return false;
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (hf_slice_is(value->key, keys[i])) {
            return true;
        }
    }
    return false;
}

static struct hf_slice copy_text(struct hf_arena *arena, struct hf_slice text, bool *failed)
{
    uint8_t *room = hf_arena_take(arena, text.size + 1);
    if (room == NULL) {
        *failed = true;
        return HF_EMPTY_SLICE;
    }
    if (text.size != 0) {
        memcpy(room, text.data, text.size);
    }
    room[text.size] = '\0';
    return hf_slice_of(room, text.size);
}

/* As deep as the reader of JSON allows. */
static struct hf_json *copy_value(struct hf_arena *arena, const struct hf_json *value, bool *failed)
{
    struct hf_json *copy = hf_arena_take(arena, sizeof(*copy));
    if (copy == NULL) {
        *failed = true;
        return NULL;
    }
    *copy = *value;
    copy->next = NULL;
    copy->key = copy_text(arena, value->key, failed);
    if (value->kind == HF_JSON_STRING) {
        copy->text = copy_text(arena, value->text, failed);
    }
    if (value->kind != HF_JSON_LIST && value->kind != HF_JSON_MAP) {
        return copy;
    }
    const struct hf_json **next = &copy->first;
    copy->first = NULL;
    for (const struct hf_json *item = value->first; item != NULL && !*failed; item = item->next) {
        if (value->kind == HF_JSON_MAP && is_needless(item)) {
            continue;
        }
        struct hf_json *inner = copy_value(arena, item, failed);
        *next = inner;
        next = inner != NULL ? &inner->next : next;
    }
    return copy;
}

static void free_object(struct prom_kube_object *object)
{
    hf_arena_release(&object->arena);
    free(object);
}

bool prom_kube_put(struct prom_kube_store *store, enum prom_kube_kind kind, struct hf_slice uid,
                   const struct hf_json *object)
{
    struct prom_kube_object *made = calloc(1, sizeof(*made));
    bool failed = false;
    prom_kube_remove(store, kind, uid);
    if (made == NULL || store->count == PROM_KUBE_OBJECTS_MAX) {
        free(made);
        return false;
    }
    made->arena.limit = PROM_KUBE_OBJECT_BYTES_MAX;
    made->uid_hash = hf_prom_hash(uid, 1);
    made->json = copy_value(&made->arena, object, &failed);
    if (failed) {
        free_object(made);
        return false;
    }
    made->next = store->objects[kind];
    store->objects[kind] = made;
    store->count++;
    return true;
}

void prom_kube_remove(struct prom_kube_store *store, enum prom_kube_kind kind, struct hf_slice uid)
{
    uint64_t hash = hf_prom_hash(uid, 1);
    for (struct prom_kube_object **at = &store->objects[kind]; *at != NULL; at = &(*at)->next) {
        if ((*at)->uid_hash == hash) {
            struct prom_kube_object *gone = *at;
            *at = gone->next;
            free_object(gone);
            store->count--;
            return;
        }
    }
}

void prom_kube_release(struct prom_kube_store *store)
{
    for (int kind = 0; kind < PROM_KIND_COUNT; kind++) {
        while (store->objects[kind] != NULL) {
            struct prom_kube_object *object = store->objects[kind];
            store->objects[kind] = object->next;
            free_object(object);
        }
    }
    store->count = 0;
}
