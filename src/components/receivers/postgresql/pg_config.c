#include "pg_config.h"

#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(struct pg_config, member)
#define TLS(member) offsetof(struct pg_tls, member)
#define ROWS_MAX 100000

bool pg_split_endpoint(const char *endpoint, char ret_host[256], char ret_port[8])
{
    const char *colon = strrchr(endpoint, ':');
    bool is_v6 = endpoint[0] == '[' && colon != NULL && colon > endpoint && colon[-1] == ']';
    size_t size = colon != NULL ? (size_t)(colon - endpoint) - (is_v6 ? 2 : 0) : 0;
    if (colon == NULL || size >= 256 || strlen(colon + 1) >= 8 || colon[1] == '\0' ||
        colon[1 + strspn(colon + 1, "0123456789")] != '\0') {
        return false;
    }
    snprintf(ret_host, 256, "%.*s", (int)size, endpoint + (is_v6 ? 1 : 0));
    snprintf(ret_port, 8, "%s", colon + 1);
    return true;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *pg_check(const void *from)
{
    const struct pg_config *config = from;
    char host[256], port[8];
    if (!given(config->username)) {
        return "username is missing";
    }
    if (given(config->db_auth)) {
        return "db_auth is not supported; use password, as ${file:PATH} or ${env:NAME}";
    }
    if (!given(config->password)) {
        return "password is missing";
    }
    if (config->net.transport != HF_NET_TCP && config->net.transport != HF_NET_UNIX) {
        return "transport: expected tcp or unix";
    }
    if (config->net.endpoint == NULL || !pg_split_endpoint(config->net.endpoint, host, port)) {
        return "endpoint: expected host:port, also with transport: unix, where host is the folder "
               "of the socket";
    }
    if (given(config->tls.cert_file) != given(config->tls.key_file)) {
        return "tls: cert_file and key_file go together";
    }
    if (config->events[PG_QUERY_PLAN] && !config->events[PG_TOP_QUERY]) {
        return "events: db.server.query_plan needs db.server.top_query, whose plans it has";
    }
    return NULL;
}

/* Keys of every tls section that the Go collector's receiver accepts and does not use either. */
#define UNUSED_TLS(name)                                                                           \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED,                                                   \
        .help = "Without effect: ca_file, cert_file and key_file are used."                        \
    }

static const char *const versions[] = {"", "1.0", "1.1", "1.2", "1.3", NULL};
const char *const pg_tls_versions[] = {NULL, "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

static const struct hf_field tls_fields[] = {
    {.key = "insecure",
     .type = HF_FIELD_BOOL,
     .offset = TLS(insecure),
     .default_text = "false",
     .help = "Do not encrypt."},
    {.key = "insecure_skip_verify",
     .type = HF_FIELD_BOOL,
     .offset = TLS(insecure_skip_verify),
     .default_text = "true",
     .help = "Encrypt, but take any certificate of the server; with ca_file its name is not "
             "checked."},
    {.key = "ca_file",
     .type = HF_FIELD_STRING,
     .offset = TLS(ca_file),
     .help = "File with the certificates (PEM) of the authorities that are trusted; those of the "
             "system otherwise."},
    {.key = "cert_file",
     .type = HF_FIELD_STRING,
     .offset = TLS(cert_file),
     .help = "File with the certificate (PEM) to show."},
    {.key = "key_file",
     .type = HF_FIELD_STRING,
     .offset = TLS(key_file),
     .help = "File with its key (PEM), which only its owner may read."},
    UNUSED_TLS("ca_pem"),
    UNUSED_TLS("cert_pem"),
    UNUSED_TLS("key_pem"),
    UNUSED_TLS("server_name_override"),
    {.key = "min_version",
     .type = HF_FIELD_ENUM,
     .offset = TLS(min_version),
     .choices = versions,
     .default_text = "",
     .help = "The oldest version of TLS: 1.0, 1.1, 1.2 or 1.3; without, the library's, which is "
             "1.2."},
    {.key = "max_version",
     .type = HF_FIELD_ENUM,
     .offset = TLS(max_version),
     .choices = versions,
     .default_text = "",
     .help = "The newest version of TLS."},
    UNUSED_TLS("cipher_suites"),
    UNUSED_TLS("curve_preferences"),
    UNUSED_TLS("include_system_ca_certs_pool"),
    UNUSED_TLS("reload_interval"),
    UNUSED_TLS("tpm"),
    HF_FIELDS_END,
};

static const struct hf_field sample_fields[] = {
    {.key = "max_rows_per_query",
     .type = HF_FIELD_INT,
     .offset = AT(samples.rows_max),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "1000",
     .help = "Statements that are reported in each scrape."},
    HF_FIELDS_END,
};

static const struct hf_field top_fields[] = {
    {.key = "max_rows_per_query",
     .type = HF_FIELD_INT,
     .offset = AT(top.rows_max),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "1000",
     .help = "Forms of statements that are looked at in each scrape."},
    {.key = "top_n_query",
     .type = HF_FIELD_INT,
     .offset = AT(top.top_max),
     .min = 1,
     .max = ROWS_MAX,
     .default_text = "1000",
     .help = "Forms of statements that are reported: those that took most time since the last."},
    {.key = "collection_interval",
     .type = HF_FIELD_DURATION,
     .offset = AT(top.interval_ns),
     .default_text = "0s",
     .help = "Shortest time from one report to the next."},
    {.key = "max_explain_each_interval",
     .type = HF_FIELD_INT,
     .offset = AT(top.plans_max),
     .min = 0,
     .max = ROWS_MAX,
     .default_text = "1000",
     .help = "Plans that a report asks for, by EXPLAIN of a statement that is prepared and never "
             "run; 0: none. Needs PostgreSQL 12, and the rights that running the statement needs."},
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
     .offset = sizeof(bool) * PG_QUERY_SAMPLE,
     .inner = hf_event_enabled_off,
     .help = "Log records of the statements of the sessions, without the values in them."},
    {.key = "db.server.top_query",
     .type = HF_FIELD_STRUCT,
     .offset = sizeof(bool) * PG_TOP_QUERY,
     .inner = hf_event_enabled_off,
     .help = "Log records of the forms of statements that took most time; needs "
             "pg_stat_statements."},
    {.key = "db.server.query_plan",
     .type = HF_FIELD_STRUCT,
     .offset = sizeof(bool) * PG_QUERY_PLAN,
     .inner = hf_event_enabled_off,
     .help = "Log records of their own for the plans of db.server.top_query, which has no "
             "postgresql.query_plan then."},
    HF_FIELDS_END,
};

static const struct hf_field metric_fields[] = {PG_METRICS(HF_METRIC_FIELD) HF_FIELDS_END};
static const struct hf_field resource_fields[] = {PG_RESOURCES(HF_RESOURCE_FIELD) HF_FIELDS_END};

const struct hf_field pg_fields[] = {
    HF_SCRAPER_FIELDS("10s"),
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(net.endpoint),
     .default_text = "localhost:5432",
     .help = "host:port of the server; with transport: unix the folder of its socket stands for "
             "host."},
    HF_NET_FIELDS(struct pg_config, net),
    {.key = "username", .type = HF_FIELD_STRING, .offset = AT(username), .help = "The role."},
    {.key = "db_auth",
     .type = HF_FIELD_STRING,
     .offset = AT(db_auth),
     .help = "Not supported: no extension gives passwords of databases. Use password."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = AT(password),
     .help = "The role's password."},
    {.key = "connect_database",
     .type = HF_FIELD_STRING,
     .offset = AT(main_database),
     .default_text = "postgres",
     .help = "The database to ask about the server as a whole."},
    {.key = "databases",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(databases),
     .help = "Databases to look at; none: all but templates."},
    {.key = "exclude_databases",
     .type = HF_FIELD_STRING_LIST,
     .offset = AT(excluded),
     .help = "Databases to leave out."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = AT(tls),
     .inner = tls_fields,
     .help = "Encryption."},
    {.key = "connection_pool",
     .type = HF_FIELD_IGNORED,
     .help = "One connection is kept for the server as a whole; each database is connected to in "
             "its turn."},
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
    HF_METRIC_TABLES(struct pg_config, wanted, metric_fields, resource_fields) HF_FIELDS_END,
};
