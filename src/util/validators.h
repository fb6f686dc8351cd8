/*
 * validators: checks of texts in a configuration. Each function is the `validate` of a field
 * (holdfast/field.h): NULL for a valid text, otherwise the description of a valid one. No state;
 * any thread.
 */
#pragma once

/* Where a server listens: host:port, :port, [v6]:port, unix:///path, or a bare path, which
 * `transport: unix` allows. */
const char *hf_expect_listen(const char *key, const char *text);

/* The path of a URL, with or without its first slash: no scheme, host, query or blank. */
const char *hf_expect_path(const char *key, const char *text);

/* A header by its name and value: what HTTP lets stand there, no line ends to smuggle in more, and
 * none that the transport sets (header_text.h). The latter of them for gRPC. */
const char *hf_expect_header(const char *name, const char *value);
const char *hf_expect_grpc_header(const char *name, const char *value);
