/*
 * source_dns: targets by the records of names, looked up at an interval on a thread of its own, as
 * a lookup blocks. While a name cannot be looked up its targets stay.
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "util/time/clock.h"

#define ANSWER_BYTES_MAX 65536
#define RECORDS_MAX 4096 /* of a name */
#define NAME_BYTES_MAX 1025
#define LOOKUP_TIMEOUT_S 2

/* The records of each type: where the name of a host stands in them, and its label. */
static const struct {
    int type;
    size_t bytes_before;
    const char *target_label; /* NULL: they have an address */
} kinds[] = {
    [PROM_DNS_A] = {.type = ns_t_a},
    [PROM_DNS_AAAA] = {.type = ns_t_aaaa},
    [PROM_DNS_SRV] = {ns_t_srv, 6, "__meta_dns_srv_record_target"},
    [PROM_DNS_MX] = {ns_t_mx, 2, "__meta_dns_mx_record_target"},
    [PROM_DNS_NS] = {ns_t_ns, 0, "__meta_dns_ns_record_target"},
};

/* What was found of one name; owned by the thread of lookups while one is running. */
struct name_state {
    struct prom_found *found;
    size_t count;
    struct hf_arena arena;
    bool is_new; /* since it was told last */
    char why[128];
};

struct dns_source {
    struct prom_source source; /* first */
    const struct prom_dns_sd *config;
    struct hf_loop *worker;
    bool has_thread;
    struct hf_timer timer;
    uint64_t interval_ns;
    struct hf_task look, looked; /* to the worker, and back */
    struct name_state *names, *fresh;
    struct prom_found *all;
    bool has_ended;
};

/* ---- the thread of lookups ---- */

static struct hf_slice copy(struct hf_arena *arena, const char *text)
{
    size_t size = strlen(text);
    char *room = hf_arena_take(arena, size + 1);
    if (room == NULL) {
        return HF_EMPTY_SLICE;
    }
    memcpy(room, text, size + 1);
    return hf_slice_of(room, size);
}

static struct hf_prom_label label(struct name_state *state, const char *name, const char *value)
{
    return (struct hf_prom_label){hf_slice_text(name), copy(&state->arena, value)};
}

/* `target_label` says the host, as the record has it, with a dot at its end; NULL: the record is
 * an address. */
static void add_target(struct name_state *state, const char *name, const char *host, unsigned port,
                       const char *target_label)
{
    char text[NAME_BYTES_MAX + 16];
    struct hf_prom_label *labels = hf_arena_take(&state->arena, 4 * sizeof(*labels));
    bool is_v6 = strchr(host, ':') != NULL;
    if (labels == NULL || state->count == RECORDS_MAX) {
        return;
    }
    size_t count = 0;
    snprintf(text, sizeof(text), is_v6 ? "[%s]:%u" : "%s:%u", host, port);
    labels[count++] = label(state, "__address__", text);
    labels[count++] = label(state, "__meta_dns_name", name);
    if (target_label != NULL) {
        snprintf(text, sizeof(text), "%s.", host);
        labels[count++] = label(state, target_label, text);
    }
    if (target_label == kinds[PROM_DNS_SRV].target_label) {
        snprintf(text, sizeof(text), "%u", port);
        labels[count++] = label(state, "__meta_dns_srv_record_port", text);
    }
    state->found[state->count++] = (struct prom_found){labels, count};
}

/* One record of the answer. */
static void take_record(struct name_state *state, const struct prom_dns_sd *config,
                        const char *name, ns_msg message, ns_rr record)
{
    char host[NAME_BYTES_MAX];
    const unsigned char *data = ns_rr_rdata(record);
    unsigned port = (unsigned)config->port;
    const char *target_label = kinds[config->type].target_label;
    size_t skip = kinds[config->type].bytes_before;
    size_t size = ns_rr_rdlen(record);
    if ((int)ns_rr_type(record) != kinds[config->type].type || size <= skip) {
        return;
    }
    if (target_label != NULL) {
        bool is_good = dn_expand(ns_msg_base(message), ns_msg_end(message), data + skip, host,
                                 sizeof(host)) > 0;
        if (config->type == PROM_DNS_SRV) {
            port = (unsigned)ns_get16(data + 4);
        }
        if (is_good) {
            add_target(state, name, host, port, target_label);
        }
    } else if (size == (config->type == PROM_DNS_A ? 4 : 16)) {
        inet_ntop(config->type == PROM_DNS_A ? AF_INET : AF_INET6, data, host, sizeof(host));
        add_target(state, name, host, port, NULL);
    }
}

static void look_up(const struct prom_dns_sd *config, const char *name, struct name_state *state)
{
    struct __res_state resolver;
    unsigned char *answer = malloc(ANSWER_BYTES_MAX);
    *state = (struct name_state){.arena = {.limit = 16u << 20}};
    state->found = hf_arena_take(&state->arena, RECORDS_MAX * sizeof(*state->found));
    memset(&resolver, 0, sizeof(resolver));
    if (answer == NULL || state->found == NULL || res_ninit(&resolver) != 0) {
        snprintf(state->why, sizeof(state->why), "out of memory");
        free(answer);
        return;
    }
    resolver.retrans = LOOKUP_TIMEOUT_S;
    resolver.retry = 1;
    int size =
        res_nsearch(&resolver, name, ns_c_in, kinds[config->type].type, answer, ANSWER_BYTES_MAX);
    bool is_empty =
        size < 0 && (resolver.res_h_errno == HOST_NOT_FOUND || resolver.res_h_errno == NO_DATA);
    res_nclose(&resolver);
    ns_msg message;
    if (size < 0 && !is_empty) {
        snprintf(state->why, sizeof(state->why), "no server answered the lookup");
    } else if (size >= 0 && ns_initparse(answer, size, &message) != 0) {
        snprintf(state->why, sizeof(state->why), "the answer is malformed");
    } else {
        int count = size >= 0 ? ns_msg_count(message, ns_s_an) : 0;
        for (int i = 0; i < count; i++) {
            ns_rr record;
            if (ns_parserr(&message, ns_s_an, i, &record) == 0) {
                take_record(state, config, name, message, record);
            }
        }
        state->is_new = true;
    }
    free(answer);
}

static void look(struct hf_task *task)
{
    struct dns_source *dns = HF_CONTAINER(task, struct dns_source, look);
    for (size_t i = 0; i < dns->config->names.count; i++) {
        look_up(dns->config, dns->config->names.items[i], &dns->fresh[i]);
    }
    hf_loop_post(dns->source.job->receiver->loop, &dns->looked);
}

/* ---- the receiver's thread ---- */

static void report(struct dns_source *dns)
{
    size_t count = 0;
    for (size_t i = 0; i < dns->config->names.count; i++) {
        count += dns->names[i].count;
    }
    struct prom_found *all = calloc(count + 1, sizeof(*all));
    if (all == NULL) {
        return;
    }
    size_t used = 0;
    for (size_t i = 0; i < dns->config->names.count; i++) {
        for (size_t k = 0; k < dns->names[i].count; k++) {
            all[used++] = dns->names[i].found[k];
        }
    }
    prom_source_report(&dns->source, all, count);
    free(dns->all);
    dns->all = all;
}

static void looked(struct hf_task *task)
{
    struct dns_source *dns = HF_CONTAINER(task, struct dns_source, looked);
    for (size_t i = 0; i < dns->config->names.count; i++) {
        struct name_state old = dns->fresh[i];
        if (dns->fresh[i].is_new) {
            old = dns->names[i];
            dns->names[i] = dns->fresh[i];
        } else if (!dns->has_ended) {
            prom_source_say(&dns->source, dns->config->names.items[i], dns->fresh[i].why);
        }
        dns->fresh[i] = old; /* freed below, when its targets are no more */
    }
    if (!dns->has_ended) {
        report(dns);
        if (hf_loop_timer_set(dns->source.job->receiver->loop, &dns->timer,
                              hf_clock_monotonic_ns() + dns->interval_ns) != HF_OK) {
            prom_source_say(&dns->source, "its names", "out of memory");
        }
    }
    for (size_t i = 0; i < dns->config->names.count; i++) {
        hf_arena_release(&dns->fresh[i].arena);
        dns->fresh[i] = (struct name_state){0};
    }
}

static void fire(struct hf_timer *timer, uint64_t now_ns)
{
    struct dns_source *dns = HF_CONTAINER(timer, struct dns_source, timer);
    (void)now_ns;
    hf_loop_post(dns->worker, &dns->look);
}

static void start(struct prom_source *source)
{
    struct dns_source *dns = (struct dns_source *)source;
    dns->has_thread = hf_loop_start_thread(dns->worker, "prom-dns") == HF_OK;
    if (dns->has_thread) {
        hf_loop_post(dns->worker, &dns->look);
    } else {
        prom_source_say(source, "its names", "no thread could be started");
    }
}

static void stop(struct prom_source *source)
{
    struct dns_source *dns = (struct dns_source *)source;
    dns->has_ended = true;
    hf_loop_timer_stop(source->job->receiver->loop, &dns->timer);
    if (dns->has_thread) {
        hf_loop_join(dns->worker); /* a lookup takes some seconds at most */
        dns->has_thread = false;
    }
}

static void free_source(struct prom_source *source)
{
    struct dns_source *dns = (struct dns_source *)source;
    if (dns->worker != NULL) {
        hf_loop_free(dns->worker);
    }
    for (size_t i = 0; i < dns->config->names.count; i++) {
        if (dns->names != NULL && dns->fresh != NULL) {
            hf_arena_release(&dns->names[i].arena);
            hf_arena_release(&dns->fresh[i].arena);
        }
    }
    free(dns->names);
    free(dns->fresh);
    free(dns->all);
    free(dns);
}

struct prom_source *prom_source_dns(struct prom_job_state *job, const struct prom_dns_sd *config)
{
    static const struct prom_source_ops ops = {start, stop, free_source};
    struct dns_source *dns = calloc(1, sizeof(*dns));
    if (dns == NULL) {
        return NULL;
    }
    dns->source = (struct prom_source){.ops = &ops, .job = job, .kind = "dns_sd"};
    dns->config = config;
    dns->timer.fire = fire;
    dns->look.run = look;
    dns->looked.run = looked;
    dns->names = calloc(config->names.count + 1, sizeof(*dns->names));
    dns->fresh = calloc(config->names.count + 1, sizeof(*dns->fresh));
    if (!prom_duration(config->refresh_interval, &dns->interval_ns)) {
        dns->interval_ns = 30 * HF_NS_PER_S;
    }
    if (dns->names == NULL || dns->fresh == NULL || hf_loop_new(&dns->worker) != HF_OK) {
        free_source(&dns->source);
        return NULL;
    }
    return &dns->source;
}
