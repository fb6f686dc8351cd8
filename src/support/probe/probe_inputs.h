/*
 * probe_inputs: what receivers need, by their shared settings: sockets, certificates and files. The
 * main thread.
 */
#pragma once

#include "probe.h"
#include "support/settings/configgrpc_server.h"
#include "support/settings/confighttp_server.h"
#include "support/settings/configkafka.h"
#include "support/tail/tail.h"

/* The socket, and certificate and key; NULL: nothing. */
void hf_probe_grpc_server(struct hf_probe *probe, const struct hf_grpc_server_config *config);
void hf_probe_http_server(struct hf_probe *probe, const struct hf_http_server_config *config);
/* A UDP socket; NULL: nothing. */
void hf_probe_udp(struct hf_probe *probe, const char *endpoint);

/* The files that are there now: can each be read? */
void hf_probe_tail(struct hf_probe *probe, const struct hf_tail_config *config);

/* The brokers, one after another. */
void hf_probe_brokers(struct hf_probe *probe, const struct hf_kafka_config *config);
