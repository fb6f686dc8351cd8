#include "coralogix_names.h"

#include <holdfast/ref.h>

#include "pdata/any.h"
#include "pdata/edit.h"

#define APPLICATION "cx.application.name"
#define SUBSYSTEM "cx.subsystem.name"

struct pass {
    struct hf_editor editor;
    struct coralogix_names *names;
    enum hf_status status;
};

/* The attribute as text, in memory that the next one takes; empty when it is not there. */
static struct hf_slice text_of(struct pass *pass, const struct hf_attributes *attributes,
                               const char *key)
{
    const struct hf_attribute *found = hf_attributes_find(attributes, hf_slice_text(key));
    struct hf_bytes *text = &pass->names->text;
    text->size = 0;
    if (found != NULL && pass->status == HF_OK) {
        pass->status = hf_any_text(found->value, text);
    }
    return hf_slice_of(text->data, text->size);
}

static void set_name(struct pass *pass, struct hf_attributes *attributes, const char *key,
                     const struct hf_string_list *sources, const char *fixed)
{
    struct hf_slice name = HF_EMPTY_SLICE;
    for (size_t i = 0; i < sources->count && name.size == 0; i++) {
        name = text_of(pass, attributes, sources->items[i]);
    }
    if (name.size == 0 && fixed != NULL && fixed[0] != '\0') {
        name = hf_slice_text(fixed);
    }
    if (name.size == 0) {
        name = text_of(pass, attributes, key);
    }
    hf_attributes_set(attributes, hf_slice_text(key), hf_attributes_string(attributes, name));
}

static void change(struct hf_editor *editor, struct hf_attributes *attributes)
{
    struct pass *pass = HF_CONTAINER(editor, struct pass, editor);
    const struct coralogix_config *config = pass->names->config;
    set_name(pass, attributes, APPLICATION, &config->application_attributes,
             config->application_name);
    set_name(pass, attributes, SUBSYSTEM, &config->subsystem_attributes, config->subsystem_name);
}

enum hf_status coralogix_names_put(struct coralogix_names *names, enum hf_signal signal,
                                   struct hf_slice raw, struct hf_bytes *out, bool *ret_changed)
{
    struct pass pass = {
        .editor = {.of_resources = true, .change = change}, .names = names, .status = HF_OK};
    size_t before = out->size;
    enum hf_status status = hf_edit(&pass.editor, signal, raw, out, ret_changed);
    if (status == HF_OK && pass.status != HF_OK) {
        out->size = before;
        status = pass.status;
    }
    return status == HF_INVALID ? HF_CORRUPT : status;
}

void coralogix_names_release(struct coralogix_names *names)
{
    hf_bytes_release(&names->text);
}
