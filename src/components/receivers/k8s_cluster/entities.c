#include "entities.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "objects.h"
#include "pdata/any_make.h"
#include "util/arena.h"

#define NS_PER_MS UINT64_C(1000000)
#define TEXT_MAX 1024u /* of one attribute */
#define PAIRS_MAX 256u /* of one entity */
#define ARENA_BYTES (1u << 20)

/*
 * The bytes of a record of entities: parts, one behind another. ENTITY begins one with its type,
 * the key of its id, and the id; ATTRIBUTE adds a key and a value; WORKLOAD, a key less, says that
 * it is a pod of that kind, name and uid; OWNER, of a replica set or job, what owns it likewise.
 */
enum part_kind { ENTITY = 0, ATTRIBUTE, WORKLOAD, OWNER };

struct part {
    uint8_t kind;
    struct hf_slice texts[3];
};

/* ---- making ---- */

static void put(struct record *record, enum part_kind kind, struct hf_slice one,
                struct hf_slice two, struct hf_slice three)
{
    const struct hf_slice texts[] = {one, two, three};
    uint8_t tag = (uint8_t)kind;
    uint16_t sizes[3];
    for (size_t i = 0; i < 3; i++) {
        sizes[i] = (uint16_t)(texts[i].size < TEXT_MAX ? texts[i].size : TEXT_MAX);
    }
    record->failed = record->failed ||
                     hf_bytes_append(&record->bytes, hf_slice_of(&tag, 1)) != HF_OK ||
                     hf_bytes_append(&record->bytes,
                                     hf_slice_of((const uint8_t *)sizes, sizeof(sizes))) != HF_OK;
    for (size_t i = 0; i < 3 && !record->failed; i++) {
        record->failed =
            hf_bytes_append(&record->bytes, hf_slice_of(texts[i].data, sizes[i])) != HF_OK;
    }
}

/* Steps to the next part. False: that was the last. */
static bool next_part(struct hf_slice *rest, struct part *ret_part)
{
    uint16_t sizes[3];
    if (rest->size < 1 + sizeof(sizes)) {
        return false;
    }
    ret_part->kind = rest->data[0];
    memcpy(sizes, rest->data + 1, sizeof(sizes));
    size_t at = 1 + sizeof(sizes);
    for (size_t i = 0; i < 3; i++) {
        ret_part->texts[i] = hf_slice_of(rest->data + at, sizes[i]);
        at += sizes[i];
    }
    *rest = hf_slice_of(rest->data + at, rest->size - at);
    return true;
}

static struct hf_slice bytes_of(const struct record *record)
{
    return hf_slice_of(record->bytes.data, record->bytes.size);
}

static void entity(struct record *record, const char *type, const char *id_key, struct hf_slice id)
{
    put(record, ENTITY, hf_slice_text(type), hf_slice_text(id_key), id);
}

static void attribute(struct record *record, const char *key, struct hf_slice value)
{
    put(record, ATTRIBUTE, hf_slice_text(key), value, HF_EMPTY_SLICE);
}

static void attribute_if_there(struct record *record, const char *key, struct hf_slice value)
{
    if (value.size != 0) {
        attribute(record, key, value);
    }
}

static void lower(struct hf_slice text, char *ret_text, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size && used + 1 < room; i++) {
        ret_text[used++] = (char)tolower(text.data[i]);
    }
    ret_text[used] = '\0';
}

/* "k8s.job.uid" of "Job" and "uid". */
static void kind_key(struct hf_slice kind, const char *what, char ret_key[128])
{
    char small[64];
    lower(kind, small, sizeof(small));
    snprintf(ret_key, 128, "k8s.%s.%s", small, what);
}

static const struct hf_json *metadata_of(const struct hf_json *object)
{
    return hf_json_get(object, "metadata");
}

static struct hf_slice meta(const struct hf_json *object, const char *key)
{
    return hf_json_text_of(metadata_of(object), key);
}

/* Labels come last: of a key that is there already they do not count. */
static void labels(struct record *record, const struct hf_json *object)
{
    const struct hf_json *label = hf_json_first(hf_json_get(metadata_of(object), "labels"));
    for (; label != NULL; label = label->next) {
        put(record, ATTRIBUTE, label->key, hf_json_text(label), HF_EMPTY_SLICE);
    }
}

static bool is_looked_up(struct hf_slice kind)
{
    return hf_slice_is(kind, "ReplicaSet") || hf_slice_is(kind, "Job");
}

static void owners(struct record *record, const struct hf_json *object, bool is_pod)
{
    const struct hf_json *owner =
        hf_json_first(hf_json_get(metadata_of(object), "ownerReferences"));
    for (; owner != NULL; owner = owner->next) {
        struct hf_slice kind = hf_json_text_of(owner, "kind");
        struct hf_slice name = hf_json_text_of(owner, "name"), uid = hf_json_text_of(owner, "uid");
        char key[128];
        kind_key(kind, "name", key);
        attribute(record, key, name);
        kind_key(kind, "uid", key);
        attribute(record, key, uid);
        if (is_pod && is_looked_up(kind)) {
            put(record, WORKLOAD, kind, name, uid);
        } else if (is_pod) {
            attribute(record, "k8s.workload.kind", kind);
            attribute(record, "k8s.workload.name", name);
        } else if (hf_slice_is(kind, "Deployment") || hf_slice_is(kind, "CronJob")) {
            put(record, OWNER, kind, name, uid);
        }
    }
}

static void describe_state(struct record *record, const struct hf_json *status)
{
    const struct hf_json *state = hf_json_first(hf_json_get(status, "state"));
    if (state == NULL) {
        return;
    }
    attribute(record, "container.status", state->key);
    if (!hf_slice_is(state->key, "running")) {
        attribute(record, "container.status.reason", hf_json_text_of(state, "reason"));
    }
    attribute_if_there(record, "container.creation_timestamp", hf_json_text_of(state, "startedAt"));
}

static void describe_container(struct record *record, const struct hf_json *pod,
                               const struct hf_json *status)
{
    struct hf_slice name, tag;
    cluster_image(hf_json_text_of(status, "image"), &name, &tag);
    entity(record, "container", "container.id",
           cluster_container_id(hf_json_text_of(status, "containerID")));
    attribute(record, "container.image.name", name);
    attribute(record, "container.image.tag", tag);
    attribute(record, "k8s.container.name", hf_json_text_of(status, "name"));
    attribute(record, "k8s.pod.name", meta(pod, "name"));
    attribute(record, "k8s.pod.uid", meta(pod, "uid"));
    attribute(record, "k8s.namespace.name", meta(pod, "namespace"));
    attribute(record, "k8s.node.name", hf_json_text_of(hf_json_get(pod, "spec"), "nodeName"));
    describe_state(record, status);
}

static void describe_pod(struct record *record, const char *kind, const struct hf_json *pod)
{
    const struct hf_json *status = hf_json_get(pod, "status");
    struct hf_slice phase = hf_json_text_of(status, "phase");
    (void)kind;
    entity(record, "k8s.pod", "k8s.pod.uid", meta(pod, "uid"));
    attribute(record, "pod.creation_timestamp", meta(pod, "creationTimestamp"));
    attribute(record, "k8s.pod.phase", phase.size != 0 ? phase : hf_slice_text("Unknown"));
    attribute_if_there(record, "k8s.pod.status_reason", hf_json_text_of(status, "reason"));
    attribute(record, "k8s.node.name", hf_json_text_of(hf_json_get(pod, "spec"), "nodeName"));
    attribute(record, "k8s.namespace.name", meta(pod, "namespace"));
    attribute(record, "k8s.pod.name", meta(pod, "name"));
    owners(record, pod, true);
    labels(record, pod);
    const struct hf_json *one = hf_json_first(hf_json_get(status, "containerStatuses"));
    for (; one != NULL; one = one->next) {
        describe_container(record, pod, one);
    }
}

/* Conditions of others than the kubelet may change all the time. */
static bool is_of_kubelet(struct hf_slice type)
{
    static const char *const types[] = {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure",
                                        "NetworkUnavailable"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (hf_slice_is(type, types[i])) {
            return true;
        }
    }
    return false;
}

static void describe_node(struct record *record, const char *kind, const struct hf_json *node)
{
    const struct hf_json *one =
        hf_json_first(hf_json_get(hf_json_get(node, "status"), "conditions"));
    (void)kind;
    entity(record, "k8s.node", "k8s.node.uid", meta(node, "uid"));
    attribute(record, "k8s.node.name", meta(node, "name"));
    attribute(record, "node.creation_timestamp", meta(node, "creationTimestamp"));
    for (; one != NULL; one = one->next) {
        struct hf_slice type = hf_json_text_of(one, "type");
        char snake[64], key[128], value[16];
        if (is_of_kubelet(type)) {
            /* The texts of JSON end with a NUL. */
            cluster_snake((const char *)type.data, snake, sizeof(snake));
            snprintf(key, sizeof(key), "k8s.node.condition_%s", snake);
            lower(hf_json_text_of(one, "status"), value, sizeof(value));
            attribute(record, key, hf_slice_text(value));
        }
    }
    labels(record, node);
}

static void describe_namespace(struct record *record, const char *kind, const struct hf_json *space)
{
    char phase[32];
    (void)kind;
    lower(hf_json_text_of(hf_json_get(space, "status"), "phase"), phase, sizeof(phase));
    entity(record, "k8s.namespace", "k8s.namespace.uid", meta(space, "uid"));
    attribute(record, "k8s.namespace.name", meta(space, "name"));
    attribute(record, "k8s.namespace.phase", hf_slice_text(phase[0] != '\0' ? phase : "unknown"));
    attribute(record, "k8s.namespace.creation_timestamp", meta(space, "creationTimestamp"));
}

static void describe_workload(struct record *record, const char *kind, const struct hf_json *object)
{
    char small[64], type[96], key[128];
    lower(hf_slice_text(kind), small, sizeof(small));
    snprintf(type, sizeof(type), "k8s.%s", small);
    kind_key(hf_slice_text(kind), "uid", key);
    entity(record, type, key, meta(object, "uid"));
    attribute(record, "k8s.workload.kind", hf_slice_text(kind));
    attribute(record, "k8s.workload.name", meta(object, "name"));
    snprintf(key, sizeof(key), "%s.creation_timestamp", small);
    attribute(record, key, meta(object, "creationTimestamp"));
    attribute(record, "k8s.namespace.name", meta(object, "namespace"));
    owners(record, object, false);
    const struct hf_json *spec = hf_json_get(object, "spec");
    const struct hf_json *status = hf_json_get(object, "status");
    if (strcmp(kind, "Deployment") == 0) {
        attribute(record, "k8s.deployment.name", meta(object, "name"));
    } else if (strcmp(kind, "StatefulSet") == 0) {
        attribute(record, "current_revision", hf_json_text_of(status, "currentRevision"));
        attribute(record, "update_revision", hf_json_text_of(status, "updateRevision"));
    } else if (strcmp(kind, "CronJob") == 0) {
        attribute(record, "schedule", hf_json_text_of(spec, "schedule"));
        attribute(record, "concurrency_policy", hf_json_text_of(spec, "concurrencyPolicy"));
    }
    labels(record, object);
}

void cluster_entities_describe(struct record *entities, const char *kind,
                               const struct hf_json *object)
{
    static const struct {
        const char *name, *kind;
        void (*describe)(struct record *record, const char *kind, const struct hf_json *object);
    } rows[] = {
        {"pods", "Pod", describe_pod},
        {"nodes", "Node", describe_node},
        {"namespaces", "Namespace", describe_namespace},
        {"replicationcontrollers", "ReplicationController", describe_workload},
        {"deployments", "Deployment", describe_workload},
        {"replicasets", "ReplicaSet", describe_workload},
        {"daemonsets", "DaemonSet", describe_workload},
        {"statefulsets", "StatefulSet", describe_workload},
        {"jobs", "Job", describe_workload},
        {"cronjobs", "CronJob", describe_workload},
        {"horizontalpodautoscalers", "HPA", describe_workload},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, kind) == 0) {
            rows[i].describe(entities, rows[i].kind, object);
        }
    }
}

/* ---- writing ---- */

/* The attributes of an entity that is being written. */
struct pairs {
    struct hf_any_maker maker;
    struct hf_any_pair items[PAIRS_MAX];
    size_t count;
};

/* Of a key the first counts. */
static void add_pair(struct pairs *pairs, struct hf_slice key, struct hf_slice value)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (hf_slice_equal(pairs->items[i].key, key)) {
            return;
        }
    }
    if (pairs->count < PAIRS_MAX) {
        pairs->items[pairs->count++] =
            (struct hf_any_pair){key, hf_any_make_string(&pairs->maker, value)};
    }
}

static struct hf_slice kept_key(struct pairs *pairs, const char *key)
{
    struct hf_slice kept = HF_EMPTY_SLICE;
    size_t size = strlen(key);
    uint8_t *room = hf_arena_take(pairs->maker.arena, size);
    if (room == NULL) {
        pairs->maker.failed = true;
    } else {
        memcpy(room, key, size);
        kept = hf_slice_of(room, size);
    }
    return kept;
}

static bool find_owner(const struct record *entities, struct part *ret_owner)
{
    struct hf_slice rest = bytes_of(entities);
    while (next_part(&rest, ret_owner)) {
        if (ret_owner->kind == OWNER) {
            return true;
        }
    }
    return false;
}

/* A pod of a replica set or a job: as soon as that one is known, its workload is what owns it, or
 * that one itself. */
static void add_workload(struct pairs *pairs, const struct part *direct,
                         const struct entity_writer *writer)
{
    const struct record *known = writer->find(writer->user, direct->texts[0], direct->texts[2]);
    struct part owner;
    char key[128];
    if (known == NULL) {
        return;
    }
    if (!find_owner(known, &owner)) {
        owner = *direct;
    }
    add_pair(pairs, hf_slice_text("k8s.workload.kind"), owner.texts[0]);
    add_pair(pairs, hf_slice_text("k8s.workload.name"), owner.texts[1]);
    kind_key(owner.texts[0], "name", key);
    add_pair(pairs, kept_key(pairs, key), owner.texts[1]);
    kind_key(owner.texts[0], "uid", key);
    add_pair(pairs, kept_key(pairs, key), owner.texts[2]);
}

void cluster_entities_begin(struct entity_writer *writer)
{
    hf_build_resource(writer->builder, hf_slice_text(""));
    hf_build_scope(writer->builder, hf_slice_text(""), hf_slice_text(""));
    hf_build_attribute_bool(writer->builder, hf_slice_text("otel.entity.event_as_log"), true);
}

static void begin_event(struct entity_writer *writer, const struct part *head, const char *type,
                        struct hf_any_maker *maker)
{
    const struct hf_any_pair id = {head->texts[1], hf_any_make_string(maker, head->texts[2])};
    hf_build_log_record(writer->builder, &(struct hf_build_log_record){.time_ns = writer->now_ns});
    hf_build_attribute_value(writer->builder, hf_slice_text("otel.entity.id"),
                             hf_any_make_map(maker, &id, 1));
    hf_build_attribute_string(writer->builder, hf_slice_text("otel.entity.event.type"),
                              hf_slice_text(type));
    hf_build_attribute_string(writer->builder, hf_slice_text("otel.entity.type"), head->texts[0]);
    writer->events++;
}

static void end_state(struct entity_writer *writer, struct pairs *pairs)
{
    if (writer->interval_ns != 0) {
        hf_build_attribute_int(writer->builder, hf_slice_text("otel.entity.interval"),
                               (int64_t)(writer->interval_ns / NS_PER_MS));
    }
    hf_build_attribute_value(writer->builder, hf_slice_text("otel.entity.attributes"),
                             hf_any_make_map(&pairs->maker, pairs->items, pairs->count));
    hf_build_end(writer->builder);
    hf_arena_reset(pairs->maker.arena);
    pairs->count = 0;
}

void cluster_entities_write(const struct record *entities, struct entity_writer *writer)
{
    struct hf_arena arena = {.limit = ARENA_BYTES};
    struct hf_slice rest = bytes_of(entities);
    struct part part;
    bool is_open = false;
    struct pairs pairs = {.maker = {.arena = &arena}};
    while (next_part(&rest, &part)) {
        if (part.kind == ENTITY) {
            if (is_open) {
                end_state(writer, &pairs);
            }
            begin_event(writer, &part, "entity_state", &pairs.maker);
            is_open = true;
        } else if (part.kind == ATTRIBUTE) {
            add_pair(&pairs, part.texts[0], part.texts[1]);
        } else if (part.kind == WORKLOAD) {
            add_workload(&pairs, &part, writer);
        }
    }
    if (is_open) {
        end_state(writer, &pairs);
    }
    hf_arena_release(&arena);
}

void cluster_entities_end(const struct record *entities, struct entity_writer *writer)
{
    struct hf_arena arena = {.limit = ARENA_BYTES};
    struct hf_slice rest = bytes_of(entities);
    struct part part;
    struct hf_any_maker maker = {.arena = &arena};
    while (next_part(&rest, &part)) {
        if (part.kind == ENTITY) {
            begin_event(writer, &part, "entity_delete", &maker);
            hf_build_end(writer->builder);
            hf_arena_reset(&arena);
        }
    }
    hf_arena_release(&arena);
}

static bool has_entity(const struct record *entities, const struct part *wanted)
{
    struct hf_slice rest = entities != NULL ? bytes_of(entities) : HF_EMPTY_SLICE;
    struct part part;
    while (next_part(&rest, &part)) {
        if (part.kind == ENTITY && hf_slice_equal(part.texts[2], wanted->texts[2])) {
            return true;
        }
    }
    return false;
}

void cluster_entities_keep_gone(const struct record *entities, const struct record *kept,
                                struct record *gone)
{
    struct hf_slice rest = bytes_of(entities);
    struct part part;
    while (next_part(&rest, &part)) {
        if (part.kind == ENTITY && !has_entity(kept, &part)) {
            put(gone, ENTITY, part.texts[0], part.texts[1], part.texts[2]);
        }
    }
}
