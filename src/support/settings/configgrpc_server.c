#include "configgrpc_server.h"

#define KEEPALIVE(member) offsetof(struct hf_grpc_server_keepalive, member)

static const struct hf_field server_parameter_fields[] = {
    {.key = "max_connection_idle",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.max_connection_idle_ns),
     .help = "Close idle connections after."},
    {.key = "max_connection_age",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.max_connection_age_ns),
     .help = "Close connections after."},
    {.key = "max_connection_age_grace",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.max_connection_age_grace_ns),
     .help = "Time left to calls on a connection that is over its age."},
    {.key = "time",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.time_ns),
     .default_text = "2h",
     .help = "Ping after that much silence."},
    {.key = "timeout",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(server.timeout_ns),
     .default_text = "20s",
     .help = "Time to answer a ping."},
    HF_FIELDS_END,
};

static const struct hf_field enforcement_fields[] = {
    {.key = "min_time",
     .type = HF_FIELD_DURATION,
     .offset = KEEPALIVE(enforcement.min_time_ns),
     .default_text = "5m",
     .help = "Clients may not ping more often."},
    {.key = "permit_without_stream",
     .type = HF_FIELD_BOOL,
     .offset = KEEPALIVE(enforcement.permit_without_stream),
     .help = "Clients may ping without calls."},
    HF_FIELDS_END,
};

const struct hf_field hf_grpc_server_keepalive_fields[] = {
    {.key = "server_parameters",
     .type = HF_FIELD_STRUCT,
     .inner = server_parameter_fields,
     .help = "Pings and ages."},
    {.key = "enforcement_policy",
     .type = HF_FIELD_STRUCT,
     .inner = enforcement_fields,
     .help = "What clients may do."},
    HF_FIELDS_END,
};

const char *hf_grpc_server_check(const struct hf_grpc_server_config *config)
{
    return config->tls != NULL ? hf_tls_server_check(config->tls) : NULL;
}

struct hf_grpc_server_options hf_grpc_server_options(const struct hf_grpc_server_config *config)
{
    const struct hf_grpc_server_keepalive *keepalive = &config->keepalive;
    return (struct hf_grpc_server_options){
        .listen_fd = -1,
        .streams_max = (uint32_t)config->max_concurrent_streams,
        .connections_max = (size_t)config->max_connections,
        .connections_per_peer_max = (size_t)config->max_connections_per_peer,
        .read_buffer_bytes = (size_t)config->read_buffer_size,
        .message_time_ns = config->read_timeout_ns,
        .message_rate = config->min_read_rate,
        .keepalive_time_ns = keepalive->server.time_ns,
        .keepalive_timeout_ns = keepalive->server.timeout_ns,
        .max_connection_idle_ns = keepalive->server.max_connection_idle_ns,
        .max_connection_age_ns = keepalive->server.max_connection_age_ns,
        .max_connection_age_grace_ns = keepalive->server.max_connection_age_grace_ns,
        .enforcement_min_time_ns = keepalive->enforcement.min_time_ns,
        .permit_without_stream = keepalive->enforcement.permit_without_stream,
    };
}
