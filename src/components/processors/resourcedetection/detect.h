/*
 * detect: what one detector finds out about where the process runs. Each run has a thread, memory
 * and connections of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/any_make.h"
#include "pdata/attributes.h"
#include "support/items/resource_conversion.h"
#include "util/arena.h"

/* The section of a detector; each has the fields that its table in resourcedetection.c names. */
struct hf_detector_config {
    struct hf_struct_map resource_attributes; /* of struct hf_detector_attribute_config */
    struct hf_string_list hostname_sources, tags, labels;
    int64_t max_attempts;
    uint64_t max_backoff_ns;
    bool tags_from_imds, fail_on_missing_metadata;
    const char *node_from_env_var, *auth_type;
    const char *protocol;                                               /* of ibmcloud_vpc */
    const char *address, *datacenter, *token, *token_file, *name_space; /* of consul */
    struct hf_string_map meta;                                          /* of consul: the keys */
    struct hf_resource_conversion attributes;                           /* of env */
};

struct hf_detector_attribute_config {
    bool enabled;
};

/* An attribute that a detector knows. */
struct hf_detector_attribute {
    const char *name; /* NULL ends */
    bool is_off;      /* unless it is asked for */
};

struct hf_detection;
struct hf_metadata_service;

struct hf_detector {
    const char *name;
    const struct hf_detector_attribute *attributes; /* NULL: they have no names beforehand */
    const struct hf_metadata_service *service;      /* its values are attributes too; NULL: none */
    /*
     * Sets what it finds. HF_OK: that is all, nothing too when it runs elsewhere; HF_NOT_FOUND: the
     * service that would tell does not answer; others: it failed, as `why` says.
     */
    enum hf_status (*detect)(struct hf_detection *detection);
};

extern const struct hf_detector hf_detector_env, hf_detector_system, hf_detector_docker;
extern const struct hf_detector hf_detector_ec2, hf_detector_ecs, hf_detector_eks;
extern const struct hf_detector hf_detector_lambda, hf_detector_elastic_beanstalk;
extern const struct hf_detector hf_detector_gcp, hf_detector_azure, hf_detector_aks;
extern const struct hf_detector hf_detector_k8snode, hf_detector_k8s_api, hf_detector_kubeadm;
extern const struct hf_detector hf_detector_openshift, hf_detector_heroku, hf_detector_dynatrace;
extern const struct hf_detector hf_detector_azureappservice, hf_detector_azurefunctions;
extern const struct hf_detector hf_detector_azurecontainerapps, hf_detector_consul;
extern const struct hf_detector hf_detector_akamai, hf_detector_alibaba_ecs;
extern const struct hf_detector hf_detector_digitalocean, hf_detector_hetzner;
extern const struct hf_detector hf_detector_ibmcloud_classic, hf_detector_ibmcloud_vpc;
extern const struct hf_detector hf_detector_nova, hf_detector_oraclecloud, hf_detector_scaleway;
extern const struct hf_detector hf_detector_tencent_cvm, hf_detector_upcloud, hf_detector_vultr;

/* Has the detector that attribute? `ret_is_off`: unless it is asked for. */
bool hf_detector_knows(const struct hf_detector *detector, const char *name, bool *ret_is_off);

#define HF_DETECTION_HEADERS_MAX 4

/* One request, answered with 200 within the detection's time. */
struct hf_detection_call {
    const char *method; /* NULL: GET */
    const char *url;
    struct hf_header headers[HF_DETECTION_HEADERS_MAX];
    size_t header_count;
    const char *body;                  /* JSON; NULL: none */
    const char *unix_socket, *ca_file; /* NULL: none */
};

#define HF_DETECTION_WHY_MAX 256
#define HF_DETECTION_LIMIT_BYTES (4u << 20)

struct hf_detection {
    const struct hf_detector *detector;
    const struct hf_detector_config *config;
    uint64_t deadline_ns; /* monotonic */
    const char *root;     /* the paths of files begin there; NULL: at "/" */
    /* Answers requests; NULL: HTTP does. */
    enum hf_status (*fetch)(struct hf_detection *detection, const struct hf_detection_call *call,
                            struct hf_slice *ret_body);
    struct hf_arena arena;
    struct hf_any_maker maker;
    struct hf_attributes found; /* in memory of the arena */
    char why[HF_DETECTION_WHY_MAX];
};

/* Sets an attribute, unless the configuration has switched it off or the text is empty. */
void hf_detection_set(struct hf_detection *detection, const char *name, struct hf_slice text);
void hf_detection_set_text(struct hf_detection *detection, const char *name, const char *text);
/* Likewise, with a value made by `maker`. */
void hf_detection_set_value(struct hf_detection *detection, const char *name,
                            struct hf_slice value);
/* One whose name was found out too: a tag. */
void hf_detection_set_named(struct hf_detection *detection, const char *prefix,
                            struct hf_slice name, struct hf_slice text);
bool hf_detection_wants(const struct hf_detection *detection, const char *name);

/* Does the text match one of the patterns? */
bool hf_detection_matches(const struct hf_string_list *patterns, struct hf_slice text);

/* A variable of the environment; `otherwise` if it is not set or empty. */
const char *hf_detection_env(const char *name, const char *otherwise);

/* Text in the detection's memory, as by printf; "" when there is none. */
const char *hf_detection_text(struct hf_detection *detection, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The text without the white space at its ends. */
struct hf_slice hf_detection_trimmed(struct hf_slice text);
/* A file's first bytes, without white space at its ends; empty: it cannot be read. */
struct hf_slice hf_detection_file(struct hf_detection *detection, const char *path);

/* HF_NOT_FOUND: no answer, or another code than 200, as `why` says. The body is the detection's. */
HF_MUST_USE enum hf_status hf_detection_fetch(struct hf_detection *detection,
                                              const struct hf_detection_call *call,
                                              struct hf_slice *ret_body);
/* The same, of JSON. HF_INVALID: it is none. */
HF_MUST_USE enum hf_status hf_detection_fetch_json(struct hf_detection *detection,
                                                   const struct hf_detection_call *call,
                                                   struct hf_slice *ret_value);
