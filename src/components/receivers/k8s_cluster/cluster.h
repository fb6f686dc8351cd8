/*
 * cluster: the receiver k8s_cluster and what it keeps: its own files' matter alone.
 */
#pragma once

#include <search.h>

#include <holdfast/component.h>

#include "entities.h"
#include "kubernetes/known.h"
#include "kubernetes/watch.h"
#include "objects.h"
#include "support/scrape/only_leader.h"
#include "support/scrape/scraper.h"

#define NAME_MAX_BYTES 128u /* of a metric whose name comes from the configuration */

enum { KUBERNETES = 0, OPENSHIFT };

struct cluster_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_kube_config kube;
    struct cluster_wanted wanted;
    int64_t distribution;
    struct hf_string_list namespaces;
    const char *space, *elector;
    uint64_t metadata_interval_ns;
    struct hf_metric_choice metrics[CLUSTER_METRIC_COUNT];
    struct hf_resource_choice resources[CLUSTER_RESOURCE_COUNT];
};

struct object {
    char uid[HF_KUBE_UID_MAX]; /* first: what the tree compares */
    struct record record;
    struct record entities; /* empty when no pipeline of logs wants them */
    bool is_changed;        /* since its entities were written */
};

struct cluster;

/* The objects of one kind, in one namespace or in all. */
struct kind {
    struct hf_kube_listener listener;
    struct cluster *cluster;
    const struct cluster_kind *what;
    const char *space; /* NULL: all */
    void *objects;     /* a tree of struct object */
    bool is_known;     /* all of them */
};

struct cluster {
    struct hf_node *node;
    const struct cluster_config *config;
    struct hf_kube_client *client;
    struct hf_scraper *scraper;  /* of the metrics; NULL: no pipeline wants them */
    struct hf_scraper *entities; /* of the events; NULL: likewise */
    struct hf_scraper_config entity_times;
    struct hf_only_leader only_leader;
    struct hf_metric_row *extra;         /* of conditions, then of allocatable resources */
    char (*extra_names)[NAME_MAX_BYTES]; /* of each its name, then its unit */
    uint64_t begun_ns;
    struct kind *kinds;
    size_t kind_count;
    struct record_writer *writer; /* of the scrape that runs; the client's thread */
    struct entity_writer *events; /* likewise */
    struct record gone;           /* entities whose end is to be written; the client's thread */
    uint64_t told_ns;             /* when all entities were written; 0: never */
    uint64_t waits_since_ns;      /* for all kinds; 0: not yet */
    bool tells_all;               /* the scrape that runs */
};

/* ---- events.c ---- */

/* Compares the uids of two objects. */
int cluster_compare(const void *a, const void *b);
/* False: it is no uid. */
bool cluster_read_uid(struct hf_slice uid, char ret_uid[HF_KUBE_UID_MAX]);

/* Those that are not among `kept` (NULL: all) have come to their end. The client's thread. */
void cluster_note_gone(struct cluster *cluster, const struct record *entities,
                       const struct record *kept);
/* What the object is now. The client's thread. */
void cluster_describe_entities(struct kind *kind, struct object *object,
                               const struct hf_json *json);
/* A scrape: the events that are due. `user`: the cluster. */
void cluster_tell_entities(void *user, struct hf_scrape *scrape);
