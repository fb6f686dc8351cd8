#include "redact.h"

#include <stdlib.h>

#include "pdata/walk.h"
#include "redact_body.h"

static void fail(struct hf_redact_run *run)
{
    run->status = HF_NOMEM;
}

/* ---- attributes ---- */

static struct hf_slice text_of(struct hf_redact_run *run, struct hf_slice value)
{
    struct hf_any any = hf_any_read(value);
    if (any.type == HF_ANY_STRING) {
        return any.bytes;
    }
    run->text.size = 0;
    if (run->rules->all_types && hf_any_text(value, &run->text) != HF_OK) {
        fail(run);
    }
    return hf_slice_of(run->text.data, run->text.size);
}

static void set_text(struct hf_attributes *attributes, struct hf_slice key, struct hf_slice text)
{
    hf_attributes_set(attributes, key, hf_attributes_string(attributes, text));
}

/* What is done with one attribute; a removed one goes later. */
static void redact_attribute(struct hf_redact_run *run, struct hf_attributes *attributes,
                             const struct hf_attribute *attribute, struct hf_slice system)
{
    const struct hf_redact_rules *rules = run->rules;
    struct hf_slice key = attribute->key;
    if (hf_redact_ignores(rules, key)) {
        hf_redact_note(run, HF_REDACT_IGNORED, key);
        return;
    }
    if (hf_redact_removes(rules, key)) {
        hf_redact_note(run, HF_REDACT_REDACTED, key);
        return;
    }
    struct hf_slice text = text_of(run, attribute->value);
    if (hf_redact_allows(rules, text)) {
        hf_redact_note(run, HF_REDACT_ALLOWED, key);
    } else if (hf_redact_masks(rules, key)) {
        hf_redact_note(run, HF_REDACT_MASKED, key);
        set_text(attributes, key, hf_redact_whole(run, text));
    } else if (hf_redact_attribute_text(run, key, system, &text)) {
        hf_redact_note(run, HF_REDACT_MASKED, key);
        set_text(attributes, key, text);
    }
}

static void redact_attributes(struct hf_redact_run *run, struct hf_message *owner)
{
    if (owner == NULL) {
        return;
    }
    struct hf_attributes *attributes =
        hf_message_attributes(owner, hf_message_attributes_number(hf_message_type(owner)));
    if (attributes == NULL) {
        fail(run);
        return;
    }
    struct hf_slice system =
        run->rules->sanitizers.has_database ? hf_sanitize_system(attributes) : HF_EMPTY_SLICE;
    for (size_t i = 0; i < attributes->count && run->status == HF_OK; i++) {
        redact_attribute(run, attributes, &attributes->items[i], system);
    }
    const struct hf_redact_keys *redacted = &run->keys[HF_REDACT_REDACTED];
    if (redacted->count == attributes->count) {
        hf_attributes_clear(attributes); /* nothing allowed: the default */
    } else {
        for (size_t i = 0; i < redacted->count; i++) {
            hf_attributes_remove(attributes, redacted->items[i]);
        }
    }
    hf_redact_tell(run, attributes, "redaction.");
}

/* ---- the document ---- */

struct walk {
    struct hf_visitor visitor;
    struct hf_redact_run *run;
};

static enum hf_visit go_on(const struct hf_redact_run *run)
{
    return run->status == HF_OK ? HF_VISIT_KEEP : HF_VISIT_STOP;
}

static enum hf_visit see_resource(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct hf_redact_run *run = ((struct walk *)visitor)->run;
    redact_attributes(run, hf_place_resource(place));
    return go_on(run);
}

static enum hf_visit see_scope(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct hf_redact_run *run = ((struct walk *)visitor)->run;
    redact_attributes(run, hf_place_scope(place));
    return go_on(run);
}

static enum hf_visit see_item(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct hf_redact_run *run = ((struct walk *)visitor)->run;
    redact_attributes(run, place->item);
    if (hf_document_signal(run->document) == HF_LOGS) {
        hf_redact_body(run, place->item);
    } else if (hf_document_signal(run->document) == HF_TRACES) {
        hf_redact_span_name(run, place->item);
    }
    return go_on(run);
}

static enum hf_visit see_event(struct hf_visitor *visitor, const struct hf_place *place)
{
    struct hf_redact_run *run = ((struct walk *)visitor)->run;
    redact_attributes(run, place->event);
    return go_on(run);
}

enum hf_status hf_redact(const struct hf_redact_rules *rules, struct hf_document *document)
{
    struct hf_redact_run run = {
        .rules = rules, .document = document, .maker = {.arena = hf_document_arena(document)}};
    struct walk walk = {.visitor = {.resource = see_resource,
                                    .scope = see_scope,
                                    .item = see_item,
                                    .event = see_event},
                        .run = &run};
    hf_walk(document, &walk.visitor);
    for (int deed = 0; deed < HF_REDACT_DEED_COUNT; deed++) {
        free(run.keys[deed].items);
    }
    hf_bytes_release(&run.text);
    hf_bytes_release(&run.masked);
    hf_bytes_release(&run.clean);
    hf_bytes_release(&run.scratch);
    return run.maker.failed ? HF_NOMEM : run.status;
}
