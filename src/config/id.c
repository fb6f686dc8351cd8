/*
 * id: reads a component id, "type" or "type/name".
 */
#include <ctype.h>
#include <string.h>

#include "id.h"

#define TYPE_MAX 63u
#define NAME_MAX_BYTES 1024u

const struct hf_kind_words hf_kind_words[HF_KIND_COUNT] = {
    [HF_RECEIVER] = {"receivers", "receiver"},    [HF_PROCESSOR] = {"processors", "processor"},
    [HF_EXPORTER] = {"exporters", "exporter"},    [HF_EXTENSION] = {"extensions", "extension"},
    [HF_CONNECTOR] = {"connectors", "connector"},
};

/* A part without the blanks around it. */
static const char *trimmed(struct hf_load *load, const char *text, size_t size)
{
    while (size > 0 && isspace((unsigned char)text[0])) {
        text++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)text[size - 1])) {
        size--;
    }
    return hf_config_text(load->memory, text, size);
}

static bool is_type(const char *type)
{
    size_t size = strlen(type);

    if (size > TYPE_MAX || !isalpha((unsigned char)type[0])) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)type[i]) && type[i] != '_') {
            return false;
        }
    }
    return true;
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)name[i];
        if (byte <= ' ' || byte == 0x7f) {
            return false;
        }
    }
    return size <= NAME_MAX_BYTES;
}

bool hf_config_id_read(struct hf_load *load, struct hf_yaml_place place,
                       const struct hf_key_path *path, const char *text,
                       struct hf_config_id *ret_id)
{
    const char *slash = strchr(text, '/');
    size_t size = slash != NULL ? (size_t)(slash - text) : strlen(text);
    const char *type = trimmed(load, text, size);
    const char *name = slash != NULL ? trimmed(load, slash + 1, strlen(slash + 1)) : NULL;

    if (type == NULL || (slash != NULL && name == NULL)) {
        return false;
    }
    if (type[0] == '\0' && slash == NULL) {
        hf_load_error(load, place, path, "id must not be empty");
        return false;
    }
    if (type[0] == '\0' || (name != NULL && name[0] == '\0')) {
        hf_load_error(load, place, path, "in %s id: the part %s / should not be empty",
                      hf_show(text).text, type[0] == '\0' ? "before" : "after");
        return false;
    }
    if (!is_type(type) || (name != NULL && !is_name(name))) {
        hf_load_error(load, place, path,
                      "in %s id: invalid character(s) in the part %s /, or too many",
                      hf_show(text).text, is_type(type) ? "after" : "before");
        return false;
    }
    const char *whole = name == NULL ? type : hf_config_format(load->memory, "%s/%s", type, name);
    if (whole == NULL) {
        return false;
    }
    *ret_id = (struct hf_config_id){type, whole};
    return true;
}
