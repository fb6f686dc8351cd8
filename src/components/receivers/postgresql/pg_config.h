/*
 * pg_config: the keys of postgresql. Immutable after loading.
 */
#pragma once

#include "pg_metrics.h"
#include "support/scrape/scraper.h"
#include "support/settings/confignet.h"

struct pg_tls {
    const char *ca_file, *cert_file, *key_file;
    bool insecure, insecure_skip_verify;
    int64_t min_version, max_version; /* into pg_tls_versions */
};

/* As libpq names them; the first: none is said. */
extern const char *const pg_tls_versions[];

enum { PG_QUERY_SAMPLE = 0, PG_TOP_QUERY, PG_QUERY_PLAN, PG_EVENT_COUNT };

struct pg_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_net_config net;
    const char *username, *password, *main_database, *db_auth;
    struct hf_string_list databases, excluded;
    struct pg_tls tls;
    struct {
        int64_t rows_max;
    } samples;
    struct {
        int64_t rows_max, top_max;
        uint64_t interval_ns;
        int64_t plans_max, cache_max; /* plans that a report asks for, and that are kept */
        uint64_t cache_ttl_ns;
    } top;
    bool events[PG_EVENT_COUNT];
    struct {
        struct hf_metric_choice metrics[PG_METRIC_COUNT];
        struct hf_resource_choice resources[PG_RESOURCE_COUNT];
    } wanted;
};

extern const struct hf_field pg_fields[];

/* NULL, or one sentence that names the key. */
const char *pg_check(const void *config);

/* Both sides of "host:port". False: it has no port. */
bool pg_split_endpoint(const char *endpoint, char ret_host[256], char ret_port[8]);
