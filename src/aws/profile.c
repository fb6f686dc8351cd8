#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "texts.h"
#include "util/file_watch.h"

#define PATH_ROOM 4096u

static struct hf_slice trim(struct hf_slice text)
{
    while (text.size > 0 && strchr(" \t\r", text.data[0]) != NULL) {
        text = hf_slice_of(text.data + 1, text.size - 1);
    }
    while (text.size > 0 && strchr(" \t\r", text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    return text;
}

static bool put_key(struct hf_slice line, struct hf_aws_credentials *ret)
{
    const uint8_t *equals = memchr(line.data, '=', line.size);
    if (equals == NULL) {
        return true;
    }
    size_t size = (size_t)(equals - line.data);
    struct hf_slice key = trim(hf_slice_of(line.data, size));
    struct hf_slice value = trim(hf_slice_of(equals + 1, line.size - size - 1));
    if (hf_slice_is(key, "aws_access_key_id")) {
        return aws_put_slice(value, ret->access_key, sizeof(ret->access_key));
    }
    if (hf_slice_is(key, "aws_secret_access_key")) {
        return aws_put_slice(value, ret->secret_key, sizeof(ret->secret_key));
    }
    return !hf_slice_is(key, "aws_session_token") ||
           aws_put_slice(value, ret->session_token, sizeof(ret->session_token));
}

enum hf_status aws_profile_find(const char *text, const char *profile,
                                struct hf_aws_credentials *ret)
{
    bool is_inside = false, was_there = false, good = true;
    *ret = (struct hf_aws_credentials){.expires_s = 0};
    while (*text != '\0' && good) {
        size_t size = strcspn(text, "\n");
        struct hf_slice line = trim(hf_slice_of(text, size));
        text += size + (text[size] == '\n' ? 1 : 0);
        if (line.size == 0 || line.data[0] == '#' || line.data[0] == ';') {
            continue;
        }
        if (line.data[0] == '[') {
            struct hf_slice name = trim(hf_slice_of(line.data + 1, line.size - 1));
            name.size -= name.size > 0 && name.data[name.size - 1] == ']' ? 1 : 0;
            is_inside = hf_slice_is(trim(name), profile);
            was_there |= is_inside;
        } else if (is_inside) {
            good = put_key(line, ret);
        }
    }
    if (!was_there) {
        return HF_NOT_FOUND;
    }
    return good && ret->access_key[0] != '\0' && ret->secret_key[0] != '\0' ? HF_OK : HF_INVALID;
}

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

enum hf_status aws_profile_read(const char *profile, const char *path,
                                struct hf_aws_credentials *ret, char *reterr)
{
    const char *home = getenv("HOME");
    char room[PATH_ROOM], *text = NULL;
    profile = given(profile) ? profile : getenv("AWS_PROFILE");
    bool is_named = given(profile);
    profile = is_named ? profile : "default";
    path = given(path) ? path : getenv("AWS_SHARED_CREDENTIALS_FILE");
    if (!given(path)) {
        snprintf(room, sizeof(room), "%s/.aws/credentials", home != NULL ? home : "");
        path = room;
    }
    if (!is_named && access(path, F_OK) != 0) {
        return HF_NOT_FOUND;
    }
    enum hf_status status = hf_file_watch_read(path, &text, reterr);
    if (status != HF_OK) {
        return status;
    }
    status = aws_profile_find(text, profile, ret);
    explicit_bzero(text, strlen(text));
    free(text);
    if (status == HF_INVALID || (status == HF_NOT_FOUND && is_named)) {
        snprintf(reterr, 512, "%.200s: the profile %.100s has no access key and secret", path,
                 profile);
        return HF_INVALID;
    }
    return status;
}
