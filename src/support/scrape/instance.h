/*
 * instance: what a receiver that asks a server calls it, so that servers on this machine of several
 * machines have different names. Any thread; no state.
 */
#pragma once

#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_INSTANCE_HOST_SIZE 256u
#define HF_INSTANCE_UUID_SIZE 37u

/* The host of an endpoint; of localhost and a loopback address the name of this machine. */
void hf_instance_host(const char *host, char ret_host[HF_INSTANCE_HOST_SIZE]);

/* host:port, with brackets around an IPv6 address. */
void hf_instance_join(const char *host, const char *port, char *ret_joined, size_t size);

/* A UUID of version 5, in the namespace that OpenTelemetry has for service.instance.id.
 * HF_UNSUPPORTED: the system's OpenSSL is set up without SHA-1. */
HF_MUST_USE enum hf_status hf_instance_uuid(struct hf_slice seed,
                                            char ret_uuid[HF_INSTANCE_UUID_SIZE]);
