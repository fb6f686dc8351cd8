/*
 * my_config: the keys of mysql. Immutable after loading.
 */
#pragma once

#include "my_metrics.h"
#include "mysql/connection.h"
#include "support/scrape/scraper.h"
#include "support/settings/confignet.h"

enum { MY_QUERY_SAMPLE = 0, MY_TOP_QUERY, MY_QUERY_PLAN, MY_EVENT_COUNT };

struct my_config {
    struct hf_scraper_config scraper; /* first: the scraper's */
    struct hf_net_config net;
    const char *username, *password, *database, *db_auth;
    bool allow_native_passwords;
    const struct hf_tls_config *tls;
    struct {
        int64_t digest_text_limit, limit;
        uint64_t time_limit_ns;
    } statements;
    struct {
        int64_t rows_max;
    } samples;
    struct {
        int64_t lookback_s, rows_max, top_max;
        uint64_t interval_ns;
        int64_t cache_max; /* plans that are kept */
        uint64_t cache_ttl_ns;
    } top;
    bool events[MY_EVENT_COUNT];
    struct {
        struct hf_metric_choice metrics[MY_METRIC_COUNT];
        struct hf_resource_choice resources[MY_RESOURCE_COUNT];
    } wanted;
};

extern const struct hf_field my_fields[];

/* NULL, or one sentence that names the key. */
const char *my_config_check(const void *config);

/* The keys of `tls` as the library has them, `ret_versions` behind them. NULL: in clear. */
const struct hf_mysql_tls *my_config_tls(const struct my_config *config,
                                         struct hf_mysql_tls *ret_tls, char ret_versions[40]);
