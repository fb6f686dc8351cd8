#include "answer.h"

#include <stdio.h>
#include <string.h>

#include "access.h"

#define HTML "text/html; charset=utf-8"

/* What holds for every answer; the policy has no exceptions, so that a mistake in a page runs
 * nothing. */
#define SECURITY_HEADERS                                                                           \
    {"Content-Security-Policy",                                                                    \
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                   \
     "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},           \
        {"X-Content-Type-Options", "nosniff"}, {"X-Frame-Options", "DENY"},                        \
        {"Referrer-Policy", "same-origin"}, {"Cross-Origin-Opener-Policy", "same-origin"},         \
        {"Cross-Origin-Resource-Policy", "same-origin"},                                           \
    {                                                                                              \
        "Permissions-Policy", "camera=(), geolocation=(), microphone=()"                           \
    }

void hf_console_answer(struct hf_http_request *http, const struct hf_console_answer *answer)
{
    char cookie[160], disposition[160];
    if (answer->cookie != NULL) {
        snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; HttpOnly; SameSite=Strict%s",
                 HF_CONSOLE_COOKIE, answer->cookie, answer->is_encrypted ? "; Secure" : "");
    }
    if (answer->download != NULL) {
        snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s\"", answer->download);
    }
    const struct hf_http_answer_header headers[] = {
        SECURITY_HEADERS,
        {"Cache-Control", "no-store"},
        {"Location", answer->location},
        {"Set-Cookie", answer->cookie != NULL ? cookie : NULL},
        {"Content-Disposition", answer->download != NULL ? disposition : NULL},
        /* Which of them the authenticator wants is known to it alone; a browser asks for the first
         * that it can. */
        {"WWW-Authenticate",
         answer->asks_credentials ? "Basic realm=\"Holdfast console\", charset=\"UTF-8\"" : NULL},
        {"WWW-Authenticate",
         answer->asks_credentials ? "Bearer realm=\"Holdfast console\"" : NULL}};
    hf_http_answer(http,
                   &(struct hf_http_answer){
                       .status = answer->status,
                       .content_type = answer->content_type != NULL ? answer->content_type : HTML,
                       .body = answer->body,
                       .headers = headers,
                       .header_count = sizeof(headers) / sizeof(headers[0]),
                       .retry_after_s = answer->status == 503 ? 1 : 0});
}

void hf_console_answer_text(struct hf_http_request *http, int status, const char *text)
{
    hf_console_answer(http, &(struct hf_console_answer){.status = status,
                                                        .content_type = "text/plain; charset=utf-8",
                                                        .body = hf_slice_text(text),
                                                        .asks_credentials = status == 401});
}

static bool has_word(struct hf_slice list, const char *word)
{
    return list.size != 0 && memmem(list.data, list.size, word, strlen(word)) != NULL;
}

void hf_console_answer_asset(struct hf_http_request *http, const struct hf_console_asset *asset)
{
    bool is_known = has_word(hf_http_header(http, "if-none-match"), asset->tag);
    bool is_packed =
        asset->packed.size != 0 && has_word(hf_http_header(http, "accept-encoding"), "gzip");
    const struct hf_http_answer_header headers[] = {
        SECURITY_HEADERS,
        {"Cache-Control", "no-cache"},
        {"ETag", asset->tag},
        {"Vary", "Accept-Encoding"},
        {"Content-Encoding", is_packed && !is_known ? "gzip" : NULL}};
    struct hf_slice body = is_known    ? HF_EMPTY_SLICE
                           : is_packed ? hf_slice_of(asset->packed.data, asset->packed.size)
                                       : asset->plain;
    hf_http_answer(http,
                   &(struct hf_http_answer){.status = is_known ? 304 : 200,
                                            .content_type = asset->content_type,
                                            .body = body,
                                            .headers = headers,
                                            .header_count = sizeof(headers) / sizeof(headers[0])});
}
