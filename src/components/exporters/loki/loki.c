/*
 * loki: pushes log records to Loki as lines of labelled streams.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>
#include <holdfast/meta.h>

#include "loki_labels.h"
#include "loki_line.h"
#include "loki_push.h"
#include "pdata/any.h"
#include "pdata/payload.h"
#include "support/confighttp.h"
#include "support/http_exporter.h"
#include "support/probe_server.h"

#define TENANT_MAX 256u

enum tenant_source { TENANT_STATIC = 0, TENANT_ATTRIBUTES, TENANT_CONTEXT };

struct loki_config {
    struct hf_http_client_config http;
    struct loki_label_config labels;
    struct tenant_config {
        int64_t source;
        const char *value;
    } * tenant;
    const char *tenant_id;
    int64_t format;
};

struct loki {
    const struct loki_config *config;
    struct hf_http_exporter *http;
    struct loki_push push;
    struct hf_bytes labels_text;
    struct loki_labels labels;
    struct hf_header tenant_header;
    char tenant[TENANT_MAX]; /* of the request that is being made */
    /* Of a request with records of several tenants: those that are not sent yet. */
    struct hf_payload second_look;
    struct hf_item_outcome *others;
    size_t other_count, other_capacity;
    const char **context_keys;
    size_t context_key_count;
};

/* ---- tenants ---- */

static struct hf_slice static_tenant(const struct loki *loki, struct hf_slice meta)
{
    const struct loki_config *config = loki->config;
    struct hf_slice value;
    if (config->tenant == NULL) {
        return config->tenant_id != NULL ? hf_slice_text(config->tenant_id) : HF_EMPTY_SLICE;
    }
    if (config->tenant->source == TENANT_STATIC) {
        return hf_slice_text(config->tenant->value);
    }
    if (config->tenant->source == TENANT_CONTEXT &&
        hf_meta_find(meta, HF_META_HEADER, config->tenant->value, &value)) {
        return value;
    }
    return HF_EMPTY_SLICE;
}

static struct hf_slice hint_of(const struct hf_place *place, const char *name)
{
    bool is_whole;
    struct hf_slice key = hf_slice_text(name);
    struct hf_slice value = loki_attribute(hf_place_resource(place), key, &is_whole);
    value = value.size != 0 ? value : loki_attribute(place->item, key, &is_whole);
    return hf_any_read(value).bytes;
}

/* The attribute that names the record's tenant; empty: none. */
static struct hf_slice tenant_key(const struct loki *loki, const struct hf_place *place)
{
    struct hf_slice key = hint_of(place, "loki.tenant");
    const struct tenant_config *tenant = loki->config->tenant;
    if (key.size == 0 && tenant != NULL && tenant->source == TENANT_ATTRIBUTES) {
        return hf_slice_text(tenant->value);
    }
    return key;
}

/* The tenant as text, in the document's memory. */
static struct hf_slice tenant_of(const struct hf_place *place, struct hf_slice key,
                                 struct hf_slice otherwise)
{
    bool is_whole;
    if (key.size == 0) {
        return otherwise;
    }
    struct hf_slice value = loki_attribute(hf_place_resource(place), key, &is_whole);
    value = value.size != 0 ? value : loki_attribute(place->item, key, &is_whole);
    if (value.size == 0) {
        return otherwise;
    }
    struct hf_bytes text = {0};
    struct hf_slice kept = otherwise;
    if (hf_any_text(value, &text) == HF_OK) {
        kept = hf_document_keep(place->document, hf_slice_of(text.data, text.size));
    }
    hf_bytes_release(&text);
    return kept;
}

/* ---- encoding ---- */

static enum loki_format format_of(const struct loki *loki, const struct hf_place *place)
{
    struct hf_slice name = hint_of(place, "loki.format");
    for (int i = 0; i < LOKI_FORMAT_COUNT; i++) {
        if (hf_slice_is(name, loki_format_names[i])) {
            return (enum loki_format)i;
        }
    }
    return (enum loki_format)loki->config->format;
}

/* A time of 0 would be refused. */
static uint64_t time_of(struct hf_message *record, uint64_t received_ns)
{
    uint64_t time_ns = hf_message_u64(record, 1);
    time_ns = time_ns != 0 ? time_ns : hf_message_u64(record, 11);
    return time_ns != 0 ? time_ns : received_ns;
}

static enum hf_status add_record(struct loki *loki, struct hf_http_post *post,
                                 const struct hf_place *place, struct hf_slice key)
{
    uint32_t stream;
    size_t line_at = loki->push.lines.size;
    enum hf_status status = loki_labels_read(&loki->config->labels, place, key, &loki->labels);
    if (status == HF_OK && loki->labels.count == 0) {
        post->left_out++;
        snprintf(post->why, sizeof(post->why), "the record has no label, and Loki takes none such");
        return HF_OK;
    }
    loki->labels_text.size = 0;
    status = status == HF_OK ? loki_labels_write(&loki->labels, &loki->labels_text) : status;
    if (status == HF_OK) {
        status = loki_push_stream(
            &loki->push, hf_slice_of(loki->labels_text.data, loki->labels_text.size), &stream);
    }
    if (status == HF_OK) {
        status = loki_line_write(place, &loki->labels, format_of(loki, place), &loki->push.lines);
    }
    if (status == HF_OK) {
        status =
            loki_push_entry(&loki->push, stream,
                            time_of(place->item, post->export->bodies[0].received_ns), line_at);
    }
    return status;
}

static bool is_same_tenant(const struct loki *loki, struct hf_slice tenant)
{
    return hf_slice_is(tenant, loki->tenant);
}

static enum hf_status begin_tenant(struct loki *loki, struct hf_http_post *post,
                                   struct hf_slice tenant)
{
    if (tenant.size >= sizeof(loki->tenant) ||
        (tenant.size != 0 && memchr(tenant.data, 0, tenant.size) != NULL)) {
        snprintf(post->why, sizeof(post->why), "the name of the tenant is no header's value");
        return HF_INVALID;
    }
    snprintf(loki->tenant, sizeof(loki->tenant), "%.*s", (int)tenant.size,
             tenant.size != 0 ? (const char *)tenant.data : "");
    if (tenant.size != 0) {
        loki->tenant_header =
            (struct hf_header){hf_slice_text("x-scope-orgid"), hf_slice_text(loki->tenant)};
        post->headers = &loki->tenant_header;
        post->header_count = 1;
    }
    return HF_OK;
}

/* Records of the first one's tenant; `post->data` says that there are others. */
static enum hf_status add_records(struct loki *loki, struct hf_http_post *post,
                                  struct hf_document *document)
{
    struct hf_place place = {.document = document};
    struct hf_slice otherwise = static_tenant(loki, post->export->meta);
    enum hf_status status = HF_OK;
    bool is_first = true;
    while (status == HF_OK && hf_place_next_item(&place)) {
        struct hf_slice key = tenant_key(loki, &place);
        struct hf_slice tenant = tenant_of(&place, key, otherwise);
        if (is_first) {
            status = begin_tenant(loki, post, tenant);
            is_first = false;
        }
        if (status == HF_OK && is_same_tenant(loki, tenant)) {
            status = add_record(loki, post, &place, key);
        } else if (status == HF_OK) {
            post->data = loki;
        }
    }
    return status == HF_OK ? hf_document_status(document) : status;
}

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct loki *loki = user;
    struct hf_slice raw;
    const struct hf_export *export = post->export;
    enum hf_status status =
        hf_payload_read(&post->payload, export->bodies, export->body_count, &raw);
    if (status != HF_OK) {
        return status;
    }
    struct hf_document *document = hf_document_borrow(HF_LOGS, raw);
    if (document == NULL) {
        return HF_NOMEM;
    }
    loki_push_begin(&loki->push);
    post->content_type = "application/x-protobuf";
    post->content_encoding = NULL; /* the body is a snappy block with and without it */
    status = add_records(loki, post, document);
    hf_document_return(document);
    if (status == HF_OK && loki->push.entry_count != 0) {
        status = loki_push_write(&loki->push, &post->payload.bytes);
        status = status == HF_OK ? hf_payload_seal(&post->payload, HF_SNAPPY_BLOCK, 0) : status;
    }
    return status;
}

/* ---- answers ---- */

static enum hf_status add_other(struct loki *loki, uint32_t index)
{
    struct hf_item_outcome *last =
        loki->other_count != 0 ? &loki->others[loki->other_count - 1] : NULL;
    if (last != NULL && last->first + last->count == index) {
        last->count++;
        return HF_OK;
    }
    if (loki->other_count == loki->other_capacity) {
        size_t capacity = loki->other_capacity != 0 ? 2 * loki->other_capacity : 16;
        struct hf_item_outcome *others = reallocarray(loki->others, capacity, sizeof(*others));
        if (others == NULL) {
            return HF_NOMEM;
        }
        loki->others = others;
        loki->other_capacity = capacity;
    }
    /* They were in no request, so that no attempt is counted and nothing waits. */
    loki->others[loki->other_count++] =
        (struct hf_item_outcome){.first = index, .count = 1, .status = HF_CLOSED};
    return HF_OK;
}

static enum hf_status list_others(struct loki *loki, const struct hf_export *export)
{
    struct hf_slice raw;
    loki->other_count = 0;
    enum hf_status status =
        hf_payload_read(&loki->second_look, export->bodies, export->body_count, &raw);
    struct hf_document *document = status == HF_OK ? hf_document_borrow(HF_LOGS, raw) : NULL;
    if (document == NULL) {
        return HF_NOMEM;
    }
    struct hf_place place = {.document = document};
    struct hf_slice otherwise = static_tenant(loki, export->meta), first = HF_EMPTY_SLICE;
    for (uint32_t i = 0; status == HF_OK && hf_place_next_item(&place); i++) {
        struct hf_slice tenant = tenant_of(&place, tenant_key(loki, &place), otherwise);
        if (i == 0) {
            first = tenant;
        } else if (!hf_slice_equal(tenant, first)) {
            status = add_other(loki, i);
        }
    }
    status = status == HF_OK ? hf_document_status(document) : status;
    hf_document_return(document);
    return status;
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    struct loki *loki = user;
    hf_http_judge(result, ret);
    if (post->data == NULL || ret->outcome.status != HF_OK) {
        return;
    }
    enum hf_status status = list_others(loki, post->export);
    if (status != HF_OK) {
        ret->outcome.status = status; /* all of it again: Loki knows a line that it has */
        ret->outcome.message = "no memory to tell the tenants apart";
        return;
    }
    ret->outcome.items = loki->others;
    ret->outcome.item_count = loki->other_count;
}

/* ---- the component ---- */

static void send_export(void *self, struct hf_export *export)
{
    struct loki *loki = self;
    hf_http_exporter_send(loki->http, export);
}

static const char *const *context_keys(void *self, size_t *ret_count)
{
    const struct loki *loki = self;
    *ret_count = loki->context_key_count;
    return loki->context_keys;
}

static void close_exporter(void *self)
{
    struct loki *loki = self;
    hf_http_exporter_close(loki->http);
    loki_push_release(&loki->push);
    hf_bytes_release(&loki->labels_text);
    hf_payload_release(&loki->second_look);
    free(loki->others);
    free(loki->context_keys);
    free(loki);
}

/* Those of the credentials, and the header that names the tenant. */
static enum hf_status list_context_keys(struct loki *loki)
{
    size_t count;
    const char *const *keys = hf_http_exporter_context_keys(loki->http, &count);
    const struct tenant_config *tenant = loki->config->tenant;
    loki->context_keys = calloc(count + 1, sizeof(*loki->context_keys));
    if (loki->context_keys == NULL) {
        return HF_NOMEM;
    }
    if (count != 0) {
        memcpy(loki->context_keys, keys, count * sizeof(*keys));
    }
    if (tenant != NULL && tenant->source == TENANT_CONTEXT) {
        loki->context_keys[count++] = tenant->value;
    }
    loki->context_key_count = count;
    return HF_OK;
}

static enum hf_status open_exporter(struct hf_node *node, const void *config, void **ret_self,
                                    char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    struct loki *loki = calloc(1, sizeof(*loki));
    if (loki == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    loki->config = config;
    const struct hf_http_exporter_options options = {
        .node = node,
        .config = &loki->config->http,
        .paths = {[HF_LOGS] = ""},
        .ops = &ops,
        .user = loki,
    };
    enum hf_status status = hf_http_exporter_open(&options, &loki->http, reterr);
    status = status == HF_OK ? list_context_keys(loki) : status;
    if (status != HF_OK) {
        close_exporter(loki);
        return status;
    }
    *ret_self = loki;
    return HF_OK;
}

static const char *check_config(const void *from)
{
    const struct loki_config *config = from;
    if (config->tenant != NULL && config->tenant_id != NULL) {
        return "tenant and tenant_id exclude each other";
    }
    if (config->tenant != NULL && config->tenant->source == TENANT_CONTEXT) {
        for (const char *at = config->tenant->value; *at != '\0'; at++) {
            if (*at >= 'A' && *at <= 'Z') {
                return "tenant::value: the header's name is written in lower case";
            }
        }
    }
    return hf_http_client_check(&config->http);
}

static const char *expect_record_field(const char *key, const char *text)
{
    (void)text;
    bool is_known = strcmp(key, "traceID") == 0 || strcmp(key, "spanID") == 0 ||
                    strcmp(key, "severity") == 0 || strcmp(key, "severityN") == 0;
    return is_known ? NULL : "traceID, spanID, severity or severityN";
}

static const struct hf_field label_fields[] = {
    {.key = "attributes",
     .type = HF_FIELD_MAP,
     .offset = offsetof(struct loki_label_maps, attributes),
     .help = "Attributes of the record, or of its resource when it has none such, that are labels: "
             "name to label; an empty label is the name itself."},
    {.key = "resource",
     .type = HF_FIELD_MAP,
     .offset = offsetof(struct loki_label_maps, resource),
     .help = "The same, of the resource only."},
    {.key = "record",
     .type = HF_FIELD_MAP,
     .offset = offsetof(struct loki_label_maps, record),
     .validate = expect_record_field,
     .help = "Fields of the record that are labels: traceID, spanID, severity, severityN."},
    HF_FIELDS_END,
};

#define DEFAULT_LABEL(name, what)                                                                  \
    {                                                                                              \
        .key = #name, .type = HF_FIELD_BOOL, .offset = offsetof(struct loki_default_labels, name), \
        .default_text = "true", .help = (what)                                                     \
    }

static const struct hf_field default_label_fields[] = {
    DEFAULT_LABEL(exporter, "exporter=\"OTLP\"."),
    DEFAULT_LABEL(job, "service.namespace/service.name, or service.name."),
    DEFAULT_LABEL(instance, "service.instance.id."),
    DEFAULT_LABEL(level, "The attribute level, or the severity: INFO, ERROR2."),
    HF_FIELDS_END,
};

static const struct hf_field tenant_fields[] = {
    {.key = "source",
     .type = HF_FIELD_ENUM,
     .offset = offsetof(struct tenant_config, source),
     .required = true,
     .choices = (const char *const[]){"static", "attributes", "context", NULL},
     .help = "static: the value itself; attributes: the attribute of that name; context: the "
             "header of that name that came with the records."},
    {.key = "value",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct tenant_config, value),
     .required = true,
     .help = "The tenant, or the name of what holds it."},
    HF_FIELDS_END,
};

#define AT(member) offsetof(struct loki_config, member)

static const struct hf_field fields[] = {
    {.key = "endpoint",
     .type = HF_FIELD_STRING,
     .offset = AT(http.endpoint),
     .required = true,
     .validate = hf_http_client_expect_url,
     .help = "The whole URL, with /loki/api/v1/push."},
    {.key = "default_labels_enabled",
     .type = HF_FIELD_STRUCT,
     .offset = AT(labels.defaults),
     .inner = default_label_fields,
     .help = "Labels of every record."},
    {.key = "labels",
     .type = HF_FIELD_STRUCT,
     .offset = AT(labels.maps),
     .inner = label_fields,
     .help = "Labels of attributes, beside those that the attributes loki.attribute.labels and "
             "loki.resource.labels name. What is a label is not repeated in the line."},
    {.key = "format",
     .type = HF_FIELD_ENUM,
     .offset = AT(format),
     .default_text = "json",
     .choices = loki_format_names,
     .help = "The line: json, logfmt, or raw (body), the body alone; the attribute loki.format "
             "wins."},
    {.key = "tenant",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(tenant),
     .inner = tenant_fields,
     .inner_size = sizeof(struct tenant_config),
     .help = "Where X-Scope-OrgID comes from; the attribute loki.tenant, which names another, "
             "wins. Records of several tenants are several requests."},
    {.key = "tenant_id",
     .type = HF_FIELD_STRING,
     .offset = AT(tenant_id),
     .help = "X-Scope-OrgID; older than tenant."},
    HF_HTTP_CLIENT_FIELDS(struct loki_config, http),
    HF_HTTP_IGNORED("compression", "Requests are snappy blocks."),
    HF_FIELDS_END,
};

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .context_keys = context_keys,
    .timeout = "30s",
};

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct loki_config *config = from;
    hf_probe_http_client(probe, &config->http, NULL);
    hf_probe_export(probe);
}

const struct hf_component hf_exporter_loki = {
    .type = "loki",
    .help = "Sends log records to Loki's push API; new setups may use otlphttp and Loki's /otlp.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct loki_config),
    .fields = fields,
    .check = check_config,
    .probe = probe_outside,
    .open = open_exporter,
    .close = close_exporter,
    .exporter = &exporter_ops,
};
