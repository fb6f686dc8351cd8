/*
 * events: the entities of k8s_cluster as they change, and the events that tell of them.
 */
#include <string.h>

#include "cluster.h"
#include "util/time/clock.h"

#define KINDS_WAIT_NS (10 * HF_NS_PER_S)
#define GONE_BYTES_MAX (4u << 20) /* of entities whose end is not written yet */

int cluster_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool cluster_read_uid(struct hf_slice uid, char ret_uid[HF_KUBE_UID_MAX])
{
    if (uid.size == 0 || uid.size >= HF_KUBE_UID_MAX) {
        return false;
    }
    memcpy(ret_uid, uid.data, uid.size);
    ret_uid[uid.size] = '\0';
    return true;
}

void cluster_note_gone(struct cluster *cluster, const struct record *entities,
                       const struct record *kept)
{
    struct record *gone = &cluster->gone;
    if (gone->bytes.size < GONE_BYTES_MAX) {
        cluster_entities_keep_gone(entities, kept, gone);
    }
    if (gone->failed || gone->bytes.size >= GONE_BYTES_MAX) {
        hf_node_log(cluster->node, HF_LOG_WARN,
                    "the end of some entities is not told: there are too many at once");
        gone->failed = false;
    }
}

void cluster_describe_entities(struct kind *kind, struct object *object, const struct hf_json *json)
{
    struct record before = object->entities;
    object->entities = (struct record){.failed = false};
    cluster_entities_describe(&object->entities, kind->what->name, json);
    cluster_note_gone(kind->cluster, &before, &object->entities);
    hf_bytes_release(&before.bytes);
    object->is_changed = true;
}

static bool is_all_known(const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->kind_count; i++) {
        if (!cluster->kinds[i].is_known) {
            return false;
        }
    }
    return true;
}

static const struct record *find_entities(void *user, struct hf_slice kind, struct hf_slice uid)
{
    struct cluster *cluster = user;
    const char *name = hf_slice_is(kind, "Job") ? "jobs" : "replicasets";
    char key[HF_KUBE_UID_MAX];
    for (size_t i = 0; cluster_read_uid(uid, key) && i < cluster->kind_count; i++) {
        struct object **found = NULL;
        if (strcmp(cluster->kinds[i].what->name, name) == 0) {
            found = tfind(key, &cluster->kinds[i].objects, cluster_compare);
        }
        if (found != NULL) {
            return &(*found)->entities;
        }
    }
    return NULL;
}

static void write_entities(const void *node, VISIT visit, void *user)
{
    struct object *object = *(struct object *const *)node;
    struct cluster *cluster = user;
    if ((visit == postorder || visit == leaf) && (object->is_changed || cluster->tells_all)) {
        cluster_entities_write(&object->entities, cluster->events);
        object->is_changed = false;
    }
}

/* What a pod belongs to stands in another kind, so that all are waited for; but not for ever, since
 * one of them may be forbidden. */
static bool is_ready(struct cluster *cluster, uint64_t now_ns)
{
    cluster->waits_since_ns = cluster->waits_since_ns != 0 ? cluster->waits_since_ns : now_ns;
    return is_all_known(cluster) || now_ns - cluster->waits_since_ns > KINDS_WAIT_NS;
}

static void write_events(void *user)
{
    struct cluster *cluster = user;
    uint64_t now_ns = cluster->events->now_ns, interval_ns = cluster->events->interval_ns;
    if (!is_ready(cluster, now_ns)) {
        return;
    }
    cluster->tells_all = cluster->told_ns == 0 || now_ns < cluster->told_ns ||
                         (interval_ns != 0 && now_ns - cluster->told_ns >= interval_ns);
    cluster->told_ns = cluster->tells_all ? now_ns : cluster->told_ns;
    cluster_entities_begin(cluster->events);
    cluster_entities_end(&cluster->gone, cluster->events);
    cluster->gone.bytes.size = 0;
    for (size_t i = 0; i < cluster->kind_count; i++) {
        if (cluster->kinds[i].is_known) {
            twalk_r(cluster->kinds[i].objects, write_entities, cluster);
        }
    }
}

void cluster_tell_entities(void *user, struct hf_scrape *scrape)
{
    struct cluster *cluster = user;
    struct entity_writer writer = {
        .builder = scrape->builder,
        .now_ns = scrape->now_ns,
        .interval_ns = cluster->config->metadata_interval_ns,
        .find = find_entities,
        .user = cluster,
    };
    cluster->events = &writer;
    hf_kube_client_run(cluster->client, write_events, cluster);
    cluster->events = NULL;
    hf_scrape_count(scrape, 0, writer.events);
}
