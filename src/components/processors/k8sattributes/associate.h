/*
 * associate: by which values a resource's pod is found, and what is extracted: the configuration's
 * rules, compiled. Immutable after; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/attributes.h"
#include "table.h"

#define K8S_SOURCES_MAX 4u
#define K8S_RULES_MAX 64u

/* X(bit, attribute, default): all of extract.metadata. */
#define K8S_METADATA(X)                                                                            \
    X(NAMESPACE_NAME, "k8s.namespace.name", true)                                                  \
    X(POD_NAME, "k8s.pod.name", true)                                                              \
    X(POD_UID, "k8s.pod.uid", true)                                                                \
    X(POD_START_TIME, "k8s.pod.start_time", true)                                                  \
    X(POD_HOSTNAME, "k8s.pod.hostname", false)                                                     \
    X(POD_IP, "k8s.pod.ip", false)                                                                 \
    X(DEPLOYMENT_NAME, "k8s.deployment.name", true)                                                \
    X(DEPLOYMENT_UID, "k8s.deployment.uid", false)                                                 \
    X(REPLICASET_NAME, "k8s.replicaset.name", false)                                               \
    X(REPLICASET_UID, "k8s.replicaset.uid", false)                                                 \
    X(DAEMONSET_NAME, "k8s.daemonset.name", false)                                                 \
    X(DAEMONSET_UID, "k8s.daemonset.uid", false)                                                   \
    X(STATEFULSET_NAME, "k8s.statefulset.name", false)                                             \
    X(STATEFULSET_UID, "k8s.statefulset.uid", false)                                               \
    X(JOB_NAME, "k8s.job.name", false)                                                             \
    X(JOB_UID, "k8s.job.uid", false)                                                               \
    X(CRONJOB_NAME, "k8s.cronjob.name", false)                                                     \
    X(CRONJOB_UID, "k8s.cronjob.uid", false)                                                       \
    X(NODE_NAME, "k8s.node.name", true)                                                            \
    X(NODE_UID, "k8s.node.uid", false)                                                             \
    X(CLUSTER_UID, "k8s.cluster.uid", false)                                                       \
    X(CONTAINER_NAME, "k8s.container.name", false)                                                 \
    X(CONTAINER_ID, "container.id", false)                                                         \
    X(IMAGE_NAME, "container.image.name", true)                                                    \
    X(IMAGE_TAG, "container.image.tag", true)                                                      \
    X(IMAGE_TAGS, "container.image.tags", false)                                                   \
    X(IMAGE_DIGESTS, "container.image.repo_digests", false)                                        \
    X(SERVICE_NAME, "service.name", false)                                                         \
    X(SERVICE_NAMESPACE, "service.namespace", false)                                               \
    X(SERVICE_VERSION, "service.version", false)                                                   \
    X(SERVICE_INSTANCE_ID, "service.instance.id", false)

enum k8s_metadata {
#define K8S_METADATA_BIT(bit, name, is_default) K8S_##bit,
    K8S_METADATA(K8S_METADATA_BIT) K8S_METADATA_COUNT
};

struct k8s_source {
    bool is_connection;
    struct hf_slice name; /* of the attribute */
};

struct k8s_rule {
    struct k8s_source sources[K8S_SOURCES_MAX];
    size_t source_count;
};

struct k8s_config;

struct k8s_associations {
    struct k8s_rule rules[K8S_RULES_MAX];
    size_t count; /* 0: the built-in chain */
};

/* The configuration's strings are borrowed; it has passed its check. */
void k8s_associations_compile(const struct k8s_config *config, struct k8s_associations *ret);

/* The texts of a key while it is put together. */
struct k8s_key {
    uint8_t bytes[K8S_KEY_MAX];
    size_t size; /* 0: too long */
};

/* The key of an object by its uid or name, and of a pod by its address. */
void k8s_key_begin(struct k8s_key *key, char kind, uint8_t number);
void k8s_key_add(struct k8s_key *key, struct hf_slice text);
#define K8S_KEY_OF_UID 'u'     /* number: enum k8s_kind */
#define K8S_KEY_OF_NAME 'n'    /* likewise: of namespaces and nodes */
#define K8S_KEY_OF_ADDRESS 'i' /* number 0 */
#define K8S_KEY_OF_RULE 'r'    /* number of the rule; then the value of each source */

static inline struct hf_slice k8s_key_slice(const struct k8s_key *key)
{
    return hf_slice_of(key->bytes, key->size);
}

/* "10.0.0.7" of "10.0.0.7:51234", "[::ffff:10.0.0.7]:51234"; empty when it is no address. `room`
 * lends memory. */
#define K8S_ADDRESS_MAX 64u
struct hf_slice k8s_address_of_peer(struct hf_slice peer, char room[K8S_ADDRESS_MAX]);
/* Is the text an IP address? */
bool k8s_is_address(struct hf_slice text);

/* The text of a string attribute; empty when it is none. */
struct hf_slice k8s_attribute_text(const struct hf_attributes *attributes, struct hf_slice key);

/*
 * Which pod is it? False: nothing tells. `ret_address` is the address by which it is known, empty
 * when another value decides.
 */
HF_MUST_USE bool k8s_associate(const struct k8s_associations *associations,
                               const struct hf_attributes *attributes, struct hf_slice connection,
                               struct k8s_key *ret_key, struct hf_slice *ret_address);
