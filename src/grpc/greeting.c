/* The first bytes of a client: do they belong to another protocol than the port's? */
#include "server_internal.h"

#include <sys/socket.h>

#include "util/spoken.h"

/* It is answered in clear, in a protocol that it understands; what it still sends is thrown away.
 */
static void turn_away(struct connection *connection, enum hf_spoken spoken,
                      struct hf_spoken_port port, const char *complaint)
{
    uint8_t answer[HF_SPOKEN_ANSWER_MAX];
    size_t size = hf_spoken_answer(spoken, port, answer);
    connection->broken = connection->reported = true;
    hf_grpc_server_report(connection, complaint);
    if (!connection->handshake_done) {
        hf_stream_go_bare(connection->stream);
        connection->handshake_done = true;
    }
    /* A fresh socket takes this much at once; if not, there is nothing more to do for the peer. */
    ssize_t sent = send(connection->fd, answer, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)sent;
    hf_grpc_connection_linger(connection);
}

void hf_grpc_connection_hear(struct connection *connection)
{
    uint8_t bytes[HF_SPOKEN_BYTES];
    const struct hf_grpc_server_options *options = &connection->worker->server->options;
    const struct hf_spoken_port port = {
        .is_grpc = true, .is_tls = options->tls != NULL, .is_otlp = options->is_otlp};
    ssize_t got = recv(connection->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    if (got <= 0) {
        return; /* its end is seen by the next read */
    }
    connection->heard = true;
    enum hf_spoken spoken = hf_spoken_of(bytes, (size_t)got);
    const char *complaint = hf_spoken_complaint(spoken, port);
    if (complaint != NULL) {
        turn_away(connection, spoken, port, complaint);
    } else {
        hf_grpc_connection_dirty(connection); /* its SETTINGS have waited for that */
    }
}
