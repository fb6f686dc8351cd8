#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "kubernetes/request.h"
#include "pdata/json_value.h"
#include "pdata/json_write.h"
#include "util/time/clock.h"
#include "util/tls/certificate_make.h"
#include "json/json.h"

#define TIMEOUT_NS (10 * HF_NS_PER_S)
#define AUTHORITY_LIFETIME_S (UINT64_C(3650) * 24 * 3600)
#define PATH_BYTES_MAX 700u
#define SECRETS "/api/v1/namespaces/%s/secrets"
#define CONFIGURATIONS "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/%s"

/* The Secret's content. */
struct bundle {
    struct hf_certificate server, authority;
    char *trusted;    /* PEM texts of all authorities, the current one first */
    char version[64]; /* the Secret's resourceVersion; "": there is none yet */
};

static void release_bundle(struct bundle *bundle)
{
    hf_certificate_release(&bundle->server);
    hf_certificate_release(&bundle->authority);
    free(bundle->trusted);
    *bundle = (struct bundle){.trusted = NULL};
}

static enum hf_status ask(struct hf_trust *trust, const struct hf_kube_question *question,
                          struct hf_bytes *ret_body, char *reterr)
{
    int code = 0;
    struct hf_kube_question asked = *question;
    asked.deadline_ns = hf_clock_monotonic_ns() + TIMEOUT_NS;
    return hf_kube_ask(trust->options.client, &asked, ret_body, &code, reterr);
}

/* ---- the Secret ---- */

/* malloc'd; NULL: it is not there, or no base64. */
static char *decode(const struct hf_json *data, const char *key)
{
    struct hf_slice text = hf_json_text_of(data, key);
    size_t size = 0;
    uint8_t *room = text.size != 0 ? malloc(HF_JSON_BASE64_ROOM(text.size) + 1) : NULL;
    if (room == NULL || !hf_json_read_base64(text, room, &size)) {
        free(room);
        return NULL;
    }
    room[size] = '\0';
    return (char *)room;
}

static enum hf_status read_secret(struct hf_trust *trust, struct bundle *ret_bundle, char *reterr)
{
    char path[PATH_BYTES_MAX], why[HF_JSON_ERROR_MAX];
    struct hf_bytes body = {0};
    struct hf_arena arena = {.limit = 8u << 20};
    const struct hf_json *secret = NULL;
    snprintf(path, sizeof(path), SECRETS "/%s", trust->options.namespace, trust->options.secret);
    *ret_bundle = (struct bundle){.trusted = NULL};
    enum hf_status status =
        ask(trust, &(const struct hf_kube_question){.path = path}, &body, reterr);
    if (status == HF_NOT_FOUND) {
        return HF_OK;
    }
    if (status == HF_OK) {
        status = hf_json_read(hf_slice_of(body.data, body.size), &arena, &secret, why);
    }
    if (status == HF_OK) {
        const struct hf_json *data = hf_json_get(secret, "data");
        struct hf_slice version =
            hf_json_text_of(hf_json_get(secret, "metadata"), "resourceVersion");
        ret_bundle->server.certificate = decode(data, "tls.crt");
        ret_bundle->server.key = decode(data, "tls.key");
        ret_bundle->authority.certificate = decode(data, "authority.crt");
        ret_bundle->authority.key = decode(data, "authority.key");
        ret_bundle->trusted = decode(data, "ca.crt");
        snprintf(ret_bundle->version, sizeof(ret_bundle->version), "%.*s", (int)version.size,
                 version.size != 0 ? (const char *)version.data : "");
    }
    hf_arena_release(&arena);
    hf_bytes_release(&body);
    return status;
}

static void put(struct hf_json_writer *writer, const char *key, const char *text)
{
    hf_json_write_key(writer, hf_slice_text(key));
    hf_json_write_text(writer, hf_slice_text(text));
}

static void write_object(const struct hf_trust *trust, const struct bundle *bundle,
                         struct hf_json_writer *writer)
{
    hf_json_write_open(writer, '{');
    put(writer, "apiVersion", "v1");
    put(writer, "kind", "Secret");
    put(writer, "type", "kubernetes.io/tls");
    HF_JSON_WRITE_KEY(writer, "metadata");
    hf_json_write_open(writer, '{');
    put(writer, "name", trust->options.secret);
    put(writer, "namespace", trust->options.namespace);
    if (bundle->version[0] != '\0') {
        put(writer, "resourceVersion", bundle->version);
    }
    hf_json_write_close(writer, '}');
    HF_JSON_WRITE_KEY(writer, "stringData");
    hf_json_write_open(writer, '{');
    put(writer, "tls.crt", bundle->server.certificate);
    put(writer, "tls.key", bundle->server.key);
    put(writer, "authority.crt", bundle->authority.certificate);
    put(writer, "authority.key", bundle->authority.key);
    put(writer, "ca.crt", bundle->trusted);
    hf_json_write_close(writer, '}');
    hf_json_write_close(writer, '}');
}

static enum hf_status write_secret(struct hf_trust *trust, const struct bundle *bundle,
                                   char *reterr)
{
    char path[PATH_BYTES_MAX];
    struct hf_bytes text = {0}, answer = {0};
    struct hf_json_writer writer = {.out = &text};
    bool is_new = bundle->version[0] == '\0';
    write_object(trust, bundle, &writer);
    enum hf_status status = hf_json_write_status(&writer);
    snprintf(path, sizeof(path), SECRETS "%s%s", trust->options.namespace, is_new ? "" : "/",
             is_new ? "" : trust->options.secret);
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (status == HF_OK) {
        const struct hf_kube_question question = {.method = is_new ? "POST" : "PUT",
                                                  .path = path,
                                                  .json = hf_slice_of(text.data, text.size)};
        status = ask(trust, &question, &answer, reterr);
    }
    hf_bytes_release(&text);
    hf_bytes_release(&answer);
    return status == HF_EXISTS ? HF_AGAIN : status;
}

/* ---- what is made ---- */

/* Is less than a third of its life left? One that cannot be read: yes. */
static bool is_due(const char *pem, uint64_t lifetime_s)
{
    int64_t begin_s = 0, end_s = 0;
    int64_t now_s = (int64_t)(hf_clock_unix_ns() / HF_NS_PER_S);
    return !hf_certificate_window(pem, &begin_s, &end_s) || now_s < begin_s ||
           now_s >= end_s - (int64_t)(lifetime_s / 3);
}

static enum hf_status renew_authority(struct bundle *bundle)
{
    struct hf_certificate made = {0};
    char *trusted = NULL;
    enum hf_status status =
        hf_certificate_make_authority("holdfast webhook", AUTHORITY_LIFETIME_S, &made);
    if (status != HF_OK) {
        return status;
    }
    /* Until the other replicas have certificates of the new one, the old one counts too. */
    const char *old = bundle->authority.certificate != NULL ? bundle->authority.certificate : "";
    if (asprintf(&trusted, "%s%s", made.certificate, old) < 0) {
        hf_certificate_release(&made);
        return HF_NOMEM;
    }
    hf_certificate_release(&bundle->authority);
    free(bundle->trusted);
    bundle->authority = made;
    bundle->trusted = trusted;
    return HF_OK;
}

static enum hf_status renew_server(const struct hf_trust *trust, struct bundle *bundle)
{
    const struct hf_trust_options *options = &trust->options;
    char names[4][600];
    snprintf(names[0], sizeof(names[0]), "%s.%s.svc", options->service, options->namespace);
    snprintf(names[1], sizeof(names[1]), "%s.%s.svc.cluster.local", options->service,
             options->namespace);
    snprintf(names[2], sizeof(names[2]), "%s.%s", options->service, options->namespace);
    snprintf(names[3], sizeof(names[3]), "%s", options->service);
    const char *const all[] = {names[0], names[1], names[2], names[3]};
    struct hf_certificate made = {0};
    enum hf_status status =
        hf_certificate_issue(&bundle->authority, all, 4, options->lifetime_s, &made);
    if (status == HF_OK) {
        hf_certificate_release(&bundle->server);
        bundle->server = made;
    }
    return status;
}

/* Whether anything was made; a damaged bundle is replaced. */
static enum hf_status renew(const struct hf_trust *trust, struct bundle *bundle, bool *ret_made)
{
    char name[600];
    enum hf_status status = HF_OK;
    snprintf(name, sizeof(name), "%s.%s.svc", trust->options.service, trust->options.namespace);
    bool new_authority = bundle->trusted == NULL || bundle->authority.key == NULL ||
                         is_due(bundle->authority.certificate, AUTHORITY_LIFETIME_S);
    bool new_server = new_authority ||
                      is_due(bundle->server.certificate, trust->options.lifetime_s) ||
                      !hf_certificate_fits(&bundle->server, bundle->trusted, name);
    if (new_authority) {
        status = renew_authority(bundle);
    }
    if (status == HF_OK && new_server) {
        status = renew_server(trust, bundle);
    }
    *ret_made = new_server;
    return status;
}

/* ---- files ---- */

static enum hf_status write_file(const char *path, const char *text, char *reterr)
{
    char fresh[PATH_BYTES_MAX];
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t size = strlen(text);
    bool done = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0) {
        done = close(fd) == 0 && done;
    }
    if (!done || rename(fresh, path) != 0) {
        snprintf(reterr, HF_ERROR_MAX, "%.300s cannot be written: %s", path, strerror(errno));
        return HF_IO;
    }
    return HF_OK;
}

static enum hf_status install(struct hf_trust *trust, const struct bundle *bundle, bool *ret_new,
                              char *reterr)
{
    *ret_new = trust->written == NULL || strcmp(trust->written, bundle->server.certificate) != 0;
    if (!*ret_new) {
        return HF_OK;
    }
    enum hf_status status = write_file(trust->options.key_file, bundle->server.key, reterr);
    if (status == HF_OK) {
        status = write_file(trust->options.cert_file, bundle->server.certificate, reterr);
    }
    if (status == HF_OK) {
        free(trust->written);
        trust->written = strdup(bundle->server.certificate);
    }
    return status;
}

/* ---- the MutatingWebhookConfiguration ---- */

/* A patch of the hooks whose caBundle is another; empty when there are none. */
static void write_patch(const struct hf_json *hooks, struct hf_slice bundle, struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    size_t index = 0, count = 0;
    hf_json_write_open(&writer, '[');
    for (const struct hf_json *hook = hf_json_first(hooks); hook != NULL;
         hook = hook->next, index++) {
        const struct hf_json *client = hf_json_get(hook, "clientConfig");
        char path[80];
        if (client == NULL || hf_slice_equal(hf_json_text_of(client, "caBundle"), bundle)) {
            continue;
        }
        snprintf(path, sizeof(path), "/webhooks/%zu/clientConfig/caBundle", index);
        hf_json_write_open(&writer, '{');
        put(&writer, "op", "add");
        put(&writer, "path", path);
        HF_JSON_WRITE_KEY(&writer, "value");
        hf_json_write_text(&writer, bundle);
        hf_json_write_close(&writer, '}');
        count++;
    }
    hf_json_write_close(&writer, ']');
    if (count == 0 || hf_json_write_status(&writer) != HF_OK) {
        out->size = 0;
    }
}

static enum hf_status patch_hooks(struct hf_trust *trust, const char *path, struct hf_slice bundle,
                                  bool *ret_changed, char *reterr)
{
    char why[HF_JSON_ERROR_MAX];
    struct hf_bytes body = {0}, patch = {0}, answer = {0};
    struct hf_arena arena = {.limit = 16u << 20};
    const struct hf_json *object = NULL;
    enum hf_status status =
        ask(trust, &(const struct hf_kube_question){.path = path}, &body, reterr);
    if (status == HF_OK) {
        status = hf_json_read(hf_slice_of(body.data, body.size), &arena, &object, why);
    }
    if (status == HF_OK) {
        write_patch(hf_json_get(object, "webhooks"), bundle, &patch);
        *ret_changed = patch.size != 0;
    }
    if (status == HF_OK && patch.size != 0) {
        const struct hf_kube_question question = {.method = "PATCH",
                                                  .path = path,
                                                  .json = hf_slice_of(patch.data, patch.size),
                                                  .json_type = "application/json-patch+json"};
        status = ask(trust, &question, &answer, reterr);
    }
    hf_arena_release(&arena);
    hf_bytes_release(&body);
    hf_bytes_release(&patch);
    hf_bytes_release(&answer);
    return status;
}

static enum hf_status tell_hooks(struct hf_trust *trust, const struct bundle *bundle,
                                 bool *ret_changed, char *reterr)
{
    char path[PATH_BYTES_MAX];
    size_t size = strlen(bundle->trusted);
    char *text = malloc((size + 2) / 3 * 4 + 1);
    snprintf(path, sizeof(path), CONFIGURATIONS, trust->options.configuration);
    snprintf(reterr, HF_ERROR_MAX, "out of memory");
    if (text == NULL) {
        return HF_NOMEM;
    }
    size = hf_json_print_base64(hf_slice_of(bundle->trusted, size), text);
    enum hf_status status = patch_hooks(trust, path, hf_slice_of(text, size), ret_changed, reterr);
    free(text);
    return status;
}

/* ---- all of it ---- */

static enum hf_status look(struct hf_trust *trust, struct bundle *bundle, bool did[3], char *reterr)
{
    enum hf_status status = read_secret(trust, bundle, reterr);
    if (status == HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "the certificate cannot be made");
        status = renew(trust, bundle, &did[0]);
    }
    if (status == HF_OK && did[0]) {
        status = write_secret(trust, bundle, reterr);
    }
    if (status == HF_OK) {
        status = install(trust, bundle, &did[1], reterr);
    }
    if (status == HF_OK && trust->options.configuration != NULL) {
        status = tell_hooks(trust, bundle, &did[2], reterr);
    }
    return status;
}

enum hf_status hf_trust_look(struct hf_trust *trust, char *ret_did, char *reterr)
{
    struct bundle bundle = {.trusted = NULL};
    bool did[3] = {false, false, false};
    enum hf_status status = look(trust, &bundle, did, reterr);
    snprintf(ret_did, HF_ERROR_MAX, "%s%s%s", did[0] ? "a new certificate was made; " : "",
             did[1] ? "it is served from now on; " : "",
             did[2] ? "its authority is in the MutatingWebhookConfiguration; " : "");
    size_t size = strlen(ret_did);
    if (size >= 2) {
        ret_did[size - 2] = '\0';
    }
    release_bundle(&bundle);
    return status;
}

void hf_trust_release(struct hf_trust *trust)
{
    free(trust->written);
    trust->written = NULL;
}
