#include "sts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "texts.h"
#include "util/digest.h"
#include "util/escape.h"
#include "util/time/clock.h"

#define TIMEOUT_NS (10 * HF_NS_PER_S)
#define URL_ROOM 1024u

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *region_of(const struct hf_aws_role *role)
{
    const char *const choices[] = {role->sts_region, getenv("AWS_REGION"),
                                   getenv("AWS_DEFAULT_REGION")};
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        if (given(choices[i])) {
            return choices[i];
        }
    }
    return "us-east-1";
}

static void make_url(const struct hf_aws_role *role, char url[URL_ROOM])
{
    const char *own = getenv("AWS_ENDPOINT_URL_STS");
    const char *region = region_of(role);
    const char *tail = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    if (given(own)) {
        snprintf(url, URL_ROOM, "%s", own);
    } else {
        snprintf(url, URL_ROOM, "https://sts.%s.amazonaws.com%s/", region, tail);
    }
}

/* ---- the form ---- */

static bool put_escaped(struct hf_bytes *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    bool good = true;
    for (; *text != '\0' && good; text++) {
        uint8_t byte = (uint8_t)*text;
        bool is_plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= '0' && byte <= '9') || strchr("-._~", byte) != NULL;
        const char escaped[] = {'%', digits[byte >> 4], digits[byte & 15]};
        good = hf_bytes_append(out, is_plain ? hf_slice_of(&byte, 1)
                                             : hf_slice_of(escaped, sizeof(escaped))) == HF_OK;
    }
    return good;
}

static bool put_param(struct hf_bytes *out, const char *name, const char *value)
{
    return !given(value) ||
           (hf_bytes_append(out, hf_slice_text("&")) == HF_OK &&
            hf_bytes_append(out, hf_slice_text(name)) == HF_OK &&
            hf_bytes_append(out, hf_slice_text("=")) == HF_OK && put_escaped(out, value));
}

static bool put_form(struct hf_bytes *form, const char *action, const struct hf_aws_role *role)
{
    return hf_bytes_append(form, hf_slice_text("Action=")) == HF_OK &&
           hf_bytes_append(form, hf_slice_text(action)) == HF_OK &&
           hf_bytes_append(form, hf_slice_text("&Version=2011-06-15")) == HF_OK &&
           put_param(form, "RoleArn", role->arn) &&
           put_param(form, "RoleSessionName",
                     given(role->session_name) ? role->session_name : "holdfast") &&
           put_param(form, "ExternalId", role->external_id);
}

/* ---- the request ---- */

static void say_refusal(const struct hf_http_fetched *fetched, const char *url, char *reterr)
{
    struct hf_slice body = hf_slice_of(fetched->body.data, fetched->body.size);
    char code[80], message[200];
    hf_escape(HF_ESCAPE_LINE, aws_xml_text(body, "Code"), code, sizeof(code));
    hf_escape(HF_ESCAPE_LINE, aws_xml_text(body, "Message"), message, sizeof(message));
    snprintf(reterr, 512, "%.150s answered %d: %s: %s", url, fetched->code, code, message);
}

static enum hf_status post(struct hf_http_fetcher *fetcher, const char *url,
                           const struct hf_bytes *form, const struct hf_header *headers,
                           size_t header_count, struct hf_aws_credentials *ret, char *reterr)
{
    struct hf_http_fetched fetched = {0};
    const struct hf_http_fetch fetch = {
        .method = "POST",
        .url = url,
        .content_type = "application/x-www-form-urlencoded; charset=utf-8",
        .body = hf_slice_of(form->data, form->size),
        .headers = headers,
        .header_count = header_count,
        .timeout_ns = TIMEOUT_NS,
    };
    enum hf_status status = hf_http_fetch(fetcher, &fetch, &fetched);
    if (status != HF_OK) {
        snprintf(reterr, 512, "%.200s: %s", url, fetched.why);
    } else if (fetched.code != 200) {
        say_refusal(&fetched, url, reterr);
        status = fetched.code < 500 ? HF_UNAUTHENTICATED : HF_AGAIN;
    } else {
        status = aws_credentials_of_xml(hf_slice_of(fetched.body.data, fetched.body.size), ret);
        if (status != HF_OK) {
            snprintf(reterr, 512, "the answer of %.200s has no credentials", url);
        }
    }
    if (fetched.body.data != NULL) {
        explicit_bzero(fetched.body.data, fetched.body.size);
    }
    hf_bytes_release(&fetched.body);
    return status;
}

enum hf_status aws_sts_web_identity(struct hf_http_fetcher *fetcher, const struct hf_aws_role *role,
                                    struct hf_aws_credentials *ret, char *reterr)
{
    char url[URL_ROOM], token[HF_AWS_TOKEN_MAX];
    struct hf_bytes form = {0};
    enum hf_status status =
        aws_read_line(role->web_identity_token_file, token, sizeof(token), reterr);
    if (status == HF_OK && !(put_form(&form, "AssumeRoleWithWebIdentity", role) &&
                             put_param(&form, "WebIdentityToken", token))) {
        status = HF_NOMEM;
    }
    if (status == HF_OK) {
        make_url(role, url);
        status = post(fetcher, url, &form, NULL, 0, ret, reterr);
    }
    hf_bytes_release(&form);
    return status;
}

enum hf_status aws_sts_assume_role(struct hf_http_fetcher *fetcher, const struct hf_aws_role *role,
                                   const struct hf_aws_credentials *own,
                                   struct hf_aws_credentials *ret, char *reterr)
{
    char url[URL_ROOM], hash[HF_SHA256_HEX_SIZE + 1] = "";
    struct hf_bytes form = {0};
    struct hf_sigv4 signature;
    make_url(role, url);
    enum hf_status status = put_form(&form, "AssumeRole", role) ? HF_OK : HF_NOMEM;
    if (status == HF_OK) {
        status = hf_digest_sha256(hf_slice_of(form.data, form.size), hash);
    }
    const struct hf_sigv4_request request = {.method = "POST",
                                             .url = url,
                                             .region = region_of(role),
                                             .service = "sts",
                                             .payload_sha256 = hash,
                                             .time_s = hf_clock_unix_ns() / HF_NS_PER_S};
    status = status == HF_OK ? hf_sigv4_sign(own, &request, &signature) : status;
    if (status == HF_OK) {
        const struct hf_header headers[] = {
            {hf_slice_text("authorization"), hf_slice_text(signature.authorization)},
            {hf_slice_text("x-amz-date"), hf_slice_text(signature.date)},
            {hf_slice_text("x-amz-security-token"), hf_slice_text(own->session_token)}};
        status =
            post(fetcher, url, &form, headers, own->session_token[0] != '\0' ? 3 : 2, ret, reterr);
    }
    hf_bytes_release(&form);
    return status;
}
