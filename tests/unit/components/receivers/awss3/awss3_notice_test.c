/* Which objects a message of S3 tells of, and of which signal they are. */
#include "components/receivers/awss3/awss3_notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs those before it */

#define RECORD(source, event, bucket, key)                                                         \
    "{\"eventSource\":\"" source "\",\"eventName\":\"" event                                       \
    "\",\"s3\":{\"bucket\":{\"name\":\"" bucket "\"},\"object\":{\"key\":\"" key "\"}}}"
#define CREATED(key) RECORD("aws:s3", "ObjectCreated:Put", "b", key)

static const struct awss3_downloader downloader = {
    .bucket = "b", .prefix = "pre", .file_prefix = "f-", .includes_type = true};

/* The keys that the message tells of, each with a blank behind; what is wrong with it as a word. */
static void keys_of(const char *message, char *room, size_t size)
{
    struct hf_arena arena = {.limit = 1 << 20};
    const struct hf_json *records = NULL;
    char key[HF_S3_KEY_MAX + 1];
    size_t used = 0;
    room[0] = '\0';
    enum hf_status status = awss3_notice_read(hf_slice_text(message), &arena, &records);
    if (status != HF_OK) {
        snprintf(room, size, "%s", hf_status_row(status)->name);
    }
    while (status == HF_OK && awss3_notice_next(&downloader, &records, key)) {
        used += (size_t)snprintf(room + used, size - used, "%s ", key);
    }
    hf_arena_release(&arena);
}

static void messages_tell_of_new_objects_below_the_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *message, *keys;
    } rows[] = {
        {"{\"Records\":[" CREATED("pre/a%2Fb+c.json") "," CREATED("pre/d") "]}",
         "pre/a/b c.json pre/d "},
        {"{\"Records\":[" CREATED("other/a") "," RECORD("aws:s3", "ObjectRemoved:Delete", "b",
                                                        "pre/a") "]}",
         ""},
        {"{\"Records\":[" RECORD("aws:s3", "ObjectCreated:Put", "c", "pre/a") "," RECORD(
             "aws:sns", "ObjectCreated:Put", "b", "pre/a") "," CREATED("pre/e") "]}",
         "pre/e "},
        {"{\"Records\":[{},1,{\"s3\":[]}," CREATED("") "]}", ""},
        {"{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":\"b\"}", ""},
        {"{\"Type\":\"Notification\",\"Message\":\"{\\\"Records\\\":[{\\\"eventSource\\\":"
         "\\\"aws:s3\\\",\\\"eventName\\\":\\\"ObjectCreated:Put\\\",\\\"s3\\\":{\\\"bucket\\\":"
         "{\\\"name\\\":\\\"b\\\"},\\\"object\\\":{\\\"key\\\":\\\"pre/x\\\"}}}]}\"}",
         "pre/x "},
        {"{\"Type\":\"Other\",\"Message\":\"{}\"}", "invalid"},
        {"{\"Type\":\"Notification\",\"Message\":\"{\\\"a\\\":1}\"}", "invalid"},
        {"{\"Records\":[]}", "invalid"},
        {"[]", "invalid"},
        {"no JSON", "invalid"},
        {"", "invalid"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char keys[256];
        keys_of(rows[i].message, keys, sizeof(keys));
        assert_string_equal(keys, rows[i].keys);
    }
}

static void a_key_that_is_too_long_names_no_object(void **state)
{
    (void)state;
    static char message[8192], keys[4096];
    char key[HF_S3_KEY_MAX + 2];
    memset(key, 'a', sizeof(key));
    memcpy(key, "pre/", 4);
    for (int size = HF_S3_KEY_MAX; size <= (int)HF_S3_KEY_MAX + 1; size++) {
        snprintf(message, sizeof(message), "{\"Records\":[" CREATED("%.*s") "]}", size, key);
        keys_of(message, keys, sizeof(keys));
        assert_int_equal(strlen(keys), size == HF_S3_KEY_MAX ? size + 1 : 0);
    }
}

static void the_signal_is_that_of_the_key_or_the_only_one(void **state)
{
    (void)state;
    enum { LOGS = HF_SIGNAL_BIT(HF_LOGS), BOTH = LOGS | HF_SIGNAL_BIT(HF_TRACES) };
    static const struct {
        const char *key;
        unsigned signals;
        bool includes_type;
        enum hf_status status;
        enum hf_signal signal;
    } rows[] = {
        {"pre/f-logs_1.json", BOTH, true, HF_OK, HF_LOGS},
        {"f-traces_1.json", BOTH, true, HF_OK, HF_TRACES},
        {"pre/f-metrics_1.json", BOTH, true, HF_NOT_FOUND, HF_METRICS},
        {"pre/f-logsx.json", LOGS, true, HF_OK, HF_LOGS},
        {"pre/traces_1.json", LOGS, true, HF_OK, HF_LOGS},
        {"pre/f-traces_1.json", LOGS, false, HF_OK, HF_LOGS},
        {"pre/any.json", BOTH, true, HF_INVALID, HF_LOGS},
        {"f-", BOTH, true, HF_INVALID, HF_LOGS},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct awss3_downloader s3 = downloader;
        enum hf_signal signal = HF_LOGS;
        s3.includes_type = rows[i].includes_type;
        assert_int_equal(awss3_notice_signal(&s3, rows[i].key, rows[i].signals, &signal),
                         rows[i].status);
        assert_int_equal(signal, rows[i].signal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_tell_of_new_objects_below_the_prefix),
        cmocka_unit_test(a_key_that_is_too_long_names_no_object),
        cmocka_unit_test(the_signal_is_that_of_the_key_or_the_only_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
