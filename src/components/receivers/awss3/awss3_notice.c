#include "awss3_notice.h"

#include <string.h>

#include "util/percent.h"

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The same message as SNS hands it on: the text of a member. */
static struct hf_slice text_of_sns(const struct hf_json *root)
{
    return hf_slice_is(hf_json_text_of(root, "Type"), "Notification")
               ? hf_json_text_of(root, "Message")
               : HF_EMPTY_SLICE;
}

static bool is_of_s3(const struct hf_json *root)
{
    return hf_json_first(hf_json_get(root, "Records")) != NULL ||
           hf_slice_is(hf_json_text_of(root, "Event"), "s3:TestEvent");
}

enum hf_status awss3_notice_read(struct hf_slice message, struct hf_arena *arena,
                                 const struct hf_json **ret_records)
{
    char why[HF_JSON_ERROR_MAX];
    const struct hf_json *root = NULL;
    enum hf_status status = hf_json_read(message, arena, &root, why);
    if (status == HF_OK && !is_of_s3(root)) {
        status = hf_json_read(text_of_sns(root), arena, &root, why);
    }
    if (status != HF_OK || !is_of_s3(root)) {
        return status == HF_OK ? HF_INVALID : status;
    }
    *ret_records = hf_json_first(hf_json_get(root, "Records"));
    return HF_OK;
}

/* Keys stand there as in a query. False: none can be that long. */
static bool put_key(struct hf_slice escaped, char ret_key[HF_S3_KEY_MAX + 1])
{
    char room[3 * HF_S3_KEY_MAX + 1];
    if (escaped.size == 0 || escaped.size >= sizeof(room)) {
        return false;
    }
    memcpy(room, escaped.data, escaped.size);
    room[escaped.size] = '\0';
    hf_percent_decode(room, true);
    size_t size = strlen(room);
    if (size > HF_S3_KEY_MAX) {
        return false;
    }
    memcpy(ret_key, room, size + 1);
    return true;
}

bool awss3_notice_next(const struct awss3_downloader *s3, const struct hf_json **records,
                       char ret_key[HF_S3_KEY_MAX + 1])
{
    static const char *const bucket_at[] = {"s3", "bucket", "name", NULL};
    static const char *const key_at[] = {"s3", "object", "key", NULL};
    for (; *records != NULL; *records = (*records)->next) {
        const struct hf_json *record = *records;
        /* Texts end with a NUL; the empty one has none. */
        struct hf_slice event = hf_json_text_of(record, "eventName");
        bool is_new = hf_slice_is(hf_json_text_of(record, "eventSource"), "aws:s3") &&
                      event.size != 0 && starts_with((const char *)event.data, "ObjectCreated:");
        if (is_new && hf_slice_is(hf_json_text(hf_json_at(record, bucket_at)), s3->bucket) &&
            put_key(hf_json_text(hf_json_at(record, key_at)), ret_key) &&
            starts_with(ret_key, s3->prefix)) {
            *records = record->next;
            return true;
        }
    }
    return false;
}

enum hf_status awss3_notice_signal(const struct awss3_downloader *s3, const char *key,
                                   unsigned signals, enum hf_signal *ret_signal)
{
    const char *slash = strrchr(key, '/'), *name = slash != NULL ? slash + 1 : key;
    bool is_named = s3->includes_type && starts_with(name, s3->file_prefix);
    const char *behind = is_named ? name + strlen(s3->file_prefix) : "";
    int only = -1;
    for (int signal = 0; signal < HF_SIGNAL_COUNT; signal++) {
        const char *word = hf_signal_name((enum hf_signal)signal);
        bool is_wanted = (signals & HF_SIGNAL_BIT(signal)) != 0;
        if (starts_with(behind, word) && behind[strlen(word)] == '_') {
            *ret_signal = (enum hf_signal)signal;
            return is_wanted ? HF_OK : HF_NOT_FOUND;
        }
        only = is_wanted ? signal : only;
    }
    if (only < 0 || signals != HF_SIGNAL_BIT(only)) {
        return HF_INVALID;
    }
    *ret_signal = (enum hf_signal)only;
    return HF_OK;
}
