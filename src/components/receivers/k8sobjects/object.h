/*
 * object: an object of a Kubernetes cluster as a log record, whose body is the object.
 */
#pragma once

#include <stdint.h>

#include "pdata/build.h"
#include "util/arena.h"
#include "json/json.h"

struct k8s_object {
    const char *resource; /* "pods" */
    const char *change;   /* "ADDED": of a watch; NULL: it was pulled */
    struct hf_slice uid;
    const struct hf_json *object; /* NULL: it vanished, and only its uid is known */
    uint64_t observed_ns;
};

/* Writes a resource, a scope and one record. `arena` is for the body's making. */
void k8s_object_build(struct hf_builder *builder, struct hf_arena *arena,
                      const struct k8s_object *what);
