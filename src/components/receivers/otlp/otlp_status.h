/*
 * otlp_status: google.rpc.Status, the body of an answer that refuses a request. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OTLP_STATUS_BODY_MAX 1024

/* As JSON or as protobuf; `text` is cut and escaped as it needs, the peer may have written a part
 * of it. The size. */
size_t otlp_status_body(bool json, int code, const char *text,
                        uint8_t ret_body[OTLP_STATUS_BODY_MAX]);
