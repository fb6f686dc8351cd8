/*
 * log_listener: texts from TCP connections or UDP datagrams, cut into entries, through operators,
 * to the pipelines: what the receivers syslog, tcplog and udplog are made of.
 */
#pragma once

#include "log_frames.h"
#include "log_intake.h"
#include "support/settings/confighttp_server.h"
#include "util/tls/tls.h"

struct hf_log_tcp_config {
    const char *listen_address;
    uint64_t max_log_bytes;
    int64_t max_connections;
    uint64_t idle_ns;
    const struct hf_tls_config *tls;
    bool add_attributes, one_log_per_packet, keep_leading, keep_trailing, omit_pattern;
    const char *encoding, *line_start, *line_end;
};

struct hf_log_udp_config {
    const char *listen_address;
    bool add_attributes, one_log_per_packet, keep_leading, keep_trailing, omit_pattern;
    const char *encoding, *line_start, *line_end;
    uint64_t socket_buffer_bytes;
};

struct hf_log_listener_options {
    struct hf_node *node;
    const struct hf_log_intake_config *intake;
    const struct hf_log_tcp_config *tcp; /* one of the two */
    const struct hf_log_udp_config *udp;
    const char *section; /* "tcp::" or "": before keys in messages */
    enum hf_log_framing framing;
    const struct hf_value *before; /* operators before those of the configuration */
    size_t before_count;
};

struct hf_log_listener;

/* All but `reterr` are borrowed until close. HF_INVALID and others with a sentence in `reterr`
 * (HF_ERROR_MAX). Main thread, as all of these. */
HF_MUST_USE enum hf_status hf_log_listener_open(const struct hf_log_listener_options *options,
                                                struct hf_log_listener **ret, char *reterr);
/* start, stop and close of a component: `listener` is a struct hf_log_listener. stop may come after
 * a failed start; to close NULL is nothing. */
HF_MUST_USE enum hf_status hf_log_listener_start(void *listener, char *reterr);
void hf_log_listener_stop(void *listener);
void hf_log_listener_close(void *listener);

/* NULL or a sentence that names the key, for `check`. */
const char *hf_log_tcp_check(const struct hf_log_tcp_config *config);

/* clang-format off */
#define HF_LOG_TEXT_FIELDS(owner, at)                                                                  \
    {.key = "listen_address",                                                                      \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.listen_address),                                                    \
     .required = true,                                                                             \
     .validate = hf_expect_listen,                                                                 \
     .help = "host:port."},                                                                        \
    {.key = "add_attributes",                                                                      \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.add_attributes),                                                    \
     .default_text = "false",                                                                      \
     .help = "Attributes net.transport, net.peer.ip, net.peer.port, net.peer.name and those of "   \
             "net.host; names are the addresses, no name server is asked."},                       \
    {.key = "one_log_per_packet",                                                                  \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.one_log_per_packet),                                                \
     .default_text = "false",                                                                      \
     .help = "All of a connection, or of a datagram, is one entry."},                              \
    {.key = "encoding",                                                                            \
     .type = HF_FIELD_STRING,                                                                      \
     .offset = offsetof(owner, at.encoding),                                                          \
     .default_text = "utf-8",                                                                      \
     .help = "utf-8, utf-16le, utf-16be, ascii, big5, gbk, ..., or nop for bytes."},               \
    {.key = "multiline",                                                                           \
     .type = HF_FIELD_STRUCT,                                                                      \
     .inner = (const struct hf_field[]){                                                           \
         {.key = "line_start_pattern",                                                             \
          .type = HF_FIELD_STRING,                                                                 \
          .offset = offsetof(owner, at.line_start),                                                   \
          .help = "An entry begins where this matches."},                                          \
         {.key = "line_end_pattern",                                                               \
          .type = HF_FIELD_STRING,                                                                 \
          .offset = offsetof(owner, at.line_end),                                                     \
          .help = "An entry ends where this matches."},                                            \
         {.key = "omit_pattern",                                                                   \
          .type = HF_FIELD_BOOL,                                                                   \
          .offset = offsetof(owner, at.omit_pattern),                                                 \
          .default_text = "false",                                                                 \
          .help = "Leave the match out of the entry."},                                            \
         HF_FIELDS_END},                                                                           \
     .help = "Entries of several lines."},                                                         \
    {.key = "preserve_leading_whitespaces",                                                        \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.keep_leading),                                                      \
     .default_text = "false",                                                                      \
     .help = "Keep white space before the text."},                                                 \
    {.key = "preserve_trailing_whitespaces",                                                       \
     .type = HF_FIELD_BOOL,                                                                        \
     .offset = offsetof(owner, at.keep_trailing),                                                     \
     .default_text = "false",                                                                      \
     .help = "Keep white space behind the text."}

#define HF_LOG_TCP_FIELDS(owner, at)                                                               \
    HF_LOG_TEXT_FIELDS(owner, at),                                                                 \
    {.key = "max_log_size",                                                                        \
     .type = HF_FIELD_BYTES,                                                                       \
     .offset = offsetof(owner, at.max_log_bytes),                                                  \
     .default_text = "1MiB",                                                                       \
     .min = 16,                                                                                    \
     .max = 64 << 20,                                                                              \
     .help = "Longest entry; what is beyond it are further entries."},                             \
    {.key = "max_connections",                                                                     \
     .type = HF_FIELD_INT,                                                                         \
     .offset = offsetof(owner, at.max_connections),                                                \
     .default_text = "0",                                                                          \
     .min = 0,                                                                                     \
     .max = 1e6,                                                                                   \
     .help = "Connections at once; 0: 10,000."},                                                   \
    {.key = "connection_idle_timeout",                                                             \
     .type = HF_FIELD_DURATION,                                                                    \
     .offset = offsetof(owner, at.idle_ns),                                                        \
     .default_text = "0",                                                                          \
     .help = "Connections that are silent for so long are closed; 0: never."},                     \
    {.key = "tls",                                                                                 \
     .type = HF_FIELD_OPTIONAL,                                                                    \
     .offset = offsetof(owner, at.tls),                                                            \
     .inner = hf_tls_server_fields,                                                                \
     .inner_size = sizeof(struct hf_tls_config),                                                   \
     .help = "Encryption; absent: cleartext."}

#define HF_LOG_UDP_FIELDS(owner, at)                                                               \
    HF_LOG_TEXT_FIELDS(owner, at),                                                                 \
    {.key = "resolve_names",                                                                       \
     .type = HF_FIELD_IGNORED,                                                                     \
     .help = "Names are the addresses, no name server is asked."},                                 \
    {.key = "socket_buffer_size",                                                                  \
     .type = HF_FIELD_BYTES,                                                                       \
     .offset = offsetof(owner, at.socket_buffer_bytes),                                            \
     .default_text = "0",                                                                          \
     .help = "The socket's buffer, in which datagrams wait while others are committed; 0: as the " \
             "system has it."},                                                                    \
    HF_SERVER_IGNORED("async", "One thread reads; datagrams wait in the socket's buffer.")
/* clang-format on */
