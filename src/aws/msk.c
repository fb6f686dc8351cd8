#include "msk.h"

#include <stdio.h>
#include <string.h>

#include "util/base64.h"
#include "util/compress/compress.h"

#define LIFE_S 900u
#define NOTHING_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum hf_status hf_aws_msk_token(struct hf_aws_session *session, const char *region,
                                const char *user_agent, char *room, size_t size,
                                uint64_t *ret_end_s)
{
    char url[64 + HF_AWS_REGION_MAX];
    struct hf_bytes made = {0};
    const struct hf_sigv4_request request = {.method = "GET",
                                             .url = url,
                                             .region = region,
                                             .service = "kafka-cluster",
                                             .payload_sha256 = NOTHING_SHA256};
    snprintf(url, sizeof(url), "https://kafka.%s.amazonaws.com/?Action=kafka-cluster%%3AConnect",
             region);
    enum hf_status status = hf_aws_session_presign(session, &request, LIFE_S, &made, ret_end_s);
    if (status == HF_OK && !(hf_bytes_append(&made, hf_slice_text("&User-Agent=")) == HF_OK &&
                             hf_sigv4_put_escaped(&made, user_agent))) { /* behind what is signed */
        status = HF_NOMEM;
    }
    if (status == HF_OK && HF_BASE64_SIZE(made.size) >= size) {
        status = HF_TOO_LARGE;
    }
    if (status == HF_OK) {
        size_t used = hf_base64_encode(hf_slice_of(made.data, made.size),
                                       HF_BASE64_URL | HF_BASE64_RAW, room);
        room[used] = '\0';
    }
    if (made.data != NULL) {
        explicit_bzero(made.data, made.size);
    }
    hf_bytes_release(&made);
    return status;
}
