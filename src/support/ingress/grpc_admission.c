#include "grpc_admission.h"

static struct hf_slice header_of(void *request, const char *name)
{
    return hf_grpc_call_header(request, name);
}

struct hf_auth_request hf_grpc_admission_shown(struct hf_grpc_call *call)
{
    return (struct hf_auth_request){header_of, call, hf_grpc_call_peer(call)};
}

static void decide_on_loop(struct hf_task *task)
{
    struct hf_admission *admission = HF_CONTAINER(task, struct hf_admission, task);
    struct hf_grpc_call *call = admission->call;
    if (call != NULL && hf_grpc_call_is_on_hold(call)) {
        if (admission->status == HF_OK) {
            hf_grpc_call_resume(call);
        } else {
            admission->refuse(admission->server, call, admission->status);
        }
    }
    hf_ref_drop(&admission->ref);
}

/* The authenticator's thread. */
static void on_decided(struct hf_admission *admission)
{
    hf_loop_post(admission->loop, &admission->task);
}

void hf_grpc_admission_check(const struct hf_auth_ref *auth, const struct hf_ingress_wanted *wanted,
                             struct hf_grpc_call *call,
                             void (*refuse)(void *server, struct hf_grpc_call *call,
                                            enum hf_status status),
                             void *server)
{
    enum hf_status status = HF_UNAUTHENTICATED;
    if (auth->ops == NULL) {
        return;
    }
    const struct hf_auth_request request = hf_grpc_admission_shown(call);
    if (hf_ingress_check_auth(auth, &request, &status)) {
        if (status != HF_OK) {
            refuse(server, call, status);
        }
        return;
    }
    struct hf_admission *admission = hf_admission_new(wanted, on_decided);
    if (admission == NULL) {
        refuse(server, call, HF_NOMEM);
        return;
    }
    admission->call = call;
    admission->task.run = decide_on_loop;
    admission->loop = hf_grpc_call_loop(call);
    admission->server = server;
    admission->refuse = refuse;
    *hf_grpc_call_slot(call) = admission;
    hf_grpc_call_hold(call);
    auth->ops->begin(auth->self, &request, &admission->wait);
}

void hf_grpc_admission_gone(void *user, struct hf_grpc_call *call)
{
    struct hf_admission *admission = *hf_grpc_call_slot(call);
    (void)user;
    admission->call = NULL;
    atomic_store_explicit(&admission->gone, true, memory_order_relaxed);
    hf_ref_drop(&admission->ref);
}
