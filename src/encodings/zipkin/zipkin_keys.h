/*
 * zipkin_keys: what the keys of Zipkin tags mean for the translation, and what their values look
 * like. No state; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

enum hf_zipkin_key {
    HF_ZIPKIN_PLAIN = 0,
    HF_ZIPKIN_RESOURCE, /* an attribute of the resource */
    HF_ZIPKIN_SERVICE_NAME,
    HF_ZIPKIN_SERVICE_SOURCE, /* the key of the resource that holds the name of the service */
    HF_ZIPKIN_LIBRARY_NAME,
    HF_ZIPKIN_LIBRARY_VERSION,
    HF_ZIPKIN_SCOPE_NAME,
    HF_ZIPKIN_SCOPE_VERSION,
    HF_ZIPKIN_STATE,
    HF_ZIPKIN_SPAN_KIND,
    HF_ZIPKIN_STATUS_CODE,
    HF_ZIPKIN_STATUS_TEXT,
    HF_ZIPKIN_ERROR,
    HF_ZIPKIN_LINK,
    HF_ZIPKIN_HOST_IP,
    HF_ZIPKIN_HOST_PORT,
    HF_ZIPKIN_PEER_SERVICE,
    HF_ZIPKIN_PEER_IP,
    HF_ZIPKIN_PEER_PORT,
    HF_ZIPKIN_KEY_COUNT
};

enum hf_zipkin_key hf_zipkin_key_of(struct hf_slice text);

/* The name that the present semantic conventions have for it, most often its own. */
struct hf_slice hf_zipkin_present_key(struct hf_slice key);

enum hf_zipkin_type { HF_ZIPKIN_STRING = 0, HF_ZIPKIN_INT, HF_ZIPKIN_DOUBLE, HF_ZIPKIN_BOOL };

/* What a text is read as with `parse_string_tags`. */
enum hf_zipkin_type hf_zipkin_type_of(struct hf_slice text);
