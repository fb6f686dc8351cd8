/*
 * grpc_health: the messages of gRPC's health service, grpc.health.v1. Pure; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_GRPC_HEALTH_PATH "/grpc.health.v1.Health/Check"

/* The service that a HealthCheckRequest asks for, "" for the server. False: it is no such message.
 */
HF_MUST_USE bool hf_grpc_health_read(struct hf_slice request, struct hf_slice *ret_service);

/* Is `path`, of a method, one of that service? */
bool hf_grpc_health_belongs(const char *path, struct hf_slice service);

/* A HealthCheckResponse: SERVING or NOT_SERVING. */
struct hf_slice hf_grpc_health_answer(bool serving);
