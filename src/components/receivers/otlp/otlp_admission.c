/*
 * otlp_admission: a request whose credentials take time to check. It belongs to its request and to
 * the check, and goes when both have let go.
 */
#include <stdlib.h>
#include <string.h>

#include "otlp_admission.h"

#define AUTH_PREFIX "auth."

static void free_admission(struct hf_ref *ref)
{
    free(HF_CONTAINER(ref, struct otlp_admission, ref));
}

static bool is_wanted(struct hf_auth_wait *wait)
{
    struct otlp_admission *admission = HF_CONTAINER(wait, struct otlp_admission, wait);
    return !atomic_load_explicit(&admission->gone, memory_order_relaxed) &&
           (admission->is_alive == NULL || admission->is_alive(admission));
}

static void done(struct hf_auth_wait *wait, enum hf_status status)
{
    struct otlp_admission *admission = HF_CONTAINER(wait, struct otlp_admission, wait);
    admission->status = status;
    admission->decided(admission);
}

struct otlp_admission *otlp_admission_new(const struct otlp_wanted *wanted,
                                          void (*decided)(struct otlp_admission *admission))
{
    size_t room = wanted->auth ? sizeof(struct hf_meta_writer) : 0;
    struct otlp_admission *admission = malloc(sizeof(*admission) + room);
    if (admission == NULL) {
        return NULL;
    }
    *admission = (struct otlp_admission){.decided = decided, .status = HF_AGAIN};
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

bool otlp_check_auth(const struct otlp_auth *auth, const struct hf_auth_request *request,
                     enum hf_status *ret_status)
{
    struct hf_meta_writer unused;
    unused.size = 0;
    return auth->ops->check(auth->self, request, &unused, ret_status);
}

static bool is_asked_for(const struct otlp_wanted *wanted, struct hf_slice attribute)
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

enum hf_status otlp_add_auth(const struct otlp_auth *auth, const struct otlp_wanted *wanted,
                             const struct hf_auth_request *request,
                             const struct otlp_admission *admission, struct hf_meta_writer *meta)
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
