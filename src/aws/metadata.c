#include "metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "texts.h"
#include "util/time/clock.h"

#define TIMEOUT_NS (2 * HF_NS_PER_S)
#define URL_ROOM 2048u

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static enum hf_status ask(struct hf_http_fetcher *fetcher, const char *method, const char *url,
                          const struct hf_header *header, struct hf_http_fetched *fetched,
                          char *reterr)
{
    const struct hf_http_fetch fetch = {.method = method,
                                        .url = url,
                                        .headers = header,
                                        .header_count = header != NULL ? 1 : 0,
                                        .timeout_ns = TIMEOUT_NS};
    enum hf_status status = hf_http_fetch(fetcher, &fetch, fetched);
    if (status != HF_OK) {
        snprintf(reterr, 512, "%.200s: %s", url, fetched->why);
    } else if (fetched->code != 200) {
        snprintf(reterr, 512, "%.200s answered %d", url, fetched->code);
        status = HF_AGAIN;
    }
    return status;
}

static enum hf_status take(const char *url, struct hf_http_fetched *fetched,
                           struct hf_aws_credentials *ret, char *reterr)
{
    enum hf_status status =
        aws_credentials_of_json(hf_slice_of(fetched->body.data, fetched->body.size), ret);
    if (status != HF_OK) {
        snprintf(reterr, 512, "the answer of %.200s has no credentials", url);
    }
    if (fetched->body.data != NULL) {
        explicit_bzero(fetched->body.data, fetched->body.size);
    }
    return status;
}

/* ---- containers and pods ---- */

enum hf_status aws_container_fetch(struct hf_http_fetcher *fetcher, struct hf_aws_credentials *ret,
                                   char *reterr)
{
    const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *path = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    char url[URL_ROOM], line[HF_AWS_TOKEN_MAX];
    struct hf_http_fetched fetched = {0};
    if (!given(relative) && !given(full)) {
        return HF_NOT_FOUND;
    }
    snprintf(url, sizeof(url), "%s%s", given(relative) ? "http://169.254.170.2" : "",
             given(relative) ? relative : full);
    if (given(path)) {
        enum hf_status status = aws_read_line(path, line, sizeof(line), reterr);
        if (status != HF_OK) {
            return status;
        }
        token = line;
    }
    const struct hf_header header = {hf_slice_text("authorization"),
                                     hf_slice_text(given(token) ? token : "")};
    enum hf_status status =
        ask(fetcher, "GET", url, given(token) ? &header : NULL, &fetched, reterr);
    status = status == HF_OK ? take(url, &fetched, ret, reterr) : status;
    hf_bytes_release(&fetched.body);
    return status;
}

/* ---- instances ---- */

/* "http://169.254.169.254" without a slash at its end. False: the instance shall not be asked. */
static bool instance_base(char room[URL_ROOM / 2])
{
    const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
    const char *base = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (given(disabled) && strcasecmp(disabled, "true") == 0) {
        return false;
    }
    snprintf(room, URL_ROOM / 2, "%s", given(base) ? base : "http://169.254.169.254");
    size_t size = strlen(room);
    room[size - (room[size - 1] == '/' ? 1 : 0)] = '\0';
    return true;
}

#define IMDS_TOKEN_MAX 256u

static enum hf_status fetch_token(struct hf_http_fetcher *fetcher, const char *base,
                                  struct hf_http_fetched *fetched, char ret_token[IMDS_TOKEN_MAX],
                                  char *reterr)
{
    char url[URL_ROOM];
    const struct hf_header life = {hf_slice_text("x-aws-ec2-metadata-token-ttl-seconds"),
                                   hf_slice_text("21600")};
    snprintf(url, sizeof(url), "%s/latest/api/token", base);
    enum hf_status status = ask(fetcher, "PUT", url, &life, fetched, reterr);
    if (status != HF_OK) {
        return status == HF_CLOSED ? HF_CLOSED : HF_NOT_FOUND;
    }
    if (!aws_put_slice(hf_slice_of(fetched->body.data, fetched->body.size), ret_token,
                       IMDS_TOKEN_MAX)) {
        snprintf(reterr, 512, "the answer of %.200s is no token", url);
        return HF_INVALID;
    }
    return HF_OK;
}

static enum hf_status fetch_instance(struct hf_http_fetcher *fetcher, const char *base,
                                     struct hf_http_fetched *fetched,
                                     struct hf_aws_credentials *ret, char *reterr)
{
    char url[URL_ROOM], token[IMDS_TOKEN_MAX], role[256];
    enum hf_status status = fetch_token(fetcher, base, fetched, token, reterr);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_header shown = {hf_slice_text("x-aws-ec2-metadata-token"),
                                    hf_slice_text(token)};
    snprintf(url, sizeof(url), "%s/latest/meta-data/iam/security-credentials/", base);
    status = ask(fetcher, "GET", url, &shown, fetched, reterr);
    if (status != HF_OK) {
        return status;
    }
    const uint8_t *end =
        fetched->body.size != 0 ? memchr(fetched->body.data, '\n', fetched->body.size) : NULL;
    size_t size = end != NULL ? (size_t)(end - fetched->body.data) : fetched->body.size;
    if (size == 0 || !aws_put_slice(hf_slice_of(fetched->body.data, size), role, sizeof(role))) {
        snprintf(reterr, 512, "the instance has no role");
        return HF_NOT_FOUND;
    }
    snprintf(url, sizeof(url), "%s/latest/meta-data/iam/security-credentials/%s", base, role);
    status = ask(fetcher, "GET", url, &shown, fetched, reterr);
    return status == HF_OK ? take(url, fetched, ret, reterr) : status;
}

enum hf_status aws_instance_fetch(struct hf_http_fetcher *fetcher, struct hf_aws_credentials *ret,
                                  char *reterr)
{
    struct hf_http_fetched fetched = {0};
    char base[URL_ROOM / 2];
    if (!instance_base(base)) {
        return HF_NOT_FOUND;
    }
    enum hf_status status = fetch_instance(fetcher, base, &fetched, ret, reterr);
    hf_bytes_release(&fetched.body);
    return status;
}

enum hf_status aws_instance_region(struct hf_http_fetcher *fetcher, char *ret_region, size_t size,
                                   char *reterr)
{
    struct hf_http_fetched fetched = {0};
    char base[URL_ROOM / 2], url[URL_ROOM], token[IMDS_TOKEN_MAX];
    if (!instance_base(base)) {
        snprintf(reterr, 512, "AWS_EC2_METADATA_DISABLED is set");
        return HF_NOT_FOUND;
    }
    enum hf_status status = fetch_token(fetcher, base, &fetched, token, reterr);
    if (status == HF_OK) {
        const struct hf_header shown = {hf_slice_text("x-aws-ec2-metadata-token"),
                                        hf_slice_text(token)};
        snprintf(url, sizeof(url), "%s/latest/meta-data/placement/region", base);
        status = ask(fetcher, "GET", url, &shown, &fetched, reterr);
    }
    if (status == HF_OK &&
        (fetched.body.size == 0 ||
         !aws_put_slice(hf_slice_of(fetched.body.data, fetched.body.size), ret_region, size))) {
        snprintf(reterr, 512, "the answer of %.200s is no region", url);
        status = HF_INVALID;
    }
    hf_bytes_release(&fetched.body);
    return status;
}
