/*
 * lb_resolver_dns: the addresses of a name, looked up at an interval. A look-up that takes longer
 * than its timeout is given up; its answer is not used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "grpc/resolve.h"
#include "lb_resolver.h"
#include "util/loop.h"

#define DEFAULT_INTERVAL_NS UINT64_C(5000000000)
#define DEFAULT_TIMEOUT_NS UINT64_C(1000000000)
#define ADDRESS_TEXT_MAX 64
#define NO_PORT "4317" /* any: it is left out of the names then */

struct dns {
    struct lb_resolver resolver; /* first */
    struct hf_loop *loop;
    struct hf_grpc_target target;
    struct hf_grpc_lookup *lookup; /* NULL: none is under way */
    struct hf_timer timer;         /* of the next look-up, or of the timeout of this one */
    uint64_t begun_ns;
};

static uint64_t or_default(uint64_t configured_ns, uint64_t default_ns)
{
    return configured_ns != 0 ? configured_ns : default_ns;
}

static void set_timer(struct dns *dns, uint64_t due_ns)
{
    enum hf_status status = hf_loop_timer_set(dns->loop, &dns->timer, due_ns);
    (void)status; /* the first 64 timers of a loop cannot fail */
}

static void wait_for_next(struct dns *dns)
{
    const struct lb_dns_config *config = dns->resolver.options.config->resolver.dns;
    uint64_t next_ns = dns->begun_ns + or_default(config->interval_ns, DEFAULT_INTERVAL_NS);
    uint64_t now_ns = hf_loop_now_ns(dns->loop);
    set_timer(dns, next_ns > now_ns ? next_ns : now_ns + 1);
}

static void on_found(void *user, const struct hf_grpc_lookup_result *result)
{
    struct dns *dns = user;
    char texts[HF_GRPC_ADDRESSES_MAX][ADDRESS_TEXT_MAX];
    const char *endpoints[HF_GRPC_ADDRESSES_MAX];
    const struct lb_dns_config *config = dns->resolver.options.config->resolver.dns;
    dns->lookup = NULL;
    for (size_t i = 0; i < result->count; i++) {
        hf_grpc_address_describe(&result->addresses[i], texts[i], sizeof(texts[i]));
        if (config->port[0] == '\0') {
            *strrchr(texts[i], ':') = '\0';
        }
        endpoints[i] = texts[i];
    }
    if (result->count != 0) {
        lb_resolver_found(&dns->resolver, endpoints, result->count);
    } else {
        lb_resolver_missed(&dns->resolver, result->error);
    }
    wait_for_next(dns);
}

static void begin(struct dns *dns)
{
    const struct lb_dns_config *config = dns->resolver.options.config->resolver.dns;
    dns->begun_ns = hf_loop_now_ns(dns->loop);
    if (hf_grpc_resolve_start(dns->loop, &dns->target, on_found, dns, &dns->lookup) != HF_OK) {
        dns->lookup = NULL;
        lb_resolver_missed(&dns->resolver, "out of memory");
        wait_for_next(dns);
        return;
    }
    set_timer(dns, dns->begun_ns + or_default(config->timeout_ns, DEFAULT_TIMEOUT_NS));
}

static void on_timer(struct hf_timer *timer, uint64_t now_ns)
{
    struct dns *dns = HF_CONTAINER(timer, struct dns, timer);
    (void)now_ns;
    if (dns->lookup == NULL) {
        begin(dns);
        return;
    }
    char why[320];
    hf_grpc_resolve_cancel(dns->lookup);
    dns->lookup = NULL;
    snprintf(why, sizeof(why), "looking up %s took too long", dns->target.host);
    lb_resolver_missed(&dns->resolver, why);
    wait_for_next(dns);
}

static enum hf_status start_dns(struct lb_resolver *resolver, char *reterr)
{
    struct dns *dns = (struct dns *)(void *)resolver;
    const struct lb_dns_config *config = resolver->options.config->resolver.dns;
    if (strlen(config->hostname) >= sizeof(dns->target.host)) {
        snprintf(reterr, HF_ERROR_MAX, "resolver::dns::hostname is too long");
        return HF_INVALID;
    }
    snprintf(dns->target.host, sizeof(dns->target.host), "%s", config->hostname);
    snprintf(dns->target.port, sizeof(dns->target.port), "%.6s",
             config->port[0] != '\0' ? config->port : NO_PORT);
    dns->loop = hf_node_own_loop(resolver->options.node);
    dns->timer.fire = on_timer;
    begin(dns);
    return HF_OK;
}

static void close_dns(struct lb_resolver *resolver)
{
    struct dns *dns = (struct dns *)(void *)resolver;
    if (dns->lookup != NULL) {
        hf_grpc_resolve_cancel(dns->lookup);
    }
    if (dns->loop != NULL) {
        hf_loop_timer_stop(dns->loop, &dns->timer);
    }
    free(dns);
}

static const struct lb_resolver_ops dns_ops = {
    .name = "dns", .start = start_dns, .close = close_dns};

struct lb_resolver *lb_resolver_dns_new(void)
{
    struct dns *dns = calloc(1, sizeof(*dns));
    if (dns == NULL) {
        return NULL;
    }
    dns->resolver.ops = &dns_ops;
    return &dns->resolver;
}
