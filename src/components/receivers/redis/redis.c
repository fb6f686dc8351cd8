/*
 * redis: what a Redis server says of itself (INFO, and CLUSTER INFO of a node), asked for at an
 * interval.
 */
#include <stdio.h>
#include <stdlib.h>

#include <holdfast/component.h>

#include "redis_client.h"
#include "redis_info.h"
#include "support/scrape/server_scraper.h"
#include "support/settings/confignet.h"
#include "util/hash.h"
#include "util/time/clock.h"

#define SCOPE "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/redisreceiver"
#define ANSWER_NS (10 * HF_NS_PER_S) /* of a scrape that has no timeout */
#define ROUNDING_NS (2 * HF_NS_PER_S)

struct redis_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_net_config net;
    const char *username, *password;
    const struct hf_tls_config *tls;
    struct {
        struct hf_metric_choice metrics[REDIS_METRIC_COUNT];
        struct hf_resource_choice resources[REDIS_RESOURCE_COUNT];
    } wanted;
};

struct redis {
    struct hf_server_scraper server; /* first */
    const struct redis_config *config;
    struct redis_client client;
    /* The scraper's thread. */
    struct hf_bytes info; /* kept while CLUSTER INFO is asked for */
    uint64_t start_ns;
    int64_t uptime_s;
    uint64_t run; /* of the run_id; 0: none yet */
};

/* ---- the scrape; the scraper's thread ---- */

/* False: counted and logged, or stopping. */
static bool ask(struct redis *redis, struct hf_scrape *scrape, const char *const *words,
                size_t count, struct hf_slice *ret_text)
{
    char why[HF_ERROR_MAX];
    struct hf_patience patience = hf_server_scraper_patience(&redis->server, scrape);
    enum hf_status status =
        redis_client_ask(&redis->client, words, count, &patience, ret_text, why);
    if (status != HF_OK && status != HF_CLOSED) {
        hf_scrape_failed(scrape, 0, 1, "asking %.200s failed: %s", redis->config->net.endpoint,
                         why);
    }
    return status == HF_OK;
}

static void note_wrong(const struct redis_facts *facts, struct hf_scrape *scrape)
{
    if (facts->wrong != 0) {
        hf_scrape_failed(scrape, 0, facts->wrong, "%s of the answer is no number",
                         facts->first_wrong);
    }
}

static void read_cluster(struct redis *redis, struct hf_scrape *scrape)
{
    static const char *const words[] = {"CLUSTER", "INFO"};
    struct redis_facts facts;
    struct hf_slice text;
    if (ask(redis, scrape, words, 2, &text)) {
        redis_info_read(text, &facts, &redis->server.points);
        note_wrong(&facts, scrape);
    }
}

static const char *const resource_names[] = {REDIS_RESOURCES(HF_RESOURCE_NAME)};

static void name_resource(const struct redis *redis, struct hf_builder *builder,
                          const struct redis_facts *facts)
{
    const struct hf_grpc_target *target = &redis->client.options.target;
    const struct hf_slice values[] = {
        [REDIS_VERSION] = facts->version.size != 0 ? facts->version : hf_slice_text("unknown"),
        [REDIS_ADDRESS] = hf_slice_text(target->host),
        [REDIS_PORT] = hf_slice_text(target->port),
    };
    hf_build_resource(builder, HF_EMPTY_SLICE);
    for (size_t i = 0; i < REDIS_RESOURCE_COUNT; i++) {
        if (redis->config->wanted.resources[i].enabled) {
            hf_build_attribute_string(builder, hf_slice_text(resource_names[i]), values[i]);
        }
    }
    hf_build_scope(builder, hf_slice_text(SCOPE), hf_slice_text(HF_VERSION));
}

static void write_all(struct redis *redis, struct hf_scrape *scrape,
                      const struct redis_facts *facts)
{
    uint64_t start_ns = scrape->now_ns - (uint64_t)facts->uptime_s * HF_NS_PER_S;
    uint64_t run = hf_hash_64(facts->run_id);
    /* It stays the same while the server runs, though the uptime is in whole seconds. */
    if (run != redis->run && redis->run != 0) {
        redis->start_ns = start_ns > redis->start_ns ? start_ns : redis->start_ns + 1;
    } else if (facts->uptime_s < redis->uptime_s || start_ns > redis->start_ns + ROUNDING_NS) {
        redis->start_ns = start_ns;
    }
    redis->run = run;
    redis->uptime_s = facts->uptime_s;
    name_resource(redis, scrape->builder, facts);
    hf_server_scraper_write(&redis->server, scrape, redis->start_ns);
}

static void scrape(void *user, struct hf_scrape *scrape)
{
    static const char *const words[] = {"INFO", "all"};
    struct redis *redis = user;
    struct redis_facts facts;
    struct hf_slice text;
    if (!ask(redis, scrape, words, 2, &text)) {
        return;
    }
    redis->info.size = 0;
    if (hf_bytes_append(&redis->info, text) != HF_OK) {
        hf_scrape_failed(scrape, 0, 1, "out of memory");
        return;
    }
    redis_info_read(hf_slice_of(redis->info.data, redis->info.size), &facts, &redis->server.points);
    bool is_info = facts.is_info && facts.uptime_s >= 0 &&
                   (uint64_t)facts.uptime_s < scrape->now_ns / HF_NS_PER_S;
    if (!is_info) {
        hf_points_clear(&redis->server.points);
        hf_scrape_failed(scrape, 0, 1, "the answer to INFO has no uptime_in_seconds");
        return;
    }
    note_wrong(&facts, scrape);
    if (facts.is_cluster) {
        read_cluster(redis, scrape);
    }
    write_all(redis, scrape, &facts);
}

/* ---- life; the main thread ---- */

static void close_redis(void *self)
{
    struct redis *redis = self;
    hf_server_scraper_close(&redis->server);
    redis_client_release(&redis->client);
    hf_bytes_release(&redis->info);
    free(redis);
}

static enum hf_status open_parts(struct redis *redis, struct hf_node *node, char *reterr)
{
    const struct redis_config *config = redis->config;
    struct redis_client_options client = {.node = node,
                                          .tls = hf_net_tls(config->tls),
                                          .username = config->username,
                                          .password = config->password,
                                          .connect_timeout_ns = config->net.connect_timeout_ns};
    const struct hf_server_scraper_options server = {
        .node = node,
        .config = &config->scraper,
        .signal = HF_METRICS,
        .source = "redis",
        .metrics = {redis_rows, config->wanted.metrics, REDIS_METRIC_COUNT, 0},
        .resources = {resource_names, config->wanted.resources, REDIS_RESOURCE_COUNT},
        .answer_ns = ANSWER_NS,
        .scrape = scrape,
        .user = redis};
    hf_net_target(&config->net, &client.target, &client.family);
    enum hf_status status = redis_client_init(&redis->client, &client, reterr);
    return status == HF_OK ? hf_server_scraper_open(&redis->server, &server, reterr) : status;
}

static enum hf_status open_redis(struct hf_node *node, const void *config, void **ret_self,
                                 char *reterr)
{
    struct redis *redis = calloc(1, sizeof(*redis));
    if (redis == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "out of memory");
        return HF_NOMEM;
    }
    redis->config = config;
    enum hf_status status = open_parts(redis, node, reterr);
    if (status != HF_OK) {
        close_redis(redis);
        return status;
    }
    *ret_self = redis;
    return HF_OK;
}

/* ---- keys ---- */

static const char *check_redis(const void *config)
{
    const struct redis_config *keys = config;
    const char *wrong = hf_net_check(&keys->net);
    return wrong == NULL && keys->tls != NULL ? hf_tls_client_check(keys->tls) : wrong;
}

static void probe_outside(const void *config, struct hf_probe *probe)
{
    const struct redis_config *keys = config;
    hf_net_probe(probe, &keys->net, hf_net_tls(keys->tls));
}

static const struct hf_field metric_fields[] = {REDIS_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};
static const struct hf_field resource_fields[] = {REDIS_RESOURCES(HF_RESOURCE_FIELD) HF_FIELDS_END};

#define AT(member) offsetof(struct redis_config, member)

static const struct hf_field fields[] = {
    HF_SCRAPER_FIELDS("10s"),
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(net.endpoint),
     .required = true,
     .help = "The server: host:port, or the path of its socket with transport: unix."},
    HF_NET_FIELDS(struct redis_config, net),
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = AT(username),
     .help = "User of the server's access control list (Redis 6 and newer); without a password "
             "there is no sign-in, and it has no effect."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = AT(password),
     .help = "Password of the user, or of requirepass."},
    {.key = "tls",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .inner_size = sizeof(struct hf_tls_config),
     .help = "Encryption; absent: none."},
    HF_METRIC_TABLES(struct redis_config, wanted, metric_fields, resource_fields) HF_FIELDS_END,
};

const struct hf_component hf_receiver_redis = {
    .type = "redis",
    .help = "Reads what a Redis server says of itself (INFO) at an interval: clients, memory, "
            "commands, keys, replication, clusters.",
    .kind = HF_RECEIVER,
    .signals = HF_SIGNAL_BIT(HF_METRICS),
    .config_size = sizeof(struct redis_config),
    .fields = fields,
    .check = check_redis,
    .probe = probe_outside,
    .open = open_redis,
    .start = hf_server_scraper_start,
    .stop = hf_server_scraper_stop,
    .close = close_redis,
};
