/*
 * settings: the configuration of `resourcedetection`, and the detectors that it may name. Immutable
 * after start.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "detect.h"

/* Each detector's place in hf_detectors_known and among the sections. */
enum {
    ENV,
    SYSTEM,
    DOCKER,
    EC2,
    ECS,
    EKS,
    LAMBDA,
    ELASTIC_BEANSTALK,
    GCP,
    AZURE,
    AKS,
    K8SNODE,
    K8S_API,
    KUBEADM,
    OPENSHIFT,
    HEROKU,
    DYNATRACE,
    AZUREAPPSERVICE,
    AZURECONTAINERAPPS,
    AZUREFUNCTIONS,
    CONSUL,
    AKAMAI,
    ALIBABA_ECS,
    DIGITALOCEAN,
    HETZNER,
    IBMCLOUD_CLASSIC,
    IBMCLOUD_VPC,
    NOVA,
    ORACLECLOUD,
    SCALEWAY,
    TENCENT_CVM,
    UPCLOUD,
    VULTR,
    HF_DETECTOR_COUNT
};

struct hf_detection_retry_config {
    bool enabled;
    uint64_t initial_interval_ns, max_interval_ns, max_elapsed_time_ns;
    double multiplier, randomization_factor;
};

struct hf_resourcedetection_config {
    struct hf_string_list detectors, attributes;
    bool override, fail_on_missing_metadata;
    uint64_t timeout_ns, refresh_interval_ns;
    struct hf_detection_retry_config retry;
    struct hf_detector_config sections[HF_DETECTOR_COUNT];
};

extern const struct hf_detector *const hf_detectors_known[HF_DETECTOR_COUNT];
/* Of a detector by one of its names, which were checked. */
size_t hf_detector_index(const char *name);

extern const struct hf_field hf_resourcedetection_fields[];
/* NULL, or what is wrong. */
const char *hf_resourcedetection_check(const void *config);
