/*
 * lb_service_name: the name of a Kubernetes Service as configurations have it. Pure; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/status.h>

struct lb_service_name {
    char name[64];       /* both have at most 63 characters */
    char name_space[64]; /* "": not given */
};

/* name, name.namespace, or name.namespace.svc.DOMAIN. False: none of them. */
HF_MUST_USE bool lb_service_name_parse(const char *text, struct lb_service_name *ret_name);
