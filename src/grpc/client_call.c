/*
 * A call of the client: the lists that it is in, how it is queued again and how it ends; and what
 * makes the turn of the loop go on with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_internal.h"

#define POOL_MAX 256u
#define KEPT_BYTES_MAX (16u * 1024)

/* ---- the turn ---- */

void hf_grpc_client_work(struct hf_grpc_client *client)
{
    if (!client->work_deferred && !client->closed) {
        client->work_deferred = true;
        client->refs++;
        hf_loop_defer(client->options.loop, &client->work_task);
    }
}

void hf_grpc_client_connection_dirty(struct client_connection *connection)
{
    if (!connection->dirty) {
        connection->dirty = true;
        connection->next_dirty = connection->client->dirty;
        connection->client->dirty = connection;
    }
    hf_grpc_client_work(connection->client);
}

void hf_grpc_client_connection_detach(struct client_connection *connection,
                                      const struct client_call *call)
{
    if (!hf_grpc_outbox_rescue(&connection->outbox, call)) {
        /* A frame cannot be broken off, so the connection must be. */
        hf_grpc_outbox_release(&connection->outbox);
        connection->broken = true;
        snprintf(connection->error, sizeof(connection->error), "out of memory");
        hf_grpc_client_connection_dirty(connection);
    }
}

void hf_grpc_client_report(struct hf_grpc_client *client, bool connected, const char *what)
{
    if (client->options.on_state != NULL && !client->closed) {
        client->options.on_state(client->options.user, connected, what);
    }
}

/* ---- lists ---- */

void hf_grpc_client_call_list_init(struct client_call_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

void hf_grpc_client_call_append(struct client_call_list *list, struct client_call *call)
{
    call->next = NULL;
    call->back = list->end;
    *list->end = call;
    list->end = &call->next;
}

/* From whichever list its state puts it in. */
void hf_grpc_client_call_take_out(struct client_call *call)
{
    struct hf_grpc_client *client = call->client;
    *call->back = call->next;
    if (call->next != NULL) {
        call->next->back = call->back;
    } else if (call->state == CALL_WAITING) {
        client->waiting.end = call->back;
    } else if (call->state == CALL_ENDED) {
        client->ended.end = call->back;
    }
    if (call->state == CALL_SENT) {
        call->connection->call_count--;
    }
    call->connection = NULL;
}

/* ---- calls ---- */

struct client_call *hf_grpc_client_call_new(struct hf_grpc_client *client)
{
    struct client_call *call = client->pool;
    if (call == NULL) {
        call = calloc(1, sizeof(*call));
        if (call != NULL) {
            call->client = client;
        }
        return call;
    }
    client->pool = call->next;
    client->pool_count--;
    return call;
}

void hf_grpc_client_call_recycle(struct client_call *call)
{
    struct hf_grpc_client *client = call->client;
    if (client->pool_count >= POOL_MAX || call->answer.capacity > KEPT_BYTES_MAX ||
        call->decoded.capacity > KEPT_BYTES_MAX) {
        hf_bytes_release(&call->answer);
        hf_bytes_release(&call->decoded);
        free(call);
        return;
    }
    struct hf_bytes answer = call->answer, decoded = call->decoded;
    memset(call, 0, offsetof(struct client_call, message));
    call->client = client;
    call->answer = answer;
    call->decoded = decoded;
    call->next = client->pool;
    client->pool = call;
    client->pool_count++;
}

void hf_grpc_client_call_free(struct client_call *call)
{
    hf_grpc_client_call_take_out(call);
    hf_grpc_client_call_recycle(call);
}

void hf_grpc_client_call_reset(struct client_call *call)
{
    call->http_status = call->foreign_status = 0;
    call->grpc_status = -1;
    call->header_bytes = 0;
    call->coding = HF_IDENTITY;
    call->known_coding = false;
    call->answer_prefix = (struct hf_grpc_prefix){.have = 0};
    call->answer.size = call->decoded.size = 0;
    call->fault = HF_OK;
    call->code = CODE_OK;
    call->has_retry_info = false;
    call->retry_delay_ns = 0;
    call->message[0] = '\0';
    call->not_sent = false;
}

void hf_grpc_client_call_requeue(struct client_call *call)
{
    struct hf_grpc_client *client = call->client;
    hf_grpc_client_connection_detach(call->connection, call);
    hf_grpc_client_call_take_out(call);
    hf_grpc_client_call_reset(call);
    call->state = CALL_WAITING;
    hf_grpc_client_call_append(&client->waiting, call);
    hf_grpc_client_work(client);
}

void hf_grpc_client_call_end(struct client_call *call, int code, const char *message)
{
    struct hf_grpc_client *client = call->client;
    if (call->state == CALL_SENT) {
        hf_grpc_client_connection_detach(call->connection, call);
    }
    hf_grpc_client_call_take_out(call);
    call->code = code;
    if (message != NULL) {
        snprintf(call->message, sizeof(call->message), "%s", message);
    }
    call->state = CALL_ENDED;
    hf_grpc_client_call_append(&client->ended, call);
    hf_grpc_client_work(client);
}
