#include "ingress_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/header_text.h"

#define AUTH_PREFIX "auth."

void hf_ingress_find_wanted(const struct hf_node *node, const char *key, bool include_metadata,
                            struct hf_ingress_wanted *ret_wanted)
{
    struct hf_ingress_wanted wanted = {
        .node = node, .peer = hf_node_wants_peer(node), .auth = hf_node_wants_auth(node)};
    const char *header = NULL;
    wanted.keys = hf_node_metadata_keys(node, &wanted.key_count);
    for (size_t i = 0; i < wanted.key_count; i++) {
        bool is_auth = strncmp(wanted.keys[i], AUTH_PREFIX, strlen(AUTH_PREFIX)) == 0;
        header = is_auth ? header : wanted.keys[i];
    }
    wanted.headers = header != NULL && include_metadata;
    if (header != NULL && !include_metadata) {
        size_t size = strlen(key);
        size -= size >= 2 ? 2 : 0; /* the "::" */
        hf_node_log(node, HF_LOG_WARN,
                    "%.*s%sthe header %s is asked for downstream, but not kept without "
                    "include_metadata: true",
                    (int)size, key, size != 0 ? ": " : "", header);
    }
    *ret_wanted = wanted;
}

bool hf_ingress_wants_header(const struct hf_ingress_wanted *wanted, struct hf_slice name)
{
    bool wants = false;
    for (size_t i = 0; i < wanted->key_count && wanted->headers && !wants; i++) {
        const char *key = wanted->keys[i];
        wants =
            name.size == strlen(key) && strncasecmp((const char *)name.data, key, name.size) == 0;
    }
    return wants;
}

static void free_admission(struct hf_ref *ref)
{
    free(HF_CONTAINER(ref, struct hf_admission, ref));
}

static bool is_wanted(struct hf_auth_wait *wait)
{
    struct hf_admission *admission = HF_CONTAINER(wait, struct hf_admission, wait);
    return !atomic_load_explicit(&admission->gone, memory_order_relaxed) &&
           (admission->is_alive == NULL || admission->is_alive(admission));
}

static void done(struct hf_auth_wait *wait, enum hf_status status)
{
    struct hf_admission *admission = HF_CONTAINER(wait, struct hf_admission, wait);
    admission->status = status;
    admission->decided(admission);
}

struct hf_admission *hf_admission_new(const struct hf_ingress_wanted *wanted,
                                      void (*decided)(struct hf_admission *admission))
{
    size_t room = wanted->auth ? sizeof(struct hf_meta_writer) : 0;
    struct hf_admission *admission = malloc(sizeof(*admission) + room);
    if (admission == NULL) {
        return NULL;
    }
    *admission = (struct hf_admission){.decided = decided, .status = HF_AGAIN};
    hf_ref_init(&admission->ref, free_admission);
    hf_ref_take(&admission->ref);
    admission->wait.is_wanted = is_wanted;
    admission->wait.done = done;
    if (wanted->auth) {
        admission->wait.meta = admission->meta;
        admission->meta[0].size = 0;
    }
    return admission;
}

bool hf_ingress_check_auth(const struct hf_auth_ref *auth, const struct hf_auth_request *request,
                           enum hf_status *ret_status)
{
    struct hf_meta_writer unused;
    unused.size = 0;
    return auth->ops->check(auth->self, request, &unused, ret_status);
}

static bool is_asked_for(const struct hf_ingress_wanted *wanted, struct hf_slice attribute)
{
    size_t prefix = strlen(AUTH_PREFIX);
    for (size_t i = 0; i < wanted->key_count; i++) {
        const char *key = wanted->keys[i];
        if (strncmp(key, AUTH_PREFIX, prefix) == 0 && hf_slice_is(attribute, key + prefix)) {
            return true;
        }
    }
    return false;
}

static enum hf_status add_auth(const struct hf_auth_ref *auth,
                               const struct hf_ingress_wanted *wanted,
                               const struct hf_auth_request *request,
                               const struct hf_admission *admission, struct hf_meta_writer *meta)
{
    struct hf_meta_writer own;
    const struct hf_meta_writer *all = &own;
    struct hf_meta_entry entry;
    size_t cursor = 0;
    enum hf_status status = HF_OK;
    if (auth->ops == NULL || !wanted->auth) {
        return HF_OK;
    }
    own.size = 0;
    if (admission != NULL) {
        all = admission->meta;
    } else if (!auth->ops->check(auth->self, request, &own, &status)) {
        status = HF_AGAIN; /* the credentials have just changed */
    }
    while (status == HF_OK && hf_meta_next(hf_slice_of(all->bytes, all->size), &cursor, &entry)) {
        if (is_asked_for(wanted, entry.key)) {
            enum hf_status put = hf_meta_add(meta, entry.kind, entry.key, entry.value);
            (void)put; /* what does not fit is left out */
        }
    }
    return status;
}

enum hf_status hf_ingress_begin_meta(const struct hf_auth_ref *auth,
                                     const struct hf_ingress_wanted *wanted,
                                     const struct hf_auth_request *request,
                                     const struct hf_admission *admission,
                                     struct hf_meta_writer *meta)
{
    meta->size = 0;
    if (wanted->peer) {
        enum hf_status put =
            hf_meta_add(meta, HF_META_PEER, HF_EMPTY_SLICE, hf_slice_text(request->peer));
        (void)put;
    }
    return add_auth(auth, wanted, request, admission, meta);
}

enum hf_status hf_ingress_keep_header(const struct hf_ingress_wanted *wanted, struct hf_slice name,
                                      struct hf_slice value, struct hf_meta_writer *meta,
                                      char *reterr)
{
    for (size_t i = 0; i < wanted->key_count; i++) {
        const char *key = wanted->keys[i];
        if (name.size != strlen(key) || strncasecmp((const char *)name.data, key, name.size) != 0) {
            continue;
        }
        /* Only bytes of a "-bin" value and what an HTTP library lets through get here. */
        if (!hf_header_is_value(value) && hf_node_sends_header(wanted->node, key)) {
            snprintf(reterr, HF_INGRESS_REFUSAL_MAX,
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
