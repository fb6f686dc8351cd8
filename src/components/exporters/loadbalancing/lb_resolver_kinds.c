/*
 * lb_resolver_kinds: the list of backends, and which kind of resolver a configuration names.
 */
#include <stdlib.h>
#include <string.h>

#include "lb_resolver.h"

static enum hf_status start_list(struct lb_resolver *resolver, char *reterr)
{
    const struct hf_string_list *names = &resolver->options.config->resolver.fixed->hostnames;
    const char **endpoints = calloc(names->count, sizeof(*endpoints));
    (void)reterr;
    if (endpoints == NULL) {
        return HF_NOMEM;
    }
    memcpy(endpoints, names->items, names->count * sizeof(*endpoints));
    lb_resolver_found(resolver, endpoints, names->count);
    free(endpoints);
    return HF_OK;
}

static void close_list(struct lb_resolver *resolver)
{
    free(resolver);
}

static const struct lb_resolver_ops list_ops = {
    .name = "static", .start = start_list, .close = close_list};

static struct lb_resolver *new_list(void)
{
    struct lb_resolver *resolver = calloc(1, sizeof(*resolver));
    if (resolver != NULL) {
        resolver->ops = &list_ops;
    }
    return resolver;
}

enum hf_status lb_resolver_new(const struct lb_resolver_options *options,
                               struct lb_resolver **ret_resolver)
{
    const struct lb_config *config = options->config;
    struct lb_resolver *resolver = config->resolver.dns != NULL   ? lb_resolver_dns_new()
                                   : config->resolver.k8s != NULL ? lb_resolver_k8s_new()
                                                                  : new_list();
    enum hf_status status = resolver != NULL ? lb_resolver_init(resolver, options) : HF_NOMEM;
    if (status != HF_OK) {
        lb_resolver_close(resolver);
        return status;
    }
    *ret_resolver = resolver;
    return HF_OK;
}
