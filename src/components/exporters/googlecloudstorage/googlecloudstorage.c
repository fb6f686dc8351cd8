/*
 * googlecloudstorage: writes each export request as an object into a bucket of Google Cloud
 * Storage.
 *
 * An object's name says where its first record stands in the queue, so that another attempt writes
 * the same object again (support/sending/object_name.h). Spoken is the JSON interface with a token,
 * or the XML interface with a signature by an HMAC key.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <holdfast/component.h>

#include "aws/sigv4.h"
#include "gcs_config.h"
#include "pdata/json_write.h"
#include "support/probe/probe_server.h"
#include "support/sending/http_exporter.h"
#include "support/sending/object_name.h"
#include "support/tokens/google_session.h"
#include "support/tokens/oauth_answer.h"
#include "util/digest.h"
#include "json/json.h"

#define KEY_MAX 1024u /* bytes of a name; what Cloud Storage allows */
#define PREFIX_MAX 512u
#define SCOPE "https://www.googleapis.com/auth/devstorage.read_write"
#define ANSWER_BYTES_MAX ((size_t)1 << 20)

/* The steps of an export: the object, and before it, when there is none yet, the bucket. */
enum step { STEP_FIRST = 0, STEP_BUCKET, STEP_OBJECT };

/* Owned by the delivery's thread while that runs. */
struct storage {
    struct hf_node *node;
    const struct gcs_config *config;
    struct hf_http_client_config http_config;
    struct hf_http_exporter *http;
    struct hf_google_session *session; /* NULL: an HMAC key signs */
    struct hf_aws_credentials hmac;
    struct hf_object_namer *namer;
    char file_prefix[PREFIX_MAX];
    bool has_bucket;
    char token[HF_TOKEN_MAX]; /* of the request that is made */
    struct hf_sigv4 signature;
    char payload_sha256[HF_SHA256_HEX_SIZE + 1];
    struct hf_header headers[4];
};

/* ---- what both interfaces share ---- */

static enum hf_status put(struct hf_bytes *out, const char *text)
{
    return hf_bytes_append(out, hf_slice_text(text));
}

/* A path or a value of a URL; a slash stays where a path is meant. */
static enum hf_status put_escaped(struct hf_bytes *out, const char *text, bool is_path)
{
    enum hf_status status = HF_OK;
    for (; *text != '\0' && status == HF_OK; text++) {
        char coded[4];
        unsigned char byte = (unsigned char)*text;
        bool is_plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL ||
                        (is_path && byte == '/');
        int size = snprintf(coded, sizeof(coded), is_plain ? "%c" : "%%%02X", byte);
        status = hf_bytes_append(out, hf_slice_of(coded, (size_t)size));
    }
    return status;
}

static const char *base_of(const struct storage *storage)
{
    return storage->config->endpoint;
}

static enum hf_status end_url(struct hf_http_post *post, enum hf_status status)
{
    status = status == HF_OK ? hf_bytes_append(&post->text, hf_slice_of("", 1)) : status;
    post->url = (const char *)post->text.data;
    return status;
}

static void add_header(struct storage *storage, struct hf_http_post *post, const char *name,
                       const char *value)
{
    storage->headers[post->header_count++] =
        (struct hf_header){hf_slice_text(name), hf_slice_text(value)};
    post->headers = storage->headers;
}

static enum hf_status sign(struct storage *storage, struct hf_http_post *post)
{
    const struct hf_sigv4_request request = {
        .method = post->method,
        .url = post->url,
        .region = "auto",
        .service = "s3",
        .payload_sha256 = storage->payload_sha256,
        .time_s = (uint64_t)time(NULL),
        .has_payload_header = true,
    };
    storage->payload_sha256[HF_SHA256_HEX_SIZE] = '\0';
    enum hf_status status =
        hf_digest_sha256_pieces(post->payload.slices, post->payload.count, storage->payload_sha256);
    status =
        status == HF_OK ? hf_sigv4_sign(&storage->hmac, &request, &storage->signature) : status;
    if (status == HF_OK) {
        add_header(storage, post, "x-amz-content-sha256", storage->payload_sha256);
        add_header(storage, post, "x-amz-date", storage->signature.date);
        add_header(storage, post, "authorization", storage->signature.authorization);
    }
    return status;
}

/* The credentials, at last: a signature is of all that is before. */
static enum hf_status authorize(struct storage *storage, struct hf_http_post *post)
{
    post->header_count = 0;
    if (storage->session == NULL) {
        return sign(storage, post);
    }
    if (!hf_google_session_copy(storage->session, storage->token)) {
        snprintf(post->why, sizeof(post->why), "there is no token of Google Cloud now");
        return HF_UNAUTHENTICATED;
    }
    add_header(storage, post, "authorization", storage->token);
    return HF_OK;
}

/* ---- the bucket ---- */

static enum hf_status put_bucket_text(struct storage *storage, struct hf_http_post *post,
                                      const char *region)
{
    const struct gcs_bucket *bucket = &storage->config->bucket;
    struct hf_slice raw;
    enum hf_status status =
        hf_payload_read(&post->payload, post->export->bodies, post->export->body_count, &raw);
    struct hf_json_writer writer = {.out = &post->payload.bytes};
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "name");
    hf_json_write_text(&writer, hf_slice_text(bucket->name));
    if (region[0] != '\0') {
        HF_JSON_WRITE_KEY(&writer, "location");
        hf_json_write_text(&writer, hf_slice_text(region));
    }
    hf_json_write_close(&writer, '}');
    status = status == HF_OK ? hf_json_write_status(&writer) : status;
    return status == HF_OK ? hf_payload_seal(&post->payload, HF_IDENTITY, 0) : status;
}

static enum hf_status encode_bucket(struct storage *storage, struct hf_http_post *post)
{
    const struct gcs_bucket *bucket = &storage->config->bucket;
    struct hf_google_facts facts;
    hf_google_session_look(storage->session, &facts);
    const char *region = bucket->region != NULL ? bucket->region : facts.region;
    if (facts.project[0] == '\0') {
        snprintf(post->why, sizeof(post->why),
                 "the bucket cannot be created: no project is known; set bucket::project_id");
        return HF_FORBIDDEN;
    }
    post->step = STEP_BUCKET;
    post->content_type = "application/json";
    post->content_encoding = NULL;
    post->text.size = 0;
    enum hf_status status = put(&post->text, base_of(storage));
    status = status == HF_OK ? put(&post->text, "/storage/v1/b?project=") : status;
    status = status == HF_OK ? put_escaped(&post->text, facts.project, false) : status;
    status = end_url(post, status);
    status = status == HF_OK ? put_bucket_text(storage, post, region) : status;
    return status == HF_OK ? authorize(storage, post) : status;
}

/* ---- the object ---- */

static enum hf_status build_payload(struct storage *storage, struct hf_http_post *post)
{
    const struct hf_export *export = post->export;
    return hf_object_build(&post->payload, (enum hf_object_format)storage->config->format, export,
                           gcs_coding(storage->config), post->why);
}

static const char *content_type_of(const struct storage *storage)
{
    static const char *const types[HF_OBJECT_FORMAT_COUNT] = {
        [HF_OBJECT_OTLP_JSON] = "application/json",
        [HF_OBJECT_OTLP_PROTO] = "application/x-protobuf",
        [HF_OBJECT_SUMO_IC] = "application/json",
        [HF_OBJECT_BODY] = "text/plain; charset=utf-8",
    };
    return types[storage->config->format];
}

static enum hf_status put_object_url(struct storage *storage, struct hf_http_post *post,
                                     const char *key)
{
    const char *bucket = storage->config->bucket.name;
    struct hf_bytes *url = &post->text;
    url->size = 0;
    enum hf_status status = put(url, base_of(storage));
    if (storage->session == NULL) {
        status = status == HF_OK ? put(url, "/") : status;
        status = status == HF_OK ? put(url, bucket) : status;
        status = status == HF_OK ? put(url, "/") : status;
        status = status == HF_OK ? put_escaped(url, key, true) : status;
        return end_url(post, status);
    }
    const char *coding = post->content_encoding;
    status = status == HF_OK ? put(url, "/upload/storage/v1/b/") : status;
    status = status == HF_OK ? put(url, bucket) : status;
    status = status == HF_OK ? put(url, "/o?uploadType=media&name=") : status;
    status = status == HF_OK ? put_escaped(url, key, false) : status;
    if (coding != NULL) {
        status = status == HF_OK ? put(url, "&contentEncoding=") : status;
        status = status == HF_OK ? put(url, coding) : status;
        post->content_encoding = NULL; /* of the object, not of the request */
    }
    return end_url(post, status);
}

static enum hf_status encode_object(struct storage *storage, struct hf_http_post *post)
{
    char key[KEY_MAX + 1];
    enum hf_coding coding = gcs_coding(storage->config);
    if (hf_object_name(storage->namer, post->export, storage->config->bucket.partition.prefix, key,
                       sizeof(key)) != HF_OK) {
        snprintf(post->why, sizeof(post->why), "the name of the object has more than 1024 bytes");
        return HF_FORBIDDEN;
    }
    post->step = STEP_OBJECT;
    post->method = storage->session != NULL ? "POST" : "PUT";
    post->content_type = content_type_of(storage);
    post->content_encoding = coding != HF_IDENTITY ? hf_coding_name(coding) : NULL;
    enum hf_status status = put_object_url(storage, post, key);
    status = status == HF_OK ? build_payload(storage, post) : status;
    if (status != HF_OK || post->payload.count == 0) {
        return status;
    }
    return authorize(storage, post);
}

/* The bucket is asked for. */
static enum hf_status encode_probe(struct storage *storage, struct hf_http_post *post)
{
    post->method = "GET";
    post->content_encoding = NULL;
    post->text.size = 0;
    enum hf_status status = put(&post->text, base_of(storage));
    status = status == HF_OK ? put(&post->text, storage->session != NULL ? "/storage/v1/b/" : "/")
                             : status;
    status = status == HF_OK ? put(&post->text, storage->config->bucket.name) : status;
    status = status == HF_OK
                 ? put(&post->text, storage->session != NULL ? "/o?maxResults=1" : "?max-keys=1")
                 : status;
    status = end_url(post, status);
    return status == HF_OK ? authorize(storage, post) : status;
}

static enum hf_status encode(void *user, struct hf_http_post *post)
{
    struct storage *storage = user;
    bool creates_first = storage->session != NULL && !storage->has_bucket &&
                         !storage->config->bucket.reuse_if_exists;
    if (post->export->is_probe) {
        return encode_probe(storage, post);
    }
    if (post->step == STEP_BUCKET || (post->step == STEP_FIRST && creates_first)) {
        return encode_bucket(storage, post);
    }
    return encode_object(storage, post);
}

/* ---- answers ---- */

/* The words of an error: {"error":{"message":"..."}}, or <Message> of the XML interface. */
static void read_message(const struct hf_http_result *result, char *room, size_t size)
{
    static const char *const way[] = {"error", "message", NULL};
    struct hf_arena arena = {.limit = ANSWER_BYTES_MAX};
    char why[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    struct hf_slice text = HF_EMPTY_SLICE;
    if (hf_json_read(result->body, &arena, &root, why) == HF_OK) {
        text = hf_json_text(hf_json_at(root, way));
    }
    if (text.size == 0) {
        text = result->body;
    }
    if (text.size > size / 2) {
        text.size = size / 2;
    }
    snprintf(room, size, "HTTP status %d%s%.*s", result->code, text.size != 0 ? ": " : "",
             (int)text.size, text.size != 0 ? (const char *)text.data : "");
    hf_arena_release(&arena);
}

/* What is there is told by its name, so that no other server is taken for Cloud Storage. */
static bool is_stored(struct hf_slice body)
{
    struct hf_arena arena = {.limit = ANSWER_BYTES_MAX};
    char why[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    bool is_there =
        hf_json_read(body, &arena, &root, why) == HF_OK && hf_json_text_of(root, "name").size != 0;
    hf_arena_release(&arena);
    return is_there;
}

static void judge_bucket(struct storage *storage, const struct hf_http_result *result,
                         struct hf_http_judgement *ret)
{
    enum { CONFLICT = 409 };
    bool is_reused = result->code == CONFLICT && storage->config->bucket.reuse_if_exists;
    if (ret->outcome.status == HF_OK || is_reused) {
        hf_node_log(storage->node, HF_LOG_INFO, "the bucket %s %s", storage->config->bucket.name,
                    is_reused ? "exists and is used" : "is created");
        storage->has_bucket = true;
        ret->next_step = STEP_OBJECT;
        return;
    }
    ret->outcome.is_suspect = false;
    if (result->code == CONFLICT) {
        ret->outcome.message = "the bucket exists already; set bucket::reuse_if_exists to true to "
                               "write into it, or choose another name";
    }
    if (ret->outcome.status == HF_INVALID || ret->outcome.status == HF_TOO_LARGE) {
        ret->outcome.status = HF_FORBIDDEN; /* it is not about the data */
    }
}

static void judge_object(struct storage *storage, const struct hf_http_result *result,
                         struct hf_http_judgement *ret)
{
    enum { NOT_FOUND = 404 };
    if (ret->outcome.status == HF_OK) {
        storage->has_bucket = true;
        if (storage->session != NULL && !is_stored(result->body)) {
            ret->outcome.status = HF_FORBIDDEN;
            ret->outcome.message = "the answer names no object, so nothing counts as delivered: "
                                   "the endpoint is not Cloud Storage's";
        }
        return;
    }
    if (result->code == NOT_FOUND && storage->session != NULL) {
        storage->has_bucket = false;
        ret->next_step = STEP_BUCKET;
    }
    if (ret->outcome.status == HF_INVALID) {
        ret->outcome.status = HF_FORBIDDEN; /* content is never the reason */
    }
}

static void judge(void *user, const struct hf_http_post *post, const struct hf_http_result *result,
                  struct hf_http_judgement *ret)
{
    struct storage *storage = user;
    hf_http_judge(result, ret);
    if (ret->outcome.status != HF_OK) {
        read_message(result, ret->message, sizeof(ret->message));
        ret->outcome.message = ret->message;
    }
    if (ret->outcome.status == HF_UNAUTHENTICATED && storage->session != NULL) {
        hf_google_session_refused(storage->session);
    }
    if (post->export->is_probe) {
        return;
    }
    if (post->step == STEP_BUCKET) {
        judge_bucket(storage, result, ret);
    } else {
        judge_object(storage, result, ret);
    }
}

/* ---- life ---- */

static void send_export(void *self, struct hf_export *export)
{
    struct storage *storage = self;
    hf_http_exporter_send(storage->http, export);
}

static void close_storage(void *self)
{
    struct storage *storage = self;
    hf_http_exporter_close(storage->http);
    hf_google_session_free(storage->session);
    hf_object_namer_free(storage->namer);
    explicit_bzero(storage, sizeof(*storage));
    free(storage);
}

static enum hf_status check_signals(const struct storage *storage, char *reterr)
{
    enum hf_object_format format = (enum hf_object_format)storage->config->format;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        bool is_carried = (hf_node_signals(storage->node) & HF_SIGNAL_BIT(signal)) != 0;
        if (is_carried && signal != HF_LOGS && hf_object_is_for_logs_only(format)) {
            snprintf(reterr, HF_ERROR_MAX, "format: %s is for logs, not for %s",
                     hf_object_formats[format], hf_signal_name((enum hf_signal)signal));
            return HF_INVALID;
        }
    }
    return HF_OK;
}

static enum hf_status open_namer(struct storage *storage, char *reterr)
{
    const struct gcs_bucket *bucket = &storage->config->bucket;
    bool has_prefix = bucket->file_prefix != NULL && bucket->file_prefix[0] != '\0';
    int size = snprintf(storage->file_prefix, sizeof(storage->file_prefix), "%s%s",
                        has_prefix ? bucket->file_prefix : "", has_prefix ? "_" : "");
    if (size < 0 || (size_t)size >= sizeof(storage->file_prefix)) {
        snprintf(reterr, HF_ERROR_MAX, "bucket::file_prefix is longer than 510 bytes");
        return HF_INVALID;
    }
    const struct hf_object_namer_options namer = {
        .node = storage->node,
        .partition_format = bucket->partition.format,
        .time_zone = "UTC",
        .file_prefix = storage->file_prefix,
        .has_no_signal = has_prefix,
        .extension = hf_object_extension((enum hf_object_format)storage->config->format),
        .coding = gcs_coding(storage->config),
        .is_uuid = true,
    };
    return hf_object_namer_new(&namer, &storage->namer, reterr);
}

static enum hf_status open_session(struct storage *storage, char *reterr)
{
    static const char *const scopes[] = {SCOPE};
    const struct gcs_config *config = storage->config;
    const struct hf_google_session_options options = {
        .node = storage->node,
        .scopes = {scopes, 1},
        .project = config->bucket.project_id,
        .wants_zone = config->bucket.region == NULL,
    };
    if (!gcs_has_hmac(config)) {
        return hf_google_session_new(&options, &storage->session, reterr);
    }
    int id = snprintf(storage->hmac.access_key, sizeof(storage->hmac.access_key), "%s",
                      config->hmac.access_id);
    int secret = snprintf(storage->hmac.secret_key, sizeof(storage->hmac.secret_key), "%s",
                          config->hmac.secret);
    if (id >= (int)HF_AWS_TEXT_MAX || secret >= (int)HF_AWS_TEXT_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "hmac: access_id or secret is longer than 255 bytes");
        return HF_INVALID;
    }
    return HF_OK;
}

static enum hf_status open_http(struct storage *storage, char *reterr)
{
    static const struct hf_http_exporter_ops ops = {.encode = encode, .judge = judge};
    storage->http_config = (struct hf_http_client_config){
        .endpoint = storage->config->endpoint,
        .compression = "none",
        .tls = storage->config->tls,
    };
    const struct hf_http_exporter_options options = {
        .node = storage->node,
        .config = &storage->http_config,
        .paths = {[HF_TRACES] = "", [HF_METRICS] = "", [HF_LOGS] = ""},
        .has_empty_pages = storage->session == NULL, /* of the XML interface */
        .ops = &ops,
        .user = storage,
    };
    return hf_http_exporter_open(&options, &storage->http, reterr);
}

static enum hf_status open_storage(struct hf_node *node, const void *config, void **ret_self,
                                   char *reterr)
{
    struct storage *storage = calloc(1, sizeof(*storage));
    if (storage == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the exporter");
        return HF_NOMEM;
    }
    storage->node = node;
    storage->config = config;
    enum hf_status status = check_signals(storage, reterr);
    status = status == HF_OK ? open_namer(storage, reterr) : status;
    status = status == HF_OK ? open_session(storage, reterr) : status;
    status = status == HF_OK ? open_http(storage, reterr) : status;
    if (status != HF_OK) {
        close_storage(storage);
        return status;
    }
    *ret_self = storage;
    return HF_OK;
}

static enum hf_status start_storage(void *self, char *reterr)
{
    struct storage *storage = self;
    return storage->session != NULL ? hf_google_session_start(storage->session, reterr) : HF_OK;
}

static void stop_storage(void *self)
{
    struct storage *storage = self;
    if (storage->session != NULL) {
        hf_google_session_stop(storage->session);
    }
}

static void probe_outside(const void *from, struct hf_probe *probe)
{
    const struct gcs_config *config = from;
    const struct hf_http_client_config http = {.endpoint = config->endpoint, .tls = config->tls};
    if (!gcs_has_hmac(config)) {
        hf_probe_read(probe, getenv("GOOGLE_APPLICATION_CREDENTIALS"));
    }
    hf_probe_http_client(probe, &http, NULL);
    hf_probe_export(probe);
}

static const struct hf_exporter_ops exporter_ops = {
    .send = send_export,
    .request_bytes_max = (uint64_t)64 << 20,
};

const struct hf_component hf_exporter_googlecloudstorage = {
    .type = "googlecloudstorage",
    .aliases = (const char *const[]){"google_cloud_storage", NULL},
    .help = "Writes requests as objects into a bucket of Google Cloud Storage.",
    .kind = HF_EXPORTER,
    .signals = HF_SIGNAL_BIT(HF_TRACES) | HF_SIGNAL_BIT(HF_METRICS) | HF_SIGNAL_BIT(HF_LOGS),
    .config_size = sizeof(struct gcs_config),
    .fields = gcs_fields,
    .check = gcs_check,
    .probe = probe_outside,
    .open = open_storage,
    .start = start_storage,
    .stop = stop_storage,
    .close = close_storage,
    .exporter = &exporter_ops,
};
