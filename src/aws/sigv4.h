/*
 * sigv4: signatures of requests to AWS, version 4, in the header Authorization or in the URL. Any
 * thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/auth.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

struct hf_bytes;

#define HF_AWS_TEXT_MAX 256u
#define HF_AWS_TOKEN_MAX 8192u

struct hf_aws_credentials {
    char access_key[HF_AWS_TEXT_MAX], secret_key[HF_AWS_TEXT_MAX];
    char session_token[HF_AWS_TOKEN_MAX]; /* "": none */
    uint64_t expires_s;                   /* Unix time; 0: never */
};

struct hf_sigv4_request {
    const char *method, *url;
    const char *region, *service;
    const struct hf_header *headers; /* of which those named x-amz-* and range are signed */
    size_t header_count;
    const char *payload_sha256; /* hex, or UNSIGNED-PAYLOAD */
    uint64_t time_s;            /* Unix time */
    bool has_payload_header;    /* x-amz-content-sha256 is sent and signed, as S3 wants it */
};

#define HF_SIGV4_AUTHORIZATION_MAX 2048u

struct hf_sigv4 {
    char date[17]; /* x-amz-date */
    char authorization[HF_SIGV4_AUTHORIZATION_MAX];
};

/* The path of a URL is escaped once more but for service "s3". HF_INVALID: the URL has no host, or
 * something is too long. HF_UNSUPPORTED: no SHA-256. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_sigv4_sign(const struct hf_aws_credentials *credentials,
                                         const struct hf_sigv4_request *request,
                                         struct hf_sigv4 *ret);

/*
 * Appends the request's URL with its signature as parameters, which no header goes with but host:
 * it may be used until `expires_s` later. Of the request, `headers` and `has_payload_header` are
 * not looked at. Results as above.
 */
HF_MUST_USE enum hf_status hf_sigv4_presign(const struct hf_aws_credentials *credentials,
                                            const struct hf_sigv4_request *request,
                                            uint32_t expires_s, struct hf_bytes *out);
/* Appends the text as a URL's parameter has it. False: no memory. */
HF_MUST_USE bool hf_sigv4_put_escaped(struct hf_bytes *out, const char *text);
