#include "my_config.h"

#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct my_config, member)
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
#define SYSTEM_CA_FOLDER "/etc/ssl/certs"
#define ROWS_MAX 100000

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *check_tls(const struct hf_tls_config *tls)
{
    const char *wrong = hf_tls_client_check(tls);
    if (wrong != NULL) {
        return wrong;
    }
    if (given(tls->ca_pem) || given(tls->cert_pem) || given(tls->key_pem)) {
        return "tls: ca_pem, cert_pem and key_pem are not supported, since libmariadb reads files: "
               "use ca_file, cert_file and key_file";
    }
    if (given(tls->server_name_override)) {
        return "tls: server_name_override is not supported, since libmariadb checks the name in "
               "endpoint";
    }
    if (tls->cipher_suites.count != 0 || tls->curve_preferences.count != 0) {
        return "tls: cipher_suites and curve_preferences are not supported by libmariadb";
    }
    return NULL;
}

const char *my_config_check(const void *from)
{
    const struct my_config *config = from;
    const char *wrong = hf_net_check(&config->net);
    const bool *events = config->events;
    if (given(config->db_auth)) {
        return "db_auth is not supported; use password, as ${file:PATH} or ${env:NAME}";
    }
    if (wrong == NULL && events[MY_QUERY_PLAN] && !events[MY_TOP_QUERY] &&
        !events[MY_QUERY_SAMPLE]) {
        return "events: db.server.query_plan needs db.server.top_query or db.server.query_sample, "
               "whose plans it has";
    }
    return wrong == NULL && config->tls != NULL ? check_tls(config->tls) : wrong;
}

/* "TLSv1.2,TLSv1.3", of what is between both. */
static void name_versions(const struct hf_tls_config *tls, char ret_versions[40])
{
    static const char *const numbers[] = {"1.0", "1.1", "1.2", "1.3"};
    const char *least = given(tls->min_version) ? tls->min_version : "1.2";
    const char *most = given(tls->max_version) ? tls->max_version : "1.3";
    size_t size = 0;
    ret_versions[0] = '\0';
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(numbers[i], least) >= 0 && strcmp(numbers[i], most) <= 0) {
            size += (size_t)snprintf(ret_versions + size, 40 - size, "%sTLSv%s",
                                     size != 0 ? "," : "", numbers[i]);
        }
    }
}

const struct hf_mysql_tls *my_config_tls(const struct my_config *config,
                                         struct hf_mysql_tls *ret_tls, char ret_versions[40])
{
    const struct hf_tls_config *tls = hf_net_tls(config->tls);
    if (tls == NULL || config->net.transport == HF_NET_UNIX) {
        return NULL;
    }
    bool verifies = !tls->insecure_skip_verify, has_ca = given(tls->ca_file);
    name_versions(tls, ret_versions);
    *ret_tls = (struct hf_mysql_tls){
        .ca_file = !verifies ? NULL
                   : has_ca  ? tls->ca_file
                             : SYSTEM_CA,
        .ca_folder = verifies && tls->include_system_ca_certs_pool ? SYSTEM_CA_FOLDER : NULL,
        .cert_file = tls->cert_file,
        .key_file = tls->key_file,
        .versions = ret_versions,
        .verifies = verifies,
    };
    return ret_tls;
}

static const struct hf_field statement_fields[] = {
    {.key = "digest_text_limit",
     .type = HF_FIELD_INT,
     .offset = AT(statements.digest_text_limit),
     .min = 1,
     .max = 1e6,
     .default_text = "120",
     .help = "Characters of the attribute digest_text."},
    {.key = "limit",
     .type = HF_FIELD_INT,
     .offset = AT(statements.limit),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "250",
     .help = "Forms of statements that are reported: those that took most time."},
    {.key = "time_limit",
     .type = HF_FIELD_DURATION,
     .offset = AT(statements.time_limit_ns),
     .min = 1e9,
     .max = 1e18,
     .default_text = "24h",
     .help = "Forms of statements that were last seen before are left out."},
    HF_FIELDS_END,
};

static const struct hf_field sample_fields[] = {
    {.key = "max_rows_per_query",
     .type = HF_FIELD_INT,
     .offset = AT(samples.rows_max),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "100",
     .help = "Statements that are reported in each scrape."},
    HF_FIELDS_END,
};

static const struct hf_field top_fields[] = {
    {.key = "lookback_time",
     .type = HF_FIELD_INT,
     .offset = AT(top.lookback_s),
     .min = 1,
     .max = 1e9,
     .default_text = "60",
     .help = "Seconds; statements that were last seen before are left out."},
    {.key = "max_query_sample_count",
     .type = HF_FIELD_INT,
     .offset = AT(top.rows_max),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "1000",
     .help = "Forms of statements that are looked at in each scrape."},
    {.key = "top_query_count",
     .type = HF_FIELD_INT,
     .offset = AT(top.top_max),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "200",
     .help = "Forms of statements that are reported: those that took most time since the last."},
    {.key = "collection_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(top.interval_ns),
     .default_text = "60s",
     .help = "Shortest time from one report to the next."},
    {.key = "query_plan_cache_size",
     .type = HF_FIELD_INT,
     .offset = AT(top.cache_max),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "1000",
     .help = "Plans that are kept, so that they are not asked for again."},
    {.key = "query_plan_cache_ttl",
     .type = HF_FIELD_DURATION,
     .offset = AT(top.cache_ttl_ns),
     .default_text = "1h",
     .help = "How long a plan, or that there is none, is kept."},
    HF_FIELDS_END,
};

static const struct hf_field event_fields[] = {
    {.key = "db.server.query_sample",
     .type = HF_FIELD_STRUCT,
     .offset = sizeof(bool) * MY_QUERY_SAMPLE,
     .inner = hf_event_enabled_off,
     .help = "Log records of the statements that run at the time of the scrape, without the values "
             "in them; needs performance_schema."},
    {.key = "db.server.top_query",
     .type = HF_FIELD_STRUCT,
     .offset = sizeof(bool) * MY_TOP_QUERY,
     .inner = hf_event_enabled_off,
     .help = "Log records of the forms of statements that took most time; needs "
             "performance_schema. Their plans, by EXPLAIN, need the rights that running the "
             "statement needs, and MySQL 8.0.3, or the consumer events_statements_history of "
             "MariaDB."},
    {.key = "db.server.query_plan",
     .type = HF_FIELD_STRUCT,
     .offset = sizeof(bool) * MY_QUERY_PLAN,
     .inner = hf_event_enabled_off,
     .help = "Log records of their own for the plans of the statements of the other two; "
             "db.server.top_query has no mysql.query_plan then."},
    HF_FIELDS_END,
};

static const struct hf_field metric_fields[] = {
    MY_METRICS(HF_METRIC_FIELD){
        .key = "mysql.locked_connects",
        .type = HF_FIELD_IGNORED,
        .help = "It is mysql.connection.errors with the attribute error: locked now."},
    HF_FIELDS_END};
static const struct hf_field resource_fields[] = {MY_RESOURCES(HF_RESOURCE_FIELD) HF_FIELDS_END};

const struct hf_field my_fields[] = {
    HF_SCRAPER_FIELDS("10s"),
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(net.endpoint),
     .default_text = "localhost:3306",
     .help = "The server: host:port, or the path of its socket with transport: unix."},
    HF_NET_FIELDS(struct my_config, net),
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = AT(username),
     .default_text = "root",
     .help = "The account; it needs the privileges PROCESS and REPLICATION CLIENT, and SELECT on "
             "performance_schema."},
    {.key = "db_auth",
     .type = HF_FIELD_STRING,
     .offset = AT(db_auth),
     .help = "Not supported: no extension gives passwords of databases. Use password."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = AT(password),
     .help = "The account's password."},
    {.key = "database",
     .type = HF_FIELD_STRING,
     .offset = AT(database),
     .help = "The database to begin in; tables of all databases are reported in any case."},
    {.key = "allow_native_passwords",
     .type = HF_FIELD_BOOL,
     .offset = AT(allow_native_passwords),
     .default_text = "true",
     .help = "Take an account that signs in with mysql_native_password."},
    {.key = "tls",
     .type = HF_FIELD_OPTIONAL,
     .null_enables = true,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .inner_size = sizeof(struct hf_tls_config),
     .help = "Encryption; absent: none."},
    {.key = "statement_events",
     .type = HF_FIELD_STRUCT,
     .inner = statement_fields,
     .help = "Which statements mysql.statement_event.count and mysql.statement_event.wait.time are "
             "about."},
    {.key = "query_sample_collection",
     .type = HF_FIELD_STRUCT,
     .inner = sample_fields,
     .help = "What db.server.query_sample reports."},
    {.key = "top_query_collection",
     .type = HF_FIELD_STRUCT,
     .inner = top_fields,
     .help = "What db.server.top_query reports."},
    {.key = "events",
     .type = HF_FIELD_STRUCT,
     .offset = AT(events),
     .inner = event_fields,
     .help = "Which log records are made, in a pipeline of logs."},
    HF_METRIC_TABLES(struct my_config, wanted, metric_fields, resource_fields) HF_FIELDS_END,
};
