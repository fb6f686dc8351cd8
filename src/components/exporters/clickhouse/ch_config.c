#include "ch_config.h"

#include <stddef.h>
#include <string.h>

#include "ch_target.h"

#define AT(member) offsetof(struct ch_config, member)
#define NS_PER_S 1000000000u
#define DAYS_MAX 36500.0

static const struct hf_field table_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct ch_table, name),
     .help = "The table; absent: metrics_table_name with the kind behind it."},
    HF_FIELDS_END,
};

#define TABLE(word, kind)                                                                          \
    {                                                                                              \
        .key = (word), .type = HF_FIELD_STRUCT,                                                    \
        .offset = offsetof(struct ch_metric_tables, tables[(kind)]), .inner = table_fields,        \
        .help = "The table of that kind."                                                          \
    }

static const struct hf_field metrics_fields[] = {
    TABLE("gauge", CH_GAUGE),
    TABLE("sum", CH_SUM),
    TABLE("summary", CH_SUMMARY),
    TABLE("histogram", CH_HISTOGRAM),
    TABLE("exponential_histogram", CH_EXPONENTIAL),
    HF_FIELDS_END,
};

static const struct hf_field engine_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct ch_engine, name),
     .help = "The engine; absent: MergeTree for tables, the server's default for the database."},
    {.key = "params",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct ch_engine, params),
     .help = "What stands in its parentheses."},
    HF_FIELDS_END,
};

const struct hf_field ch_fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(endpoint),
     .required = true,
     .help = "The HTTP interface, as http://host:8123 or https://host:8443; several hosts with "
             "commas between. clickhouse:// and tcp:// with the ports 9000 and 9440 stand for 8123 "
             "and 8443. Parameters behind ? as in connection_params."},
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = AT(username),
     .help = "The user; absent: the one of the endpoint, else ClickHouse's default."},
    {.key = "password", .type = HF_FIELD_SECRET, .offset = AT(password), .help = "Its password."},
    {.key = "database",
     .type = HF_FIELD_STRING,
     .offset = AT(database),
     .default_text = "default",
     .help = "The database; when it is default, that of the endpoint."},
    {.key = "database_engine",
     .type = HF_FIELD_STRUCT,
     .offset = AT(database_engine),
     .inner = engine_fields,
     .help = "The engine of a database that is created. With Replicated, tables are created "
             "without ON CLUSTER."},
    {.key = "tls",
     .type = HF_FIELD_STRUCT,
     .offset = AT(tls),
     .inner = hf_tls_client_fields,
     .help = "How https:// endpoints are verified."},
    {.key = "connection_params",
     .type = HF_FIELD_MAP,
     .offset = AT(connection_params),
     .help = "Parameters of the connection, which replace those of the endpoint. What is not the "
             "Go driver's is a setting of ClickHouse for each request, as max_execution_time."},
    {.key = "ttl",
     .type = HF_FIELD_DURATION,
     .offset = AT(ttl_ns),
     .help = "How long created tables keep their rows, in whole seconds; 0: for ever."},
    {.key = "ttl_days",
     .type = HF_FIELD_INT,
     .offset = AT(ttl_days),
     .max = DAYS_MAX,
     .help = "The same in days, as configurations of before 0.93 have it."},
    {.key = "logs_table_name",
     .type = HF_FIELD_STRING,
     .offset = AT(logs_table),
     .default_text = "otel_logs",
     .help = "The table of log records."},
    {.key = "traces_table_name",
     .type = HF_FIELD_STRING,
     .offset = AT(traces_table),
     .default_text = "otel_traces",
     .help = "The table of spans."},
    {.key = "profiles_table_name",
     .type = HF_FIELD_IGNORED,
     .help = "Profiles are not sent to ClickHouse."},
    {.key = "metrics_table_name",
     .type = HF_FIELD_STRING,
     .offset = AT(metrics_table),
     .default_text = "otel_metrics",
     .help = "The beginning of the tables of metrics that metrics_tables does not name."},
    {.key = "metrics_tables",
     .type = HF_FIELD_STRUCT,
     .offset = AT(metrics),
     .inner = metrics_fields,
     .help = "The tables of metrics, one for each kind."},
    {.key = "table_engine",
     .type = HF_FIELD_STRUCT,
     .offset = AT(table_engine),
     .inner = engine_fields,
     .help = "The engine of tables that are created."},
    {.key = "cluster_name",
     .type = HF_FIELD_STRING,
     .offset = AT(cluster_name),
     .help = "The cluster on which database and tables are created (ON CLUSTER)."},
    {.key = "create_schema",
     .type = HF_FIELD_BOOL,
     .offset = AT(create_schema),
     .default_text = "true",
     .help = "Database and tables are created before the first insert, where they are not there."},
    {.key = "async_insert",
     .type = HF_FIELD_BOOL,
     .offset = AT(async_insert),
     .default_text = "true",
     .help = "ClickHouse gathers inserts; a request is delivered when its rows are written."},
    {.key = "compress",
     .type = HF_FIELD_STRING,
     .offset = AT(compress),
     .help = "zstd, gzip, deflate or none. lz4, true and nothing are the Go driver's words for its "
             "own blocks; over HTTP they mean zstd."},
    {.key = "json",
     .type = HF_FIELD_BOOL,
     .offset = AT(json),
     .default_text = "false",
     .help = "Attributes of log records and spans are of the type JSON and not maps of text."},
    HF_FIELDS_END,
};

const char *ch_check(const void *from)
{
    const struct ch_config *config = from;
    struct ch_target target;
    const char *wrong = ch_target_read(config, &target);
    ch_target_release(&target);
    if (wrong != NULL) {
        return wrong;
    }
    if (config->ttl_ns != 0 && config->ttl_days != 0) {
        return "ttl and ttl_days exclude each other; keep ttl";
    }
    if (config->ttl_ns % NS_PER_S != 0) {
        return "ttl has to be whole seconds";
    }
    if (config->database[0] == '\0' || config->logs_table[0] == '\0' ||
        config->traces_table[0] == '\0') {
        return "database, logs_table_name and traces_table_name must not be empty";
    }
    return hf_tls_client_check(&config->tls);
}
