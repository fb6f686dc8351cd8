/*
 * header_text: which text is allowed in a header of HTTP and gRPC, and which headers belong to the
 * protocols themselves. Names compare without regard to case. No state; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/slice.h>

/* The value without the blanks and tabs around it, which are no part of it (RFC 9110, 5.5). */
struct hf_slice hf_header_trim(struct hf_slice value);

/* A token (RFC 9110, 5.6.2). */
bool hf_header_is_name(struct hf_slice name);

/* No line ends and no other control characters but the tab: one of them would end the header, or
 * the peer refuses the whole request. */
bool hf_header_is_value(struct hf_slice value);

/* "...-bin": gRPC sends any bytes under such a name, in base64. */
bool hf_header_is_binary(struct hf_slice name);

/* Connection, Transfer-Encoding, Content-Length and their like: about this hop or the framing of
 * the message, so the transport alone sets them. */
bool hf_header_is_framing(struct hf_slice name);

/* Headers that gRPC sets itself: content-type, te, grpc-*, pseudo-headers, and the framing of HTTP.
 */
bool hf_header_is_of_grpc(struct hf_slice name);
