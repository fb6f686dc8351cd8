#include "http_admission.h"

static struct hf_slice header_of(void *request, const char *name)
{
    return hf_http_header(request, name);
}

struct hf_auth_request hf_http_admission_shown(struct hf_http_request *request)
{
    return (struct hf_auth_request){header_of, request, hf_http_peer(request)};
}

/* The authenticator's thread. */
static void on_decided(struct hf_admission *admission)
{
    hf_http_go_on(admission->request);
    hf_ref_drop(&admission->ref);
}

static bool is_alive(struct hf_admission *admission)
{
    return hf_http_is_alive(admission->request);
}

static enum hf_status check_later(const struct hf_auth_ref *auth,
                                  const struct hf_ingress_wanted *wanted,
                                  struct hf_http_request *request,
                                  const struct hf_auth_request *shown)
{
    struct hf_admission *admission = hf_admission_new(wanted, on_decided);
    if (admission == NULL) {
        return HF_NOMEM;
    }
    admission->request = request;
    admission->is_alive = is_alive;
    *hf_http_request_data(request) = admission;
    hf_http_hold(request);
    auth->ops->begin(auth->self, shown, &admission->wait);
    return HF_OK;
}

bool hf_http_admission_check(const struct hf_auth_ref *auth, const struct hf_ingress_wanted *wanted,
                             struct hf_http_request *request, enum hf_status *ret_status)
{
    const struct hf_admission *admission = *hf_http_request_data(request);
    *ret_status = admission != NULL ? admission->status : HF_OK;
    if (auth->ops == NULL || admission != NULL) {
        return true;
    }
    const struct hf_auth_request shown = hf_http_admission_shown(request);
    if (hf_ingress_check_auth(auth, &shown, ret_status)) {
        return true;
    }
    *ret_status = check_later(auth, wanted, request, &shown);
    return *ret_status != HF_OK;
}

void hf_http_admission_gone(void *user, struct hf_http_request *request)
{
    struct hf_admission *admission = *hf_http_request_data(request);
    (void)user;
    atomic_store_explicit(&admission->gone, true, memory_order_relaxed);
    hf_ref_drop(&admission->ref);
}
