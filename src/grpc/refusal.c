/* Calls that are refused: for a fault of their sender, or for now. */
#include <assert.h>

#include "server_internal.h"

#define RETRY_NS UINT64_C(1000000000)
#define CODE_UNAVAILABLE 14

void hf_grpc_call_refuse(struct hf_grpc_call *call, int http_status,
                         const struct hf_grpc_answer *answer)
{
    assert(call->state == CALL_HEADERS || call->state == CALL_BODY);
    if (call->conversation != NULL) {
        /* Its headers are sent: only a status can follow. */
        hf_grpc_conversation_end(call, answer->code);
        return;
    }
    hf_grpc_server_report(call->connection, answer->error);
    hf_grpc_call_finish(call, http_status, answer);
}

void hf_grpc_call_refuse_for_now(struct hf_grpc_call *call, const char *text)
{
    hf_grpc_call_refuse(call, 200,
                        &(struct hf_grpc_answer){
                            .code = CODE_UNAVAILABLE, .error = text, .retry_delay_ns = RETRY_NS});
}
