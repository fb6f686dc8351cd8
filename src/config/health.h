/*
 * health: a health check that the environment asks for. An image sets it, so that the probes of a
 * manifest are answered whatever the configuration says. The loading thread.
 */
#pragma once

#include "tree.h"

/* HOLDFAST_HEALTH=host:port: when no health check is among service::extensions, adds
 * health_check/environment with that endpoint. `root` is merged and expanded. */
void hf_config_add_health(struct hf_load *load, struct hf_yaml *root);
