#include "host_scope.h"

#include <string.h>
#include <strings.h>

/* The beginnings that the Go collector's sigv4auth knows, and the endpoints for OTLP. */
static const struct {
    const char *begins, *service;
} hosts[] = {
    {"aps-workspaces", "aps"},     {"search-", "es"}, {"logs.", "logs"}, {"xray.", "xray"},
    {"monitoring.", "monitoring"},
};

static const char *service_of(const char *host)
{
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (strncasecmp(host, hosts[i].begins, strlen(hosts[i].begins)) == 0) {
            return hosts[i].service;
        }
    }
    return NULL;
}

bool hf_aws_host_scope(const char *url, struct hf_aws_host_scope *ret)
{
    *ret = (struct hf_aws_host_scope){.service = ""};
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + 3;
    const char *service = service_of(host);
    const char *first_dot = host + strcspn(host, "./:?#");
    if (service == NULL || *first_dot != '.') {
        return false;
    }
    const char *region = first_dot + 1;
    size_t size = strcspn(region, "./:?#");
    if (size == 0 || size >= sizeof(ret->region) || region[size] != '.') {
        return false;
    }
    memcpy(ret->region, region, size);
    ret->service = service;
    return true;
}
