#include "detect_metadata.h"

#include <stdio.h>
#include <string.h>

#include "detect.h"
#include "pdata/json_any.h"

/* One detection: the service, the token and the document that it gave. */
struct asked {
    struct hf_detection *detection;
    const struct hf_metadata_service *service;
    struct hf_slice token, document;
};

/* The URL, by https if the configuration says so. */
static const char *address(struct hf_detection *detection, const char *url, const char *path)
{
    static const char http[] = "http:";
    const char *protocol = detection->config->protocol;
    bool is_changed = protocol != NULL && strncmp(url, http, sizeof(http) - 1) == 0;
    return hf_detection_text(detection, "%s%s%s", is_changed ? protocol : "",
                             is_changed ? url + sizeof(http) - 2 : url, path);
}

static void add_header(struct hf_detection_call *call, const char *name, struct hf_slice value)
{
    if (call->header_count < HF_DETECTION_HEADERS_MAX) {
        call->headers[call->header_count++] = (struct hf_header){hf_slice_text(name), value};
    }
}

/* A list of one text is that text. */
static struct hf_slice unlisted(struct hf_slice text)
{
    static const char before[] = "[\"", after[] = "\"]";
    const size_t size = sizeof(before) - 1;
    bool is_list = text.size >= 2 * size && memcmp(text.data, before, size) == 0 &&
                   memcmp(text.data + text.size - size, after, size) == 0;
    return is_list ? hf_slice_of(text.data + size, text.size - 2 * size) : text;
}

static enum hf_status get_token(struct asked *asked)
{
    struct hf_detection *detection = asked->detection;
    const struct hf_metadata_token *token = asked->service->token;
    struct hf_slice answer = HF_EMPTY_SLICE;
    if (token == NULL) {
        return HF_OK;
    }
    struct hf_detection_call call = {
        .method = "PUT", .url = address(detection, token->url, ""), .body = token->body};
    add_header(&call, token->header, hf_slice_text(token->value));
    add_header(&call, "accept", hf_slice_text("application/json"));
    enum hf_status status = token->from != NULL ? hf_detection_fetch_json(detection, &call, &answer)
                                                : hf_detection_fetch(detection, &call, &answer);
    if (status == HF_OK) {
        answer = token->from != NULL ? hf_json_any_text(&detection->maker, answer, token->from)
                                     : unlisted(hf_detection_trimmed(answer));
        asked->token = hf_slice_text(
            hf_detection_text(detection, "%s%.*s", token->prefix != NULL ? token->prefix : "",
                              (int)answer.size, (const char *)answer.data));
    }
    return status;
}

static struct hf_detection_call call_of(const struct asked *asked, const char *url)
{
    const struct hf_metadata_service *service = asked->service;
    struct hf_detection_call call = {.url = url};
    if (service->header != NULL) {
        add_header(&call, service->header, hf_slice_text(service->header_value));
    }
    if (service->token != NULL) {
        add_header(&call, service->token->into, asked->token);
    }
    return call;
}

static enum hf_status get_document(struct asked *asked, const char *url)
{
    struct hf_detection_call call = call_of(asked, address(asked->detection, url, ""));
    add_header(&call, "accept", hf_slice_text("application/json"));
    return hf_detection_fetch_json(asked->detection, &call, &asked->document);
}

static enum hf_status open_service(struct asked *asked)
{
    const struct hf_metadata_service *service = asked->service;
    enum hf_status status = get_token(asked);
    if (status != HF_OK || !service->is_document) {
        return status;
    }
    status = get_document(asked, service->url);
    if (status == HF_NOT_FOUND && service->other_url != NULL) {
        status = get_document(asked, service->other_url);
    }
    return status;
}

/* Empty: the service does not tell it. */
static struct hf_slice value_of(const struct asked *asked, const char *from)
{
    struct hf_detection *detection = asked->detection;
    if (asked->service->is_document) {
        return hf_json_any_text(&detection->maker, asked->document, from);
    }
    const struct hf_detection_call call =
        call_of(asked, address(detection, asked->service->url, from));
    struct hf_slice text = HF_EMPTY_SLICE;
    return hf_detection_fetch(detection, &call, &text) == HF_OK ? hf_detection_trimmed(text)
                                                                : HF_EMPTY_SLICE;
}

static enum hf_status set_values(const struct asked *asked)
{
    struct hf_detection *detection = asked->detection;
    bool is_there = false;
    for (const struct hf_metadata_value *at = asked->service->values; at->attribute != NULL; at++) {
        if (at->text != NULL) {
            hf_detection_set_text(detection, at->attribute, at->text);
        } else if (at->from != NULL &&
                   (!is_there || hf_detection_wants(detection, at->attribute))) {
            struct hf_slice value = value_of(asked, at->from);
            if (!is_there && value.size == 0) {
                if (asked->service->is_document) {
                    snprintf(detection->why, sizeof(detection->why), "%s: no \"%s\"",
                             asked->service->url, at->from);
                }
                return HF_NOT_FOUND;
            }
            is_there = true;
            hf_detection_set(detection, at->attribute, value);
        }
    }
    return HF_OK;
}

enum hf_status hf_metadata_detect(struct hf_detection *detection)
{
    struct asked asked = {.detection = detection, .service = detection->detector->service};
    enum hf_status status = open_service(&asked);
    if (status == HF_OK) {
        status = set_values(&asked);
    }
    if (status == HF_OK && asked.service->more != NULL) {
        asked.service->more(detection, asked.document);
    }
    return status;
}
