#include "review.h"

#include <stdio.h>

#include "pdata/json_write.h"

#define VERSION "admission.k8s.io/v1"

enum hf_status hf_review_read(struct hf_slice text, struct hf_arena *arena,
                              struct hf_review *ret_review, char *reterr)
{
    const struct hf_json *root = NULL;
    enum hf_status status = hf_json_read(text, arena, &root, reterr);
    if (status != HF_OK) {
        return status;
    }
    const struct hf_json *request = hf_json_get(root, "request");
    struct hf_slice uid = hf_json_text_of(request, "uid");
    if (!hf_slice_is(hf_json_text_of(root, "apiVersion"), VERSION) ||
        !hf_slice_is(hf_json_text_of(root, "kind"), "AdmissionReview") || uid.size == 0) {
        snprintf(reterr, HF_JSON_ERROR_MAX, "expected an AdmissionReview of " VERSION);
        return HF_INVALID;
    }
    const struct hf_json *kind = hf_json_get(request, "kind");
    const struct hf_json *object = hf_json_get(request, "object");
    bool is_pod = hf_slice_is(hf_json_text_of(kind, "kind"), "Pod") &&
                  hf_json_text_of(kind, "group").size == 0 &&
                  hf_slice_is(hf_json_text_of(request, "operation"), "CREATE") &&
                  hf_json_text_of(request, "subResource").size == 0;
    *ret_review = (struct hf_review){
        .uid = uid,
        .namespace = hf_json_text_of(request, "namespace"),
        .pod = is_pod && object != NULL && object->kind == HF_JSON_MAP ? object : NULL,
    };
    return HF_OK;
}

enum hf_status hf_review_answer(const struct hf_review *review, struct hf_slice patch,
                                const char *warning, struct hf_bytes *out)
{
    struct hf_json_writer writer = {.out = out};
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "apiVersion");
    hf_json_write_text(&writer, hf_slice_text(VERSION));
    HF_JSON_WRITE_KEY(&writer, "kind");
    hf_json_write_text(&writer, hf_slice_text("AdmissionReview"));
    HF_JSON_WRITE_KEY(&writer, "response");
    hf_json_write_open(&writer, '{');
    HF_JSON_WRITE_KEY(&writer, "uid");
    hf_json_write_text(&writer, review->uid);
    HF_JSON_WRITE_KEY(&writer, "allowed");
    hf_json_write_bool(&writer, true);
    if (patch.size != 0) {
        HF_JSON_WRITE_KEY(&writer, "patchType");
        hf_json_write_text(&writer, hf_slice_text("JSONPatch"));
        HF_JSON_WRITE_KEY(&writer, "patch");
        hf_json_write_base64(&writer, patch);
    }
    if (warning != NULL && warning[0] != '\0') {
        HF_JSON_WRITE_KEY(&writer, "warnings");
        hf_json_write_open(&writer, '[');
        hf_json_write_text(&writer, hf_slice_text(warning));
        hf_json_write_close(&writer, ']');
    }
    hf_json_write_close(&writer, '}');
    hf_json_write_close(&writer, '}');
    return hf_json_write_status(&writer);
}
