/*
 * otlp_headers: the request headers and metadata that travel with a batch.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "otlp_headers.h"
#include "util/header_text.h"

enum hf_status otlp_keep_header(const struct otlp_wanted *wanted, struct hf_slice name,
                                struct hf_slice value, struct hf_meta_writer *meta, char *reterr)
{
    for (size_t i = 0; i < wanted->key_count; i++) {
        const char *key = wanted->keys[i];
        if (name.size != strlen(key) || strncasecmp((const char *)name.data, key, name.size) != 0) {
            continue;
        }
        /* Only bytes of a "-bin" value and what an HTTP library lets through get here. */
        if (!hf_header_is_value(value) && hf_node_sends_header(wanted->node, key)) {
            snprintf(reterr, OTLP_REFUSAL_MAX,
                     "the value of %.64s has line ends or other control characters, and is to be "
                     "sent on as a header, which cannot have them",
                     key);
            return HF_INVALID;
        }
        if (hf_meta_add(meta, HF_META_HEADER, hf_slice_text(key), value) != HF_OK) {
            return HF_OK; /* what does not fit is left out */
        }
    }
    return HF_OK;
}
