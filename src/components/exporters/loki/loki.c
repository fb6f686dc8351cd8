/*
 * loki: pushes log records to Loki as lines of labelled streams.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>
#include <holdfast/meta.h>

#include "loki_records.h"
#include "pdata/payload.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "support/settings/confighttp.h"

#define TENANT_MAX 256u

struct loki_config {
    struct hf_http_client_config http;
    struct loki_record_config records;
    const char *tenant_id;
};

struct loki {
    const struct loki_config *config;
    struct hf_http_exporter *http;
    struct loki_records records;
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
    if (config->records.tenant == NULL) {
        return config->tenant_id != NULL ? hf_slice_text(config->tenant_id) : HF_EMPTY_SLICE;
    }
    if (config->records.tenant->source == LOKI_TENANT_STATIC) {
        return hf_slice_text(config->records.tenant->value);
    }
    if (config->records.tenant->source == LOKI_TENANT_CONTEXT &&
        hf_meta_find(meta, HF_META_HEADER, config->records.tenant->value, &value)) {
        return value;
    }
    return HF_EMPTY_SLICE;
}

/* That of one record. */
static struct hf_slice tenant_of(struct loki *loki, const struct hf_place *place,
                                 struct hf_slice otherwise)
{
    struct hf_slice tenant = loki_records_tenant(&loki->records, place);
    return tenant.size != 0 ? tenant : otherwise;
}

/* ---- encoding ---- */

static enum hf_status add_record(struct loki *loki, struct hf_http_post *post,
                                 const struct hf_place *place)
{
    bool is_taken;
    enum hf_status status =
        loki_records_add(&loki->records, place, post->export->bodies[0].received_ns, &is_taken);
    if (status == HF_OK && !is_taken) {
        post->left_out++;
        snprintf(post->why, sizeof(post->why), "the record has no label, and Loki takes none such");
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
        struct hf_slice tenant = tenant_of(loki, &place, otherwise);
        if (is_first) {
            status = begin_tenant(loki, post, tenant);
            is_first = false;
        }
        if (status == HF_OK && is_same_tenant(loki, tenant)) {
            status = add_record(loki, post, &place);
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
    loki_records_begin(&loki->records);
    loki_push_begin(&loki->records.push);
    post->content_type = "application/x-protobuf";
    post->content_encoding = NULL; /* the body is a snappy block with and without it */
    status = add_records(loki, post, document);
    hf_document_return(document);
    if (status == HF_OK && loki->records.push.entry_count != 0) {
        status = loki_push_write(&loki->records.push, &post->payload.bytes);
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
    loki_records_begin(&loki->records);
    struct hf_place place = {.document = document};
    struct hf_slice otherwise = static_tenant(loki, export->meta), first = HF_EMPTY_SLICE;
    for (uint32_t i = 0; status == HF_OK && hf_place_next_item(&place); i++) {
        struct hf_slice tenant = tenant_of(loki, &place, otherwise);
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
    loki_records_release(&loki->records);
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
    const struct loki_tenant_config *tenant = loki->config->records.tenant;
    loki->context_keys = calloc(count + 1, sizeof(*loki->context_keys));
    if (loki->context_keys == NULL) {
        return HF_NOMEM;
    }
    if (count != 0) {
        memcpy(loki->context_keys, keys, count * sizeof(*keys));
    }
    if (tenant != NULL && tenant->source == LOKI_TENANT_CONTEXT) {
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
    if (loki_records_init(&loki->records, &loki->config->records) != HF_OK) {
        close_exporter(loki);
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
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
    if (config->records.tenant != NULL && config->tenant_id != NULL) {
        return "tenant and tenant_id exclude each other";
    }
    if (config->records.tenant != NULL && config->records.tenant->source == LOKI_TENANT_CONTEXT) {
        for (const char *at = config->records.tenant->value; *at != '\0'; at++) {
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
     .offset = offsetof(struct loki_tenant_config, source),
     .required = true,
     .choices = (const char *const[]){"static", "attributes", "context", NULL},
     .help = "static: the value itself; attributes: the attribute of that name; context: the "
             "header of that name that came with the records."},
    {.key = "value",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct loki_tenant_config, value),
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
     .offset = AT(records.labels.defaults),
     .inner = default_label_fields,
     .help = "Labels of every record."},
    {.key = "labels",
     .type = HF_FIELD_STRUCT,
     .offset = AT(records.labels.maps),
     .inner = label_fields,
     .help = "Labels of attributes, beside those that the attributes loki.attribute.labels and "
             "loki.resource.labels name. What is a label is not repeated in the line."},
    {.key = "format",
     .type = HF_FIELD_ENUM,
     .offset = AT(records.format),
     .default_text = "json",
     .choices = loki_format_names,
     .help = "The line: json, logfmt, or raw (body), the body alone; the attribute loki.format "
             "wins."},
    {.key = "tenant",
     .type = HF_FIELD_OPTIONAL,
     .offset = AT(records.tenant),
     .inner = tenant_fields,
     .inner_size = sizeof(struct loki_tenant_config),
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
