#include "kube_making.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES_MAX 512

/* ---- labels ---- */

struct hf_slice prom_making_keep(struct prom_making *making, const char *text, size_t size)
{
    char *room = hf_arena_take(making->arena, size + 1);
    if (room == NULL) {
        making->failed = true;
        return HF_EMPTY_SLICE;
    }
    memcpy(room, text, size);
    room[size] = '\0';
    return hf_slice_of(room, size);
}

/* A label "__meta_kubernetes_" + `name`, which is a literal or has been kept. */
void prom_making_put(struct prom_making *making, const char *name, struct hf_slice value)
{
    if (!hf_prom_labels_set(&making->labels, hf_slice_text(name), value)) {
        making->failed = true;
    }
}

void prom_making_put_flag(struct prom_making *making, const char *name, bool value)
{
    prom_making_put(making, name, hf_slice_text(value ? "true" : "false"));
}

void prom_making_put_number(struct prom_making *making, const char *name, int64_t value)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%lld", (long long)value);
    prom_making_put(making, name, prom_making_keep(making, text, (size_t)size));
}

/* `middle` and the key, of which other characters than letters, digits and _ become _. */
const char *prom_making_name(struct prom_making *making, const char *role, const char *middle,
                             struct hf_slice key)
{
    char name[NAME_BYTES_MAX];
    int start = snprintf(name, sizeof(name), PREFIX "%s%s", role, middle);
    size_t size = (size_t)start;
    for (size_t i = 0; i < key.size && size < sizeof(name) - 1; i++) {
        name[size++] = isalnum(key.data[i]) ? (char)key.data[i] : '_';
    }
    return (const char *)prom_making_keep(making, name, size).data;
}

struct hf_slice prom_making_lower(struct prom_making *making, struct hf_slice value)
{
    char text[256];
    size_t size = value.size < sizeof(text) ? value.size : sizeof(text);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)tolower(value.data[i]);
    }
    return prom_making_keep(making, text, size);
}

/* The members of a map, each as a label with its value and one that says that it is there. */
void prom_making_put_map(struct prom_making *making, const char *role, const char *value_name,
                         const char *present_name, const struct hf_json *map)
{
    for (const struct hf_json *item = hf_json_first(map); item != NULL && !making->failed;
         item = item->next) {
        const char *name = prom_making_name(making, role, value_name, item->key);
        const char *present = prom_making_name(making, role, present_name, item->key);
        if (name != NULL && present != NULL) {
            prom_making_put(making, name, hf_json_text(item));
            prom_making_put(making, present, hf_slice_text("true"));
        }
    }
}

/* Name, labels and annotations. */
void prom_making_put_meta(struct prom_making *making, const char *role,
                          const struct hf_json *object)
{
    const struct hf_json *meta = hf_json_get(object, "metadata");
    const char *name = prom_making_name(making, role, "_name", HF_EMPTY_SLICE);
    if (name != NULL) {
        prom_making_put(making, name, hf_json_text_of(meta, "name"));
    }
    prom_making_put_map(making, role, "_label_", "_labelpresent_", hf_json_get(meta, "labels"));
    prom_making_put_map(making, role, "_annotation_", "_annotationpresent_",
                        hf_json_get(meta, "annotations"));
}

struct hf_slice prom_making_meta_text(const struct hf_json *object, const char *key)
{
    return hf_json_text_of(hf_json_get(object, "metadata"), key);
}

/* ---- joined objects ---- */

static uint64_t name_hash(enum prom_kube_kind kind, struct hf_slice name_space,
                          struct hf_slice name)
{
    return hf_prom_hash(name, hf_prom_hash(name_space, (uint64_t)kind + 1));
}

void prom_making_index(struct prom_making *making, enum prom_kube_kind kind)
{
    bool is_new;
    for (const struct prom_kube_object *object = making->store->objects[kind];
         object != NULL && !making->failed; object = object->next) {
        uint64_t hash = name_hash(kind, prom_making_meta_text(object->json, "namespace"),
                                  prom_making_meta_text(object->json, "name"));
        struct hf_prom_table_entry *entry = hf_prom_table_put(&making->by_name, hash, &is_new);
        making->failed |= entry == NULL;
        if (entry != NULL) {
            entry->value = (void *)(uintptr_t)object->json;
        }
    }
}

const struct hf_json *prom_making_find(const struct prom_making *making, enum prom_kube_kind kind,
                                       struct hf_slice name_space, struct hf_slice name)
{
    return hf_prom_table_get(&making->by_name, name_hash(kind, name_space, name));
}

void prom_making_attach_namespace(struct prom_making *making, struct hf_slice name)
{
    const struct hf_json *object =
        prom_making_find(making, PROM_KIND_NAMESPACE, HF_EMPTY_SLICE, name);
    if (object != NULL) {
        const struct hf_json *meta = hf_json_get(object, "metadata");
        prom_making_put_map(making, "namespace", "_label_", "_labelpresent_",
                            hf_json_get(meta, "labels"));
        prom_making_put_map(making, "namespace", "_annotation_", "_annotationpresent_",
                            hf_json_get(meta, "annotations"));
    }
}

/* What all objects of a namespace have. */
void prom_making_begin(struct prom_making *making, const char *role, const struct hf_json *object)
{
    making->labels.count = 0;
    prom_making_put(making, PREFIX "namespace", prom_making_meta_text(object, "namespace"));
    prom_making_put_meta(making, role, object);
    if (making->config->attach_metadata.namespace) {
        prom_making_attach_namespace(making, prom_making_meta_text(object, "namespace"));
    }
}

void prom_making_attach_node(struct prom_making *making, struct hf_slice name)
{
    const struct hf_json *node = prom_making_find(making, PROM_KIND_NODE, HF_EMPTY_SLICE, name);
    if (making->config->attach_metadata.node && node != NULL) {
        prom_making_put_meta(making, "node", node);
    }
}

/* ---- targets ---- */

/* "ip:port"; "[v6]:port"; without a port when `port` is below 0. */
void prom_making_put_address(struct prom_making *making, struct hf_slice host, int64_t port)
{
    char text[NAME_BYTES_MAX];
    bool is_v6 = host.size != 0 && memchr(host.data, ':', host.size) != NULL;
    int size = snprintf(text, sizeof(text), is_v6 ? "[%.*s]" : "%.*s",
                        (int)(host.size < 256 ? host.size : 256), (const char *)host.data);
    if (port >= 0) {
        size += snprintf(text + size, sizeof(text) - (size_t)size, ":%lld", (long long)port);
    }
    prom_making_put(making, "__address__", prom_making_keep(making, text, (size_t)size));
}

/* Ends the target. */
void prom_making_add_target(struct prom_making *making)
{
    if (making->count == making->capacity && !making->failed) {
        size_t capacity = making->capacity != 0 ? 2 * making->capacity : 64;
        struct prom_found *found = hf_arena_take(making->arena, capacity * sizeof(*found));
        making->failed |= found == NULL;
        if (found != NULL && making->count != 0) {
            memcpy(found, making->found, making->count * sizeof(*found));
        }
        making->found = found;
        making->capacity = capacity;
    }
    size_t bytes = making->labels.count * sizeof(struct hf_prom_label);
    struct hf_prom_label *labels = making->failed ? NULL : hf_arena_take(making->arena, bytes + 1);
    if (labels == NULL) {
        making->failed = true;
        return;
    }
    memcpy(labels, making->labels.items, bytes);
    making->found[making->count++] = (struct prom_found){labels, making->labels.count};
}

/* The labels that targets of one object have differ only in their last ones: `mark` is how many are
 * the same. */
void prom_making_back_to(struct prom_making *making, size_t mark)
{
    making->labels.count = mark;
}
