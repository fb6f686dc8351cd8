/*
 * containers: what a container of Docker offers, as endpoints: each port that it exposes. No state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/observer.h>

#include "json/json.h"

#define DOCKER_PORTS_MAX 1000u /* of one container */

/* How the endpoints are named; part of the configuration. */
struct docker_naming {
    bool uses_hostname, uses_bindings, ignores_unbound;
};

/* The endpoints of an answer to /containers/ID/json, into room for DOCKER_PORTS_MAX; none when it
 * does not run. An item is NULL when there was no memory. */
size_t docker_container_find(const struct docker_naming *naming, const struct hf_json *container,
                             struct hf_endpoint **items);
