#include "texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/file_watch.h"
#include "util/time/time_layout.h"
#include "json/json.h"

#define NS_PER_S 1000000000

bool aws_put_slice(struct hf_slice text, char *room, size_t size)
{
    if (text.size >= size) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7f) {
            return false;
        }
        room[i] = (char)text.data[i];
    }
    room[text.size] = '\0';
    return true;
}

bool aws_put_text(const char *text, char *room, size_t size)
{
    return aws_put_slice(hf_slice_text(text != NULL ? text : ""), room, size);
}

enum hf_status aws_read_line(const char *path, char *room, size_t size, char *reterr)
{
    char *text = NULL;
    enum hf_status status = hf_file_watch_read(path, &text, reterr);
    if (status != HF_OK) {
        return status;
    }
    size_t used = strcspn(text, "\r\n");
    if (used == 0 || !aws_put_slice(hf_slice_of(text, used), room, size)) {
        snprintf(reterr, 512, "%.300s is empty, or its first line too long", path);
        status = HF_INVALID;
    }
    explicit_bzero(text, strlen(text));
    free(text);
    return status;
}

uint64_t aws_read_time(struct hf_slice text)
{
    int64_t time_ns;
    return hf_time_rfc3339(text, &time_ns) && time_ns > 0 ? (uint64_t)(time_ns / NS_PER_S) : 0;
}

struct hf_slice aws_xml_text(struct hf_slice xml, const char *name)
{
    char open[64], close[64];
    snprintf(open, sizeof(open), "<%s>", name);
    snprintf(close, sizeof(close), "</%s>", name);
    const uint8_t *from = xml.size != 0 ? memmem(xml.data, xml.size, open, strlen(open)) : NULL;
    if (from == NULL) {
        return HF_EMPTY_SLICE;
    }
    from += strlen(open);
    const uint8_t *end = xml.data + xml.size;
    const uint8_t *to = memmem(from, (size_t)(end - from), close, strlen(close));
    return to != NULL ? hf_slice_of(from, (size_t)(to - from)) : HF_EMPTY_SLICE;
}

static enum hf_status put_all(struct hf_slice access, struct hf_slice secret, struct hf_slice token,
                              struct hf_slice end, struct hf_aws_credentials *ret)
{
    *ret = (struct hf_aws_credentials){.expires_s = aws_read_time(end)};
    return access.size != 0 && secret.size != 0 &&
                   aws_put_slice(access, ret->access_key, sizeof(ret->access_key)) &&
                   aws_put_slice(secret, ret->secret_key, sizeof(ret->secret_key)) &&
                   aws_put_slice(token, ret->session_token, sizeof(ret->session_token))
               ? HF_OK
               : HF_INVALID;
}

enum hf_status aws_credentials_of_json(struct hf_slice json, struct hf_aws_credentials *ret)
{
    struct hf_arena arena = {.limit = (size_t)1 << 20};
    char error[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    enum hf_status status = hf_json_read(json, &arena, &root, error);
    if (status == HF_OK) {
        struct hf_slice token = hf_json_text_of(root, "Token");
        token = token.size != 0 ? token : hf_json_text_of(root, "SessionToken");
        status =
            put_all(hf_json_text_of(root, "AccessKeyId"), hf_json_text_of(root, "SecretAccessKey"),
                    token, hf_json_text_of(root, "Expiration"), ret);
    }
    hf_arena_release(&arena);
    return status == HF_OK ? HF_OK : HF_INVALID;
}

enum hf_status aws_credentials_of_xml(struct hf_slice xml, struct hf_aws_credentials *ret)
{
    return put_all(aws_xml_text(xml, "AccessKeyId"), aws_xml_text(xml, "SecretAccessKey"),
                   aws_xml_text(xml, "SessionToken"), aws_xml_text(xml, "Expiration"), ret);
}
