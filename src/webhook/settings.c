#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/file_watch.h"

const char *const hf_webhook_native_choices[] = {"auto", "always", "never", NULL};

/* Where the text of a key goes; offset in the settings. */
static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"image", offsetof(struct hf_webhook_settings, image)},
    {"namespace", offsetof(struct hf_webhook_settings, own_namespace)},
    {"config", offsetof(struct hf_webhook_settings, config)},
    {"configMap", offsetof(struct hf_webhook_settings, config_map)},
    {"queueSize", offsetof(struct hf_webhook_settings, queue_size)},
};

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

/* False: the member is none of a text. */
static bool take_text(const struct hf_json *member, struct hf_webhook_settings *settings,
                      const char **ret_wrong)
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        if (hf_slice_is(member->key, texts[i].key)) {
            *ret_wrong = member->kind == HF_JSON_STRING ? NULL : "a text";
            if (*ret_wrong == NULL) {
                const char *text = (const char *)member->text.data;
                memcpy((char *)settings + texts[i].offset, &text, sizeof(text));
            }
            return true;
        }
    }
    return false;
}

static bool take_native(const struct hf_json *member, struct hf_webhook_settings *settings)
{
    for (int i = 0; hf_webhook_native_choices[i] != NULL; i++) {
        if (hf_slice_is(hf_json_text(member), hf_webhook_native_choices[i])) {
            settings->native = (enum hf_webhook_native)i;
            return true;
        }
    }
    return false;
}

/* NULL, or what was expected in place of the value. */
static const char *take(const struct hf_json *member, struct hf_webhook_settings *settings)
{
    const char *wrong = NULL;
    if (take_text(member, settings, &wrong)) {
        return wrong;
    }
    if (hf_slice_is(member->key, "native")) {
        return take_native(member, settings) ? NULL : "auto, always or never";
    }
    if (hf_slice_is(member->key, "env")) {
        settings->leaves_env = !hf_json_bool(member);
        return member->kind == HF_JSON_BOOL ? NULL : "true or false";
    }
    if (hf_slice_is(member->key, "container")) {
        settings->container = member;
        return member->kind == HF_JSON_MAP ? NULL : "members of a container";
    }
    return "another key: image, namespace, config, configMap, queueSize, native, env or container";
}

enum hf_status hf_webhook_settings_read(const char *path, struct hf_arena *arena,
                                        struct hf_webhook_settings *settings, char *reterr)
{
    char *text = NULL, why[HF_JSON_ERROR_MAX] = "";
    const struct hf_json *root = NULL;
    enum hf_status status = hf_file_watch_read(path, &text, reterr);
    if (status != HF_OK) {
        return status;
    }
    status = hf_json_read(hf_slice_text(text), arena, &root, why);
    free(text);
    if (status != HF_OK || root->kind != HF_JSON_MAP) {
        snprintf(reterr, HF_ERROR_MAX, "%.200s: expected a JSON object%s%s", path,
                 why[0] != '\0' ? ": " : "", why);
        return HF_INVALID;
    }
    for (const struct hf_json *member = hf_json_first(root); member != NULL;
         member = member->next) {
        const char *wrong = take(member, settings);
        if (wrong != NULL) {
            snprintf(reterr, HF_ERROR_MAX, "%.200s: %.*s: expected %s", path,
                     (int)(member->key.size < 60 ? member->key.size : 60),
                     (const char *)member->key.data, wrong);
            return HF_INVALID;
        }
    }
    return HF_OK;
}
