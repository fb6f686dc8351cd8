/*
 * process_json: one request through a processor, as OTLP/JSON both ways. It is included, not
 * linked, after node_stub.c.
 */
#include "pdata/json.h"
#include "pdata/scan.h"

/* What comes out, malloc'd; "" when nothing is left. The configuration must pass its check. */
static inline char *process_json(const struct hf_component *component, struct hf_node *node,
                                 const void *config, enum hf_signal signal, const char *json)
{
    char error[HF_ERROR_MAX] = "";
    struct hf_bytes body = {0}, text = {0};
    struct hf_batch *made = NULL;
    struct hf_scan scan;
    void *self = NULL;
    const char *why = component->check != NULL ? component->check(config) : NULL;
    if (why != NULL || component->open(node, config, &self, error) != HF_OK) {
        fail_msg("%s%s", why != NULL ? why : "", error);
    }
    if (component->start != NULL) {
        assert_int_equal(component->start(self, error), HF_OK);
    }
    assert_int_equal(hf_json_to_proto(signal, hf_slice_text(json), 1 << 20, &body, error), HF_OK);
    assert_int_equal(hf_scan(signal, hf_slice_of(body.data, body.size), &scan), HF_OK);
    struct hf_batch *batch = hf_batch_new(signal, body.size, HF_EMPTY_SLICE);
    memcpy(hf_batch_room(batch), body.data, body.size);
    hf_batch_seal(batch, body.size, scan.items);
    assert_int_equal(component->processor->process(self, batch, &made), HF_OK);
    if (made != NULL) {
        assert_int_equal(hf_scan(signal, made->raw, &scan), HF_OK);
        assert_int_equal(scan.items, made->items);
        assert_int_equal(hf_json_from_proto(signal, made->raw, &text), HF_OK);
        hf_ref_drop(&made->ref);
    }
    assert_int_equal(hf_bytes_append(&text, hf_slice_of("", 1)), HF_OK);
    if (component->stop != NULL) {
        component->stop(self);
    }
    if (component->close != NULL) {
        component->close(self);
    }
    hf_ref_drop(&batch->ref);
    hf_bytes_release(&body);
    return (char *)text.data;
}

/* Is each of the NULL-terminated texts in it? One that begins with `!` must not be. */
static inline void assert_has(const char *json, const char *const *texts)
{
    for (; *texts != NULL; texts++) {
        bool must = (*texts)[0] != '!';
        if ((strstr(json, must ? *texts : *texts + 1) != NULL) != must) {
            fail_msg("%s%s:\n%s", must ? "without " : "with ", *texts, json);
        }
    }
}
