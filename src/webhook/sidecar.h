/*
 * sidecar: the container that is injected and its volumes, as JSON. Owned by one thread.
 */
#pragma once

#include "inject.h"
#include "pdata/json_write.h"

#define HF_SIDECAR_QUEUE "holdfast-queue" /* names of volumes */
#define HF_SIDECAR_CONFIG "holdfast-config"

/* A variable whose value is a field of the pod, and one with a value. */
void hf_sidecar_field(struct hf_json_writer *writer, const char *name, const char *path);
void hf_sidecar_value(struct hf_json_writer *writer, const char *name, struct hf_slice value);

void hf_sidecar_container(const struct hf_inject_options *options, struct hf_json_writer *writer);
void hf_sidecar_queue_volume(const struct hf_inject_options *options,
                             struct hf_json_writer *writer);
/* Only of a configuration that is mounted. */
void hf_sidecar_config_volume(const struct hf_inject_options *options,
                              struct hf_json_writer *writer);
