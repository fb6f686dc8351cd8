/*
 * clickhouse: sends log records, spans and points as rows to ClickHouse's HTTP interface, into the
 * tables of the Go collector's exporter.
 *
 * One export is several requests when tables are to be created first, and when its points go to
 * several tables. Each insert has a token made of its place in the queue, so that ClickHouse knows
 * a repeat and leaves it out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "ch_answer.h"
#include "ch_config.h"
#include "ch_rows.h"
#include "ch_schema.h"
#include "ch_target.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "util/hash.h"

#define EXPORT_BYTES ((uint64_t)8 << 20) /* of OTLP */

/* The steps of an export: 0 is the first, then those that create, then an insert for each table. */
enum { STEP_CREATE = 1, STEP_INSERT = 32 };

/* Owned by the delivery's thread while that runs. */
struct clickhouse {
    struct hf_http_exporter *http; /* first: its functions are the component's */
    struct hf_node *node;
    const struct ch_config *config;
    struct ch_target target;
    struct ch_schema schema;
    struct hf_http_client_config http_config;
    struct hf_header headers[2];
    size_t header_count;
    struct hf_hash instance; /* host, data directory, exporter */
    size_t host;             /* that takes the requests now */
    bool is_created[HF_SIGNAL_COUNT];
    bool lacks_optional[HF_SIGNAL_COUNT];
};

/* ---- requests ---- */

/* Another host when the one before failed. exporter_data is 1 + the host of the last attempt. */
static const char *choose_host(struct clickhouse *self, struct hf_export *export)
{
    size_t before = (size_t)(uintptr_t) export->exporter_data;
    bool turns = before == 0 ? self->target.strategy != CH_IN_ORDER : before == self->host + 1;
    if (turns) {
        self->host = (self->host + 1) % self->target.host_count;
    }
    export->exporter_data = (void *)(uintptr_t)(self->host + 1);
    return self->target.hosts[self->host];
}

/* Which records these are, in this table: no other insert has that, but for a repeat. */
static struct hf_hash token_of(const struct clickhouse *self, const struct hf_export *export,
                               enum ch_rows rows)
{
    struct hf_hash token = hf_hash_mix(self->instance, hf_hash_of(hf_slice_text(export->queue)));
    for (size_t i = 0; i < export->range_count; i++) {
        const struct hf_export_range *range = &export->ranges[i];
        const uint64_t numbers[] = {range->sequence, range->received_ns, range->first,
                                    range->count};
        token = hf_hash_mix(token, hf_hash_of(hf_slice_of(numbers, sizeof(numbers))));
    }
    const uint32_t table = (uint32_t)rows;
    return hf_hash_mix(token, hf_hash_of(hf_slice_of(&table, sizeof(table))));
}

static enum hf_status make_url(struct clickhouse *self, struct hf_http_post *post,
                               const struct hf_hash *token)
{
    char parameter[80] = "";
    const char *host = self->target.hosts[self->host];
    struct hf_bytes *url = &post->text;
    if (token != NULL) {
        snprintf(parameter, sizeof(parameter),
                 "&insert_deduplication_token=%016" PRIx64 "%016" PRIx64, token->high, token->low);
    }
    url->size = 0;
    enum hf_status status = hf_bytes_append(url, hf_slice_text(host));
    status = status == HF_OK ? hf_bytes_append(url, hf_slice_text("?")) : status;
    status = status == HF_OK ? hf_bytes_append(url, hf_slice_of(self->target.settings.data,
                                                                self->target.settings.size))
                             : status;
    status = status == HF_OK ? hf_bytes_append(url, hf_slice_of(parameter, strlen(parameter) + 1))
                             : status;
    post->url = (const char *)url->data;
    return status;
}

static enum hf_status seal(struct clickhouse *self, struct hf_http_post *post,
                           const struct hf_hash *token)
{
    enum hf_status status = make_url(self, post, token);
    post->content_type = "text/plain; charset=UTF-8";
    post->headers = self->headers;
    post->header_count = self->header_count;
    return status == HF_OK ? hf_payload_seal(&post->payload, post->coding, post->level) : status;
}

static enum hf_status encode_insert(struct clickhouse *self, struct hf_http_post *post,
                                    enum ch_rows rows, struct hf_slice raw)
{
    bool has_optional = !self->lacks_optional[post->export->signal];
    const struct ch_rows_options options = {.as_json = self->config->json && rows < CH_METRICS,
                                            .has_optional = has_optional};
    struct hf_bytes *out = &post->payload.bytes;
    struct hf_hash token = token_of(self, post->export, rows);
    enum hf_status status = ch_schema_insert(&self->schema, rows, has_optional, out);
    status = status == HF_OK ? ch_rows_write(rows, raw, &options, out) : status;
    post->step = STEP_INSERT + (unsigned)rows;
    return status == HF_OK ? seal(self, post, &token) : status;
}

/* The next table that there are rows for; none: the export is at its end. */
static enum hf_status encode_rows(struct clickhouse *self, struct hf_http_post *post)
{
    const struct hf_export *export = post->export;
    unsigned tables = 0, first = post->step < STEP_INSERT ? 0 : post->step - STEP_INSERT;
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&post->payload, export->bodies, export->body_count, &raw);
    status = status == HF_OK ? ch_rows_tables(export->signal, raw, &tables) : status;
    for (unsigned rows = first; rows < CH_ROWS_COUNT && status == HF_OK; rows++) {
        if ((tables & 1u << rows) != 0) {
            return encode_insert(self, post, (enum ch_rows)rows, raw);
        }
    }
    return status;
}

static enum hf_status begin_statement(struct hf_http_post *post)
{
    struct hf_slice raw;
    return hf_payload_read(&post->payload, post->export->bodies, post->export->body_count, &raw);
}

static enum hf_status encode_probe(struct clickhouse *self, struct hf_http_post *post)
{
    enum hf_status status = begin_statement(post);
    status =
        status == HF_OK ? hf_bytes_append(&post->payload.bytes, hf_slice_text("SELECT 1")) : status;
    return status == HF_OK ? seal(self, post, NULL) : status;
}

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct clickhouse *self = user;
    enum hf_signal signal = post->export->signal;
    if (post->step == 0) {
        choose_host(self, (struct hf_export *)post->export);
    }
    if (post->export->is_probe) {
        return encode_probe(self, post);
    }
    if (post->step < STEP_INSERT && self->config->create_schema && !self->is_created[signal]) {
        unsigned index = post->step < STEP_CREATE ? 0 : post->step - STEP_CREATE;
        enum hf_status status = begin_statement(post);
        status = status == HF_OK
                     ? ch_schema_create(&self->schema, signal, index, &post->payload.bytes)
                     : status;
        if (status != HF_NOT_FOUND) {
            post->step = STEP_CREATE + index;
            return status == HF_OK ? seal(self, post, NULL) : status;
        }
        self->is_created[signal] = true;
    }
    return encode_rows(self, post);
}

/* ---- answers ---- */

static void judge_failure(struct clickhouse *self, const struct hf_http_post *post, int code,
                          const struct hf_http_result *result, struct hf_http_judgement *ret)
{
    struct ch_verdict verdict;
    enum hf_signal signal = post->export->signal;
    bool creates = post->step < STEP_INSERT;
    if (ch_answer_verdict(code, result->body, &verdict)) {
        ret->outcome.status = verdict.status;
        ret->outcome.is_suspect = verdict.is_suspect;
    } else if (result->code >= 200 && result->code < 300) {
        ret->outcome.status = HF_AGAIN;
    } else if (ret->outcome.status == HF_INVALID) {
        ret->outcome.status = HF_FORBIDDEN; /* no code that says so is about the rows */
    }
    if (creates && (ret->outcome.status == HF_INVALID || ret->outcome.status == HF_TOO_LARGE)) {
        ret->outcome.status = HF_FORBIDDEN; /* a statement, not the data */
    }
    ret->outcome.is_suspect = ret->outcome.is_suspect && !creates;
    if (code == CH_UNKNOWN_TABLE || code == CH_UNKNOWN_DATABASE) {
        self->is_created[signal] = false;
    }
    if (code == CH_NO_SUCH_COLUMN && !creates && !self->lacks_optional[signal] &&
        signal != HF_METRICS) {
        self->lacks_optional[signal] = true;
        hf_node_log(self->node, HF_LOG_WARN,
                    "the table of %s lacks a column that releases of the Go collector have added; "
                    "rows go without EventName and the lists of keys: %s",
                    hf_signal_name(signal), ret->message);
        ret->next_step = post->step;
    }
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    struct clickhouse *self = user;
    int code =
        ch_answer_code(hf_http_result_header(result, "X-ClickHouse-Exception-Code"), result->body);
    hf_http_judge(result, ret);
    if (ret->outcome.status != HF_OK || code != 0) {
        snprintf(ret->message, sizeof(ret->message), "%.*s",
                 (int)(result->body.size < 250 ? result->body.size : 250),
                 result->body.size != 0 ? (const char *)result->body.data : "");
        ret->outcome.message = ret->message;
        judge_failure(self, post, code, result, ret);
    } else if (result->body.size != 0 && !post->export->is_probe) {
        ret->outcome.status = HF_FORBIDDEN;
        ret->outcome.message = "an insert is answered with nothing by ClickHouse; what answered "
                               "here is not its HTTP interface";
    } else if (!post->export->is_probe) {
        bool is_last = post->step >= STEP_INSERT && post->export->signal != HF_METRICS;
        ret->next_step = is_last ? 0 : post->step + 1;
    }
}

/* ---- life ---- */

static void close_clickhouse(void *from)
{
    struct clickhouse *self = from;
    hf_http_exporter_close(self->http);
    ch_target_release(&self->target);
    free(self);
}

static void warn(const struct clickhouse *self)
{
    const struct ch_target *target = &self->target;
    if (target->has_native_ports) {
        hf_node_log(self->node, HF_LOG_WARN,
                    "ClickHouse's HTTP interface is used, not the native protocol: %s stands for "
                    "the endpoint; write it so in the key endpoint",
                    target->hosts[0]);
    }
    if (target->has_weak_async) {
        hf_node_log(self->node, HF_LOG_WARN,
                    "wait_for_async_insert is off: ClickHouse says OK before rows are written, and "
                    "loses them when it ends before that");
    }
    if (target->without_effect.size != 0) {
        hf_node_log(self->node, HF_LOG_INFO,
                    "parameters of the Go driver without a meaning here are left out: %.*s",
                    (int)target->without_effect.size, (const char *)target->without_effect.data);
    }
}

static void add_header(struct clickhouse *self, const char *name, const char *value)
{
    if (value[0] != '\0') {
        self->headers[self->header_count++] =
            (struct hf_header){hf_slice_text(name), hf_slice_text(value)};
    }
}

static struct hf_hash instance_of(const struct hf_node *node)
{
    const char *directory = hf_node_directory(node);
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    struct hf_hash instance =
        hf_hash_pair(hf_slice_text(host), hf_slice_text(directory != NULL ? directory : ""));
    return hf_hash_mix(instance, hf_hash_of(hf_slice_text(hf_node_id(node))));
}

static enum hf_status open_http(struct clickhouse *self, char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    struct ch_target *target = &self->target;
    const struct hf_http_exporter_options options = {
        .node = self->node,
        .config = &self->http_config,
        .paths = {[HF_TRACES] = "", [HF_METRICS] = "", [HF_LOGS] = ""},
        .ops = &ops,
        .user = self,
    };
    self->http_config = (struct hf_http_client_config){
        .endpoint = target->hosts[0],
        .compression = target->compression,
        .tls = self->config->tls,
        .proxy_url = target->proxy[0] != '\0' ? target->proxy : NULL,
    };
    self->http_config.tls.insecure_skip_verify =
        self->http_config.tls.insecure_skip_verify || target->skips_verification;
    add_header(self, "x-clickhouse-user", target->user);
    add_header(self, "x-clickhouse-key", target->password);
    return hf_http_exporter_open(&options, &self->http, reterr);
}

static enum hf_status open_clickhouse(struct hf_node *node, const void *config, void **ret_self,
                                      char *reterr)
{
    struct clickhouse *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    self->node = node;
    self->config = config;
    const char *why = ch_target_read(self->config, &self->target);
    enum hf_status status = why == NULL ? HF_OK : HF_INVALID;
    snprintf(reterr, HF_ERROR_MAX, "%s", why != NULL ? why : "");
    if (status == HF_OK) {
        self->schema = (struct ch_schema){.config = self->config, .target = &self->target};
        self->instance = instance_of(node);
        self->host =
            self->target.strategy == CH_RANDOM ? self->instance.low % self->target.host_count : 0;
        warn(self);
        status = open_http(self, reterr);
    }
    if (status != HF_OK) {
        close_clickhouse(self);
        return status;
    }
    *ret_self = self;
    return HF_OK;
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct ch_config *config = from;
    struct ch_target target;
    if (ch_target_read(config, &target) == NULL) {
        const struct hf_http_client_config http = {.endpoint = target.hosts[0], .tls = config->tls};
        hf_probe_http_client(probe, &http, NULL);
    }
    ch_target_release(&target);
    hf_probe_export(probe);
}

static const struct hf_exporter_ops exporter_ops = {
    .send = hf_http_exporter_self_send,
    .context_keys = hf_http_exporter_self_context_keys,
    .timeout = "5s",
    .request_bytes_max = EXPORT_BYTES,
};

const struct hf_component hf_exporter_clickhouse = {
    .type = "clickhouse",
    .help = "Sends logs, traces and metrics to ClickHouse's HTTP interface, into the tables of the "
            "Go collector.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct ch_config),
    .fields = ch_fields,
    .check = ch_check,
    .probe = probe_outside,
    .open = open_clickhouse,
    .close = close_clickhouse,
    .exporter = &exporter_ops,
};
